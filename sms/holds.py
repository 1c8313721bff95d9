"""What holds a PIN, RESULT or LOG back when it is claimed, in the words of that statement."""

import sqlalchemy as sa

from records import numbers
from records.stops import STOP, Scope
from records.tables import CITIZEN, NUMBER
from sms.tables import INBOUND, LINK, OUTBOUND

_CAME = LINK.alias("came")
# The message, and the one whose PIN it gave, may have come in on other links than the one that its
# reply leaves by.
_CAME_IN = (
    sa.exists()
    .where(
        INBOUND.c.id == OUTBOUND.c.inbound_id,
        sa.or_(_CAME.c.id == INBOUND.c.link_id, _CAME.c.id == OUTBOUND.c.pin_link_id),
        _CAME.c.code == STOP.c.key,
    )
    .correlate(STOP, OUTBOUND)
)
STOPPED = (
    sa.exists()
    .where(
        STOP.c.resumed_at.is_(None),
        sa.or_(
            STOP.c.scope == Scope.SERVICE,
            STOP.c.scope == Scope.DISCLOSURE,
            sa.and_(STOP.c.scope == Scope.OPERATOR, STOP.c.key == LINK.c.operator),
            sa.and_(STOP.c.scope == Scope.LINK, STOP.c.key == LINK.c.code),
            sa.and_(STOP.c.scope == Scope.LINK, _CAME_IN),
            sa.and_(STOP.c.scope == Scope.COMMAND, STOP.c.key == OUTBOUND.c.command),
        ),
    )
    .correlate(LINK, OUTBOUND)
)
# What `records.numbers.bars` says, in as far as it can have changed since it was asked; and that
# another operator serves the number now, where that is asked about.
HELD = sa.or_(
    sa.exists()
    .where(
        NUMBER.c.id == OUTBOUND.c.number_id,
        sa.or_(
            NUMBER.c.sim_changed_at > sa.bindparam("settled"),
            NUMBER.c.ported_at > sa.bindparam("settled"),
            NUMBER.c.left_at >= OUTBOUND.c.trusted_since,
            sa.and_(
                NUMBER.c.barred_at >= OUTBOUND.c.trusted_since,
                sa.or_(
                    NUMBER.c.barred_until.is_(None), NUMBER.c.barred_until > sa.bindparam("now")
                ),
            ),
            sa.and_(
                sa.bindparam("by_serving", type_=sa.Boolean).is_(True),
                NUMBER.c.served_by.is_distinct_from(OUTBOUND.c.served_by),
            ),
        ),
    )
    .correlate(OUTBOUND),
    sa.select(sa.func.count())
    .where(CITIZEN.c.phone_index == OUTBOUND.c.number_id)
    .correlate(OUTBOUND)
    .scalar_subquery()
    > numbers.MOST_SHARING,
)
