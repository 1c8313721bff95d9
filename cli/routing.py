"""Whether it is known who serves which numbers, where requests are taken by that alone."""

from cli.context import Service
from cli.exits import NOT_ALLOWED, UsageFault
from sms.links.model import Link


def unknown(service: Service, *changed: Link) -> list[str]:
    """Name the operators in use of whom it is not known which numbers they serve, if it matters.

    Links that are *changed* count as they are given.
    """
    from core.settings import Route
    from sms.links import peers

    if service.settings.route is Route.INBOUND:
        return []
    links = {link.id: link for link in (*service.links.all(), *changed)}
    return peers.without_prefixes(links.values())


def require(service: Service) -> None:
    """Refuse to start where nobody could be told anything, and say whose numbers are unknown.

    Raises: UsageFault.
    """
    from core import log
    from sms.links.model import LinkState

    without = unknown(service)
    active = {link.operator for link in service.links.all() if link.state is LinkState.ACTIVE}
    if without and active <= set(without):
        raise UsageFault(
            "TRADAN_ROUTE=serving tells a citizen something only by the operator that serves the "
            f"number, and no operator's numbers are known ({', '.join(without)}): say them by "
            "`operator set CODE --prefixes RANGES`, or unset TRADAN_ROUTE",
            NOT_ALLOWED,
        )
    for operator in without:
        log.get_logger(__name__).warning("route.nobody-served", name=operator)
