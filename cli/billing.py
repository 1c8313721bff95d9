"""`billing`: tariffs, and statements of what was carried for each operator and month."""

from cli.groups import LazyGroup

_VERBS = {
    "tariff": ("cli.billing_tariffs:tariff_group", "Prices of operators, dated."),
    "open": ("cli.billing_statements:open_command", "Make a statement of a month, as a draft."),
    "send": ("cli.billing_statements:send_command", "Fix a draft, to be sent to the operator."),
    "list": ("cli.billing_statements:list_command", "List the statements."),
    "show": ("cli.billing_statements:show_command", "Show a statement with its lines."),
    "export": ("cli.billing_export:export_command", "Write the minutes as files."),
    "verify": ("cli.billing_verify:verify_command", "Check journal, usage and statements."),
    "close": ("cli.billing_checks:close_command", "Sign a statement, as somebody else."),
    "settle": ("cli.billing_checks:settle_command", "Note that a statement was netted."),
    "mapping": ("cli.billing_mapping:mapping_group", "How operators write their call records."),
    "check": ("cli.billing_files:check_command", "Say whether a file would be taken."),
    "import": ("cli.billing_files:import_command", "Take in an operator's call records."),
    "reconcile": (
        "cli.billing_reconcile:reconcile_command",
        "Compare a month with the operator's.",
    ),
}

_HELP = """Agree each month with operators on what was carried, for accountants.

Looking oneself up is free; the operator charges its telecom fee. A statement goes from draft to
sent, matched or different, signed and settled; who makes one does not sign it.

\b
Examples:
  python app.py billing tariff import tariffs.csv --officer lan
  python app.py billing open 2026-10 --operator viettel --officer lan
"""

billing_group = LazyGroup(name="billing", verbs=_VERBS, help=_HELP)
