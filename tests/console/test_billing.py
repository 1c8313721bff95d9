"""The pages of billing: a month from draft to settled by two officers, and what was compared."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing.drafts import Account
from billing.periods import Period
from billing.reconciliation import results
from billing.reconciliation.reconciling import Reconciled
from billing.reconciliation.store import Store
from billing.reconciliation.summary import Kind
from billing.tables import STATEMENT
from billing.usage import Direction
from console.access.roles import Role
from console.views.billing_files import LARGEST
from tests.billing.books import MAKER, PRICE, Books, message
from tests.billing.months import NOON, Record, at, held, month
from tests.billing.tampering import loosen, loosen_statements, rewrite
from tests.console.conftest import House, Visit
from tests.console.test_guard import ONE_DATABASE
from tests.console.test_reveals import told
from tests.sms.gateway import OTHER, REAL

# The clock of the tests stands in March.
FEBRUARY = Period(2026, 2)
PAGE = f"/console/billing/{REAL}/2026-02"
OURS = month(200)[4:196]
Enter = Callable[..., Visit]


@pytest.fixture
def books(house: House) -> Books:
    """The billing of an operator that has carried five messages and a reply in February."""
    made = Books(house.database, Account(REAL, frozenset({house.gateway.link(REAL).id})))
    made.price(
        replace(PRICE, operator=REAL),
        replace(PRICE, operator=REAL, direction=Direction.MT, share_bp=0, price_hundredths=12_345),
    )
    carry(made, *range(1, 6))
    carry(made, 5, direction=Direction.MT)
    return made


def carry(books: Books, *days: int, **changes: object) -> None:
    link = {"link_id": min(books.account.links)}
    books.carry([message(date(2026, 2, day), **link, **changes) for day in days])


def compared(house: House, folder: Path, theirs: Sequence[Record]) -> None:
    """Leave what comparing a month of October came to, as if it were of February."""
    store = Store.of(house.settings.state_dir, REAL)
    with held(folder, OURS, theirs) as found:
        summary = replace(found.summary, operator=REAL, period=FEBRUARY)
        results.keep(store, Reconciled(summary, found.duck), datetime(2026, 3, 1, tzinfo=UTC))


def digest_of(house: House) -> str:
    return str(house.database.read(lambda s: s.scalar(sa.select(STATEMENT.c.digest))))


def acts_of(house: House) -> list[tuple[object, object]]:
    """Return who did what to statements, the newest last."""
    return [
        (each["actor"], each.get("act"))
        for each in reversed(told(house))
        if str(each.get("act")).startswith("statement-")
    ]


def test_two_officers_bring_a_month_from_draft_to_settled(
    house: House, books: Books, enter: Enter
) -> None:
    lan, minh = enter("lan", Role.BILLING_MAKER), enter("minh", Role.BILLING_CHECKER)
    assert "Kỳ 02/2026 đã hết mà chưa lập bảng" in lan.get("/console/billing")[1]

    opened = lan.post(f"{PAGE}/open"), lan.post(f"{PAGE}/send")
    books.compare(FEBRUARY)
    seen = digest_of(house)
    closed = minh.post(f"{PAGE}/close", digest=seen), minh.post(f"{PAGE}/close", digest=seen)
    settled = minh.post(f"{PAGE}/settle", digest=seen, reference="UNC 7/2026")

    assert {status for status, _ in (*opened, *closed, settled)} == {303}
    assert acts_of(house) == [
        ("officer:lan", "statement-open"), ("officer:lan", "statement-send"),
        ("officer:minh", "statement-close"), ("officer:minh", "statement-settle"),
    ]  # fmt: skip
    (last,) = (each for each in told(house) if each.get("act") == "statement-settle")
    assert (last["digest"], last["reference"]) == (seen, "UNC 7/2026")
    text = minh.get(PAGE)[1]
    assert "✓ đã bù trừ" in text
    assert "UNC 7/2026" in text
    for figure in ("2.500", "977,30", "123,45", "853,85"):
        assert f"{figure} ₫" in text or f">{figure}<" in text, figure
    assert "<form method" not in text.partition("<main")[2]


@ONE_DATABASE
def test_who_made_a_statement_does_not_sign_it(house: House, books: Books, enter: Enter) -> None:
    books.open(FEBRUARY, by="officer:lan")
    books.send(FEBRUARY, by=MAKER)
    books.compare(FEBRUARY)
    lan, minh = enter("lan", Role.BILLING_CHECKER), enter("minh", Role.BILLING_MAKER)

    tried = lan.post(f"{PAGE}/close", digest=digest_of(house))

    assert tried[0] == 409
    text = lan.get(PAGE)[1]
    assert "một cán bộ khác phải kiểm và ký" in text
    assert "/close" not in text
    assert minh.post(f"{PAGE}/close", digest=digest_of(house))[0] == 403
    assert acts_of(house) == []


@ONE_DATABASE
def test_what_differs_is_signed_with_what_was_agreed_and_as_it_was_seen(
    house: House, books: Books, enter: Enter
) -> None:
    books = replace(books, journal=house.journal, keyring=house.keyring)
    books.open(FEBRUARY)
    books.send(FEBRUARY)
    books.compare(FEBRUARY, matches=False)
    minh, seen = enter("minh", Role.BILLING_CHECKER), digest_of(house)

    silent = minh.post(f"{PAGE}/close", digest=seen)
    other = minh.post(f"{PAGE}/close", digest="0" * 64, agreed="biên bản 7")
    done = minh.post(f"{PAGE}/close", digest=seen, agreed="biên bản 7")

    assert [silent[0], other[0], done[0]] == [409, 409, 303]
    assert acts_of(house)[2:] == [("officer:minh", "statement-close")]
    text = minh.get(PAGE)[1]
    assert "biên bản 7" in text
    assert "-500 ₫" in text


def test_what_was_changed_together_with_its_digest_is_neither_signed_nor_settled(
    house: House, books: Books, enter: Enter
) -> None:
    books = replace(books, journal=house.journal, keyring=house.keyring)
    minh = enter("minh", Role.BILLING_CHECKER)

    def tried(act: str) -> tuple[int, str]:
        house.database.write(lambda s: rewrite(s, REAL, FEBRUARY))
        return minh.post(f"{PAGE}/{act}", digest=digest_of(house), reference="UNC 7")

    books.open(FEBRUARY)
    books.send(FEBRUARY)
    books.compare(FEBRUARY)
    unsigned = tried("close")
    house.database.write(loosen_statements)
    house.database.write(
        lambda s: s.execute(sa.update(STATEMENT).values(state="signed", closed_by="officer:x"))
    )
    unsettled = tried("settle")

    assert (unsigned, unsettled) == ((409, ""), (409, ""))
    assert [act for _, act in acts_of(house)] == ["statement-open", "statement-send"]


@ONE_DATABASE
def test_what_may_not_be_done_is_said_in_the_language_of_the_page(
    house: House, books: Books, enter: Enter
) -> None:
    lan = enter("lan", Role.BILLING_MAKER)
    march = f"/console/billing/{REAL}/2026-03"
    carry(books, 6, short_code="1900", encoding="ucs2")
    lan.post(f"{march}/open")
    token = {"form_token": lan.form_token}

    def refused(path: str) -> str:
        answer = lan.client.post(path, data=token, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 409
        return answer.text

    assert "chưa lập bảng đối soát" in refused(f"{PAGE}/send")
    assert "Tháng này chưa hết" in refused(f"{march}/send")
    lan.post(f"{PAGE}/open")
    lan.post(f"{PAGE}/send")
    assert "đã sang bước khác" in refused(f"{PAGE}/open")
    assert "Không có nhà mạng hoặc kỳ này" in refused("/console/billing/nobody/2026-02/open")
    books.price(replace(PRICE, operator=OTHER, valid_from=date(2026, 3, 1)))
    house.database.write(loosen)
    house.database.write(
        lambda s: s.execute(sa.text("UPDATE usage SET link_id = :link"), {"link": other(house)})
    )
    lan.post(f"/console/billing/{OTHER}/2026-02/open")
    assert "chưa có giá" in lan.get(f"/console/billing/{OTHER}/2026-02")[1]
    assert "Có tin chưa có giá" in refused(f"/console/billing/{OTHER}/2026-02/send")


def other(house: House) -> int:
    return house.gateway.link(OTHER).id


@ONE_DATABASE
def test_acts_on_statements_follow_the_second_factor(
    house: House, books: Books, enter: Enter
) -> None:
    lan = enter("lan", Role.BILLING_MAKER)
    house.clock.advance(timedelta(minutes=6))

    status, where = lan.post(f"{PAGE}/open")

    assert (status, where.partition("?")[0]) == (303, "/console/step-up")
    assert house.database.read(lambda s: s.scalar(sa.select(STATEMENT.c.id))) is None


@ONE_DATABASE
def test_what_corrects_a_signed_month_is_a_line_of_its_own(
    house: House, books: Books, enter: Enter
) -> None:
    books.close_month(FEBRUARY)
    carry(books, 9)
    lan = enter("lan", Role.BILLING_MAKER)

    lan.post(f"/console/billing/{REAL}/2026-03/open")

    text = lan.get(f"/console/billing/{REAL}/2026-03")[1]
    assert "Điều chỉnh các kỳ đã chốt" in text
    assert "<b>02/2026</b>" in text
    assert "Điều chỉnh các kỳ đã chốt" not in lan.get(PAGE)[1]


@ONE_DATABASE
def test_the_list_has_both_sides_where_they_were_compared(
    house: House, books: Books, enter: Enter, tmp_path: Path
) -> None:
    compared(house, tmp_path / "held", [*OURS[1:], Record(id="extra", at=NOON)])
    books.open(FEBRUARY)
    books.send(FEBRUARY)
    found = results.load(Store.of(house.settings.state_dir, REAL), FEBRUARY)
    assert found is not None
    lan = enter("lan", Role.BILLING_MAKER)
    before = lan.get("/console/billing")[1]
    house.database.write(
        lambda s: s.execute(
            sa.update(STATEMENT).values(
                state="different", file_digest=found.digest,
                difference_hundredths=found.difference.amount, reconciled_at=house.clock.now(),
            )
        )
    )  # fmt: skip

    text, one = lan.get("/console/billing")[1], lan.get(PAGE)[1]

    assert 'data-label="Tin (ta)" class="figure">6<' in text
    assert 'data-label="Tin (họ)" class="figure">–<' in before
    assert f'data-label="Tin (họ)" class="figure">{len(OURS)}<' in text
    assert "≠ lệch" in text
    assert "Lệch, quá mức hợp đồng cho phép." in one
    assert "Sản lượng lúc đối soát khác các dòng" in one
    assert "billing reconcile 2026-02" in one


@ONE_DATABASE
def test_the_list_goes_on_where_a_page_ends(house: House, enter: Enter) -> None:
    values = {"state": "draft", "digest": "0" * 64, "net_hundredths": 0, "opened_by": MAKER}
    rows = [
        {"operator": operator, "period": f"{year}-{number:02}", "opened_at": NOON, **values}
        for operator in (REAL, OTHER)
        for year in (2023, 2024, 2025)
        for number in range(1, 13)
    ]
    house.database.write(lambda s: s.execute(sa.insert(STATEMENT), rows))
    lan = enter("lan", Role.BILLING_CHECKER)

    first = lan.get("/console/billing")[1]
    second = lan.get("/console/billing?before=2023-12.hong-ha")[1]
    one = lan.get(f"/console/billing?operator={OTHER}")[1]

    assert first.count("○ dự thảo") == 50
    assert "before=2023-12." in first
    assert second.count("○ dự thảo") == 22 + (OTHER > REAL)
    assert one.count("○ dự thảo") == 36


@ONE_DATABASE
def test_a_month_is_found_as_it_is_typed(house: House, enter: Enter) -> None:
    lan = enter("lan", Role.BILLING_CHECKER)

    def where(period: str, operator: str = REAL) -> tuple[int, str | None]:
        asked = {"operator": operator, "period": period}
        answer = lan.client.get("/console/billing/month", query_string=asked)
        return answer.status_code, answer.headers.get("Location")

    assert {where(text) for text in ("02/2026", "2/2026", " 2026-02 ")} == {(303, PAGE)}
    assert where("13/2026")[0] == where("02/2026", "nobody")[0] == 409
    assert lan.get("/console/billing/nobody/2026-02")[0] == 404
    assert lan.get(f"/console/billing/{REAL}/2026-13")[0] == 404
    assert "Chờ người lập đối soát lập dự thảo" in lan.get(PAGE)[1]


def test_the_minutes_leave_with_an_entry_that_has_their_digest(
    house: House, books: Books, enter: Enter
) -> None:
    books.open(FEBRUARY)
    minh = enter("minh", Role.BILLING_CHECKER)

    page = minh.get(f"{PAGE}/minutes")[1]
    sheet = minh.client.get(f"{PAGE}/minutes/xlsx")
    lines = minh.client.get(f"{PAGE}/minutes/csv")

    assert "<style" not in page
    assert "style=" not in page
    assert '<link rel="stylesheet" href="/console/billing/minutes.css">' in page
    assert "nth-child(11)" in minh.get("/console/billing/minutes.css")[1]
    assert "BIÊN BẢN ĐỐI SOÁT" in page
    assert "Dự thảo, chưa gửi nhà mạng" in page
    assert sheet.data.startswith(b"PK")
    assert lines.data.startswith(b"\xef\xbb\xbf")
    assert "bien-ban-doi-soat-hong-ha-2026-02.xlsx" in sheet.headers["Content-Disposition"]
    exported = [each for each in told(house) if each.get("act") == "statement-export"]
    assert [each["format"] for each in exported] == ["csv", "xlsx", "page"]
    assert {each["digest"] for each in exported} == {digest_of(house)}
    assert minh.get(f"{PAGE}/minutes/pdf")[0] == minh.get(f"{PAGE}/lists/xlsx")[0] == 404
    assert minh.get(f"/console/billing/{OTHER}/2026-02/minutes")[0] == 404


@ONE_DATABASE
def test_what_differs_is_shown_by_class_by_day_and_by_record(
    house: House, enter: Enter, tmp_path: Path
) -> None:
    theirs = [
        *OURS[60:], at(OURS[0], parts=3), at(OURS[1], amount=OURS[1].price + 5), OURS[-1],
        Record(id="=1+1", at=NOON),
    ]  # fmt: skip
    compared(house, tmp_path / "held", theirs)
    minh = enter("minh", Role.BILLING_CHECKER)
    found = results.load(Store.of(house.settings.state_dir, REAL), FEBRUARY)
    assert found is not None

    text = minh.get(f"{PAGE}/result")[1]
    first = minh.get(f"{PAGE}/result/only_ours")[1]
    then = first.partition('rel="next" href="')[2].partition('"')[0]
    second = minh.get(then)[1]
    extra = minh.get(f"{PAGE}/result/only_theirs")[1]

    assert text.count("<title>") == text.count("<desc>") + 1 == 4
    assert "Hai bên theo ngày: Số tin" in text
    assert "Tiền (đồng)" in minh.get(f"{PAGE}/result?measure=amount")[1]
    assert f'href="{PAGE}/result/doubled"' in text
    assert f'href="{PAGE}/result/edge"' not in text
    assert (first.count('data-label="Mã tin"'), second.count('data-label="Mã tin"')) == (50, 8)
    assert all(f"<code>{each.id}</code>" in first + second for each in OURS[2:60])
    assert "<code>=1+1</code>" in extra
    assert "Không có bản ghi nào" in minh.get(f"{PAGE}/result/edge")[1]
    assert minh.get(f"{PAGE}/result/only_ours?at=7")[0] == 404
    assert minh.get(f"{PAGE}/result/only_ours?at=9{'9' * 30}")[0] == 404
    assert minh.get(f"{PAGE}/result/nothing")[0] == 404
    assert minh.get(f"/console/billing/{OTHER}/2026-02/result")[0] == 404
    sheet, lines = (minh.client.get(f"{PAGE}/lists/{form}") for form in ("xlsx", "csv"))
    assert sheet.data.startswith(b"PK")
    assert lines.data.count(b"\r\n") == 1 + sum(map(sum_of(found), Kind))
    seen = [each for each in reversed(told(house)) if each.get("act") == "see-differences"]
    assert [each.get("class", each.get("format")) for each in seen] == [
        "only_ours", "only_ours", "only_theirs", "edge", "xlsx", "csv",
    ]  # fmt: skip


@ONE_DATABASE
def test_a_list_that_would_fill_the_memory_is_not_sent(
    house: House, enter: Enter, tmp_path: Path
) -> None:
    compared(house, tmp_path / "held", OURS[1:])
    store = Store.of(house.settings.state_dir, REAL)
    os.truncate(results.lists(store, FEBRUARY).sheet, LARGEST + 1)
    minh = enter("minh", Role.BILLING_CHECKER)

    large, small = minh.get(f"{PAGE}/lists/xlsx"), minh.get(f"{PAGE}/lists/csv")

    assert (large[0], small[0]) == (409, 200)
    assert "reconcile" in large[1]


def sum_of(found: results.Result) -> Callable[[Kind], int]:
    return lambda kind: sum(each.records for each in found.of(kind))


@ONE_DATABASE
def test_prices_are_listed_with_the_days_on_which_there_is_none(
    house: House, books: Books, enter: Enter
) -> None:
    books.price(
        replace(PRICE, operator=OTHER, valid_to=date(2026, 1, 31)),
        replace(PRICE, operator=OTHER, valid_from=date(2026, 4, 1), price_hundredths=60_050),
    )
    lan = enter("lan", Role.BILLING_MAKER)

    text = lan.get("/console/billing/tariffs")[1]

    assert "Không có giá từ 01/02/2026 đến hết 31/03/2026." in text
    assert "Hôm nay không có giá tin đến cho:" in text
    assert f"<b>{OTHER}, playground</b>" in text
    assert ">600,50<" in text
    assert (text.count("● đang có"), text.count("→ sắp tới"), text.count("✕ đã hết")) == (2, 1, 1)
    assert "billing tariff import tariffs.csv --officer lan" in text
