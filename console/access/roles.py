"""Roles of officers and the rights they carry; what is not granted here is refused."""

from collections.abc import Iterable, Mapping
from enum import StrEnum, auto


class Role(StrEnum):
    """A part that an officer plays."""

    VIEWER = "viewer"
    INVESTIGATOR = "investigator"
    APPROVER = "approver"
    OPERATOR_MANAGER = "operator-manager"
    BILLING_MAKER = "billing-maker"
    BILLING_CHECKER = "billing-checker"
    SECURITY_OFFICER = "security-officer"
    AUDITOR = "auditor"
    USER_ADMIN = "user-admin"


class Right(StrEnum):
    """Something that the console lets be done."""

    SEE_OVERVIEW = auto()
    SEE_LOG = auto()
    EXPORT_LOG = auto()
    ASK_REVEAL = auto()
    GRANT_REVEAL = auto()
    SEE_REVEALS = auto()
    OPEN_ACCESS_FILE = auto()
    SEE_EMBARGOED = auto()
    SEE_JOURNAL = auto()
    VERIFY_JOURNAL = auto()
    PLAN_ERASURE = auto()
    APPROVE_ERASURE = auto()
    SEE_CONTROL = auto()
    STOP = auto()
    RESUME = auto()
    SEE_OPERATORS = auto()
    MANAGE_OPERATORS = auto()
    TERMINATE = auto()
    SEE_OFFICERS = auto()
    MANAGE_OFFICERS = auto()
    SEE_ACTS = auto()
    SEE_DIAGNOSTICS = auto()
    SEE_BILLING = auto()
    MAKE_STATEMENTS = auto()
    CHECK_STATEMENTS = auto()


_EVERYBODY = frozenset({Right.SEE_OVERVIEW, Right.SEE_CONTROL})
_READER = _EVERYBODY | {Right.SEE_LOG, Right.SEE_JOURNAL, Right.SEE_OPERATORS}

GRANTED: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _READER,
    Role.INVESTIGATOR: _READER
    | {Right.ASK_REVEAL, Right.SEE_REVEALS, Right.OPEN_ACCESS_FILE, Right.EXPORT_LOG},
    Role.APPROVER: _READER
    | {
        Right.GRANT_REVEAL,
        Right.SEE_REVEALS,
        Right.PLAN_ERASURE,
        Right.APPROVE_ERASURE,
        Right.STOP,
        Right.RESUME,
    },
    Role.OPERATOR_MANAGER: _READER | {Right.MANAGE_OPERATORS, Right.TERMINATE, Right.STOP},
    Role.BILLING_MAKER: _EVERYBODY | {Right.SEE_BILLING, Right.MAKE_STATEMENTS},
    Role.BILLING_CHECKER: _EVERYBODY | {Right.SEE_BILLING, Right.CHECK_STATEMENTS},
    # Opens access files only together with a role that may: then what is under embargo too.
    Role.SECURITY_OFFICER: _READER
    | {
        Right.SEE_EMBARGOED,
        Right.VERIFY_JOURNAL,
        Right.PLAN_ERASURE,
        Right.APPROVE_ERASURE,
        Right.STOP,
        Right.RESUME,
        Right.TERMINATE,
        Right.SEE_OFFICERS,
        Right.SEE_DIAGNOSTICS,
    },
    Role.AUDITOR: _EVERYBODY
    | {Right.SEE_JOURNAL, Right.VERIFY_JOURNAL, Right.SEE_OFFICERS, Right.SEE_ACTS},
    Role.USER_ADMIN: _EVERYBODY
    | {Right.SEE_OFFICERS, Right.MANAGE_OFFICERS, Right.SEE_DIAGNOSTICS},
}

# What must follow the second factor by no more than a few minutes.
DANGEROUS = frozenset(
    {
        Right.ASK_REVEAL,
        Right.GRANT_REVEAL,
        Right.EXPORT_LOG,
        Right.PLAN_ERASURE,
        Right.APPROVE_ERASURE,
        Right.RESUME,
        Right.MANAGE_OPERATORS,
        Right.TERMINATE,
        Right.MANAGE_OFFICERS,
        Right.MAKE_STATEMENTS,
        Right.CHECK_STATEMENTS,
    }
)

# Each of these plays no other part: an auditor reviews the others, an administrator of officers
# could give to himself, and who makes a statement does not check it.
_ALONE = (Role.AUDITOR, Role.USER_ADMIN)
_APART = (frozenset({Role.BILLING_MAKER, Role.BILLING_CHECKER}),)


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """Return everything that officers of these roles may do."""
    return frozenset().union(*(GRANTED[role] for role in roles))


def conflict(roles: Iterable[Role]) -> str | None:
    """Say why nobody may play all of these parts at once; None if somebody may."""
    held = frozenset(roles)
    if not held:
        return "an officer needs a role"
    for role in _ALONE:
        if role in held and len(held) > 1:
            return f"the role {role} is held alone"
    for pair in _APART:
        if pair <= held:
            return f"the roles {' and '.join(sorted(pair))} are held by two people"
    return None
