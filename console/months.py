"""Months of operators, as addresses of the console name them."""

import re
from dataclasses import dataclass

from billing.drafts import Account
from billing.errors import PeriodError
from billing.periods import Period
from billing.reconciliation.store import Store
from console.desk import Desk

_MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])[/.-](20[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of an operator, and where its files are."""

    account: Account
    period: Period
    store: Store

    @property
    def operator(self) -> str:
        """Whose month it is."""
        return self.account.operator


def find(desk: Desk, operator: str, text: str) -> Month | None:
    """Return a month as it is typed, 10/2026 or 2026-10; None for what is none of an operator."""
    account = Account.of(operator, desk.links.all())
    typed = _MONTH_FIRST.fullmatch(text.strip())
    try:
        period = Period.parse(f"{typed[2]}-{int(typed[1]):02}" if typed else text.strip())
    except PeriodError:
        return None
    if account is None:
        return None
    return Month(account, period, Store.of(desk.settings.state_dir, operator))
