"""Why a request of an operator is not taken; the edge turns each into one fixed answer."""


class RefusedRequestError(Exception):
    """The request is not a message of this link."""


class UnauthenticatedError(RefusedRequestError):
    """Nothing proves that the request comes from the link's operator."""


class MalformedError(RefusedRequestError):
    """The request is genuine and not what the contract says; the cause quotes nothing of it."""


class WrongTypeError(RefusedRequestError):
    """The request's content type is not the one this link speaks."""


class WrongMethodError(RefusedRequestError):
    """The request's method is not one that this link is spoken to by."""


class LinkError(Exception):
    """A link cannot be made or changed as asked."""
