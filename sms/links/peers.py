"""Which links stand in for one another, and what numbers their operators have. Pure."""

from collections.abc import Iterable, Mapping

from sms.links.model import Link, LinkState

Groups = Mapping[int, tuple[Link, ...]]


def groups_of(links: Iterable[Link]) -> Groups:
    """Say of each link which ones share its load, itself among them, by key.

    They are one operator's and of one kind of trust: real citizens' or made-up people's, direct or
    through the same third party, and from the same number of ours where the link has one.
    """
    found: dict[tuple[object, ...], list[Link]] = {}
    for link in links:
        alone = link.id if link.state is LinkState.TERMINATED else None
        kind = (link.operator, link.is_test, link.third_party, link.from_number, alone)
        found.setdefault(kind, []).append(link)
    groups = [tuple(sorted(group, key=lambda link: link.id)) for group in found.values()]
    return {link.id: group for group in groups for link in group}


def prefixes_of(links: Iterable[Link]) -> dict[str, str]:
    """Return the prefixes of each operator, of all its links together."""
    agreed: dict[str, list[str]] = {}
    for link in links:
        agreed.setdefault(link.operator, []).extend(filter(None, [link.prefixes]))
    return {operator: ",".join(ranges) for operator, ranges in agreed.items()}


def without_prefixes(links: Iterable[Link]) -> list[str]:
    """Name the operators with a link in use of whom it is not known which numbers they serve."""
    known = list(links)
    in_use = {link.operator for link in known if link.state is LinkState.ACTIVE}
    return sorted(operator for operator in in_use if not prefixes_of(known)[operator])
