"""Messages by the million, set by set: what a busy month leaves, each row made from its leaf.

Every statement takes the leaves from `:first` to `:last` and makes a message of each, evenly over
`:span_ms` from `:begin_ms` on; which link, command and end it has goes by the leaf's number.
"""

# Version 7 of its millisecond and its number: the same for the same leaf, whoever asks.
_ID = {
    "postgresql": (
        "(lpad(to_hex({ms}), 12, '0') || '7' || lpad(to_hex(l.seq % 4096), 3, '0') || '8' "
        "|| substr(md5('{salt}' || l.seq), 1, 15))::uuid"
    ),
    "sqlite": (
        "printf('%012x7%03x8{salt}%014x', {ms}, l.seq % 4096, l.seq * 2654435761 % 71999999999999)"
    ),
}
_RANDOM = {
    "postgresql": "decode(substr(repeat(md5('b' || l.seq), 20), 1, 2 * :bytes), 'hex')",
    "sqlite": "randomblob(:bytes)",
}
_NO = {"postgresql": "false", "sqlite": "0"}
_MS = "(:begin_ms + l.seq * :span_ms / :count)"
_AT = f"({_MS} * 1000)"
_LINK = "1 + l.seq * 7 % 16 % :links"
_COMMAND = (
    "CASE WHEN l.seq % 10 < 4 THEN 'DC' WHEN l.seq % 10 < 8 THEN 'XN' "
    "WHEN l.seq % 10 = 8 THEN 'NK' ELSE 'HD' END"
)
_STATE = (
    "CASE WHEN l.seq % 1000 = 1 THEN 'quarantined' WHEN l.seq % 1000 < 10 THEN 'expired' "
    "WHEN l.seq % 1000 < 60 THEN 'refused' ELSE 'answered' END"
)
_REPLY = (
    "CASE WHEN l.seq % 10 < 4 AND l.seq % 50 = 0 THEN 'NOMATCH' WHEN l.seq % 10 < 4 THEN 'PIN' "
    "WHEN l.seq % 10 < 8 AND l.seq % 40 = 4 THEN 'WRONG' WHEN l.seq % 10 < 8 THEN 'RESULT' "
    "WHEN l.seq % 10 = 8 THEN 'LOG' ELSE 'HELP' END"
)
_LEAVES = "FROM journal_leaf AS l WHERE l.seq BETWEEN :first AND :last"

_INBOUND = f"""
INSERT INTO inbound (id, link_id, operator_message_id, sender_id, key_id, blob, received_at,
    stored_at, handled_at, state, command, attempts, entry_id)
SELECT {{inbound}}, {_LINK}, 'mo-' || l.seq, l.seq % 100003, :key_id, {{random}}, {_AT} - 40000,
    {_AT}, {_AT} + 90000, {_STATE}, {_COMMAND}, 1, l.entry_id {_LEAVES}"""
_INBOUND_KEY = f"""
INSERT INTO inbound_key (link_id, operator_message_id, content_tag, message_id, received_at)
SELECT {_LINK}, 'mo-' || l.seq, {{random}}, {{inbound}}, {_AT} {_LEAVES}"""
_OUTBOUND = f"""
INSERT INTO outbound (id, inbound_id, link_id, reply, command, priority, discloses, is_test, key_id,
    encoding, segments, entry_id, state, attempt, unknowns, created_at, next_at, expires_at,
    accepted_at)
SELECT {{outbound}}, {{inbound}}, {_LINK}, {_REPLY}, {_COMMAND}, 1, {{no}}, {{no}}, :key_id,
    'gsm7', 1, l.entry_id, 'accepted', 1, 0, {_AT} + 90000, {_AT} + 90000, {_AT} + 240000000,
    {_AT} + 200000 + l.seq * 7919 % 1500000 {_LEAVES} AND l.seq % 1000 >= 60"""
MESSAGES = (_INBOUND, _INBOUND_KEY, _OUTBOUND)

_MINUTE = "i.stored_at - i.stored_at % 60000000"
TALLY = (
    f"""
INSERT INTO tally (minute, link_id, command, state, reply, messages)
SELECT {_MINUTE}, i.link_id, i.command, i.state, coalesce(o.reply, ''), count(*)
FROM inbound AS i LEFT JOIN outbound AS o ON o.inbound_id = i.id GROUP BY 1, 2, 3, 4, 5""",
    """
INSERT INTO tally_hour (hour, link_id, command, state, reply, messages)
SELECT minute - minute % 3600000000, link_id, command, state, reply, sum(messages)
FROM tally WHERE minute < (SELECT max(minute) - max(minute) % 3600000000 FROM tally)
GROUP BY 1, 2, 3, 4, 5""",
    """
INSERT INTO tallied (minute, handed_over, p50_us, p95_us, p99_us)
SELECT DISTINCT minute, 1, 600000, 1400000, 1700000 FROM tally""",
)


def spelt(statement: str, dialect: str) -> str:
    """Spell a statement as one of the two databases has it."""
    made = {
        name: _ID[dialect].format(ms=_MS, salt=salt)
        for name, salt in (("inbound", "1"), ("outbound", "2"))
    }
    return statement.format(**made, random=_RANDOM[dialect], no=_NO[dialect])
