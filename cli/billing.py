"""`billing`: tariffs, and statements of what was carried for each operator and month."""

from cli.groups import LazyGroup

_VERBS = {
    "tariff": ("cli.billing_tariffs:tariff_group", "Prices of operators, dated."),
}

_HELP = """Agree each month with operators on what was carried, for accountants.

Looking oneself up is free; the operator charges its telecom fee. A statement goes from draft to
sent, matched or different, signed and settled; who makes one does not sign it.

\b
Examples:
  python app.py billing tariff import tariffs.csv --officer lan
"""

billing_group = LazyGroup(name="billing", verbs=_VERBS, help=_HELP)
