"""The errors of the phone simulator: each one sentence that names the cause and the next step."""


class PhoneError(Exception):
    """The phone simulator cannot do what was asked."""


class ForgedError(PhoneError):
    """A delivery does not bear the signature of this network's link."""


class NotAcceptedError(PhoneError):
    """The gateway has not promised to handle a text."""
