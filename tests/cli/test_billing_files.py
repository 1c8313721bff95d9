import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from billing import tariffs, usage
from billing.drafts import Account
from billing.reconciliation.store import Store
from billing.tables import STATEMENT, TARIFF, USAGE
from billing.usage import Direction, Usage
from cli.billing_reconcile import _still_there
from cli.context import Service
from cli.exits import DIFFERENT, NOT_ALLOWED, UsageFault
from cli.exits import USAGE as WRONG_USE
from console.access.roles import Role
from core.ids import uuid7
from journal import acts
from tests.billing.books import Books
from tests.billing.months import MAPPING, NOON, OCTOBER, OLD, Record, cells, csv_of, held
from tests.billing.tampering import loosen, rewrite
from tests.cli.deployment import Deployment
from tests.cli.officers import enrolled

OURS = [Record(id=f"op-{n}", at=NOON + timedelta(minutes=n), parts=1 + n % 2) for n in range(12)]
# A telephone, which an operator's file may have and ours never.
CALLER = "84912345678"


def content(records: Iterable[Record]) -> bytes:
    header = ("MSG_ID", "DIR", "SUBMIT_TIME", "PARTS", "DCS", "STATUS", "AMOUNT", "SHORT_CODE")
    return csv_of(([*cells(each), CALLER] for each in records), [*header, "MSISDN"])


def carry(deployment: Deployment, code: str, records: Iterable[Record], **changes: object) -> None:
    link = deployment.link(code)
    rows = [
        Usage(
            message_id=uuid7(),
            link_id=link.id,
            direction=Direction(each.direction),
            operator_message_id=each.id,
            segments=each.parts,
            encoding="gsm7",
            at=each.at,
            status="answered",
            reply_class=None,
            is_test=False,
        )
        for each in records
    ]
    deployment.database.write(lambda s: usage.record(s, rows))


@pytest.fixture
def billing(deployment: Deployment) -> Deployment:
    """A deployment with an operator that has carried a month, its price, and its mapping."""
    return carried(deployment)


@pytest.fixture
def one_billing(embedded: Deployment) -> Deployment:
    """The same on SQLite, for what has nothing to do with the kind of database."""
    return carried(embedded)


def carried(deployment: Deployment) -> Deployment:
    deployment.add_http("vina")
    deployment.database.write(lambda s: tariffs.set_price(s, "vina", date(2026, 1, 1), OLD))
    carry(deployment, "vina", OURS)
    mapping = deployment.home / "mapping.toml"
    mapping.write_text(MAPPING)
    words = ("mapping", "set", str(mapping), "--operator", "vina", "--officer", "thu")
    typed = enrolled(deployment, "thu", Role.BILLING_MAKER).pop()
    assert deployment.run("billing", *words, typed=typed).exit_code == 0
    return deployment


def send(deployment: Deployment) -> None:
    with closing(Service(dict(deployment.environ))) as service:
        account = Account("vina", frozenset({deployment.link("vina").id}))
        books = Books(deployment.database, account, service.journal, service.keyring)
        books.open()
        books.send()


def told(deployment: Deployment, act: str) -> list[tuple[str | None, Mapping[str, Any]]]:
    """Return what the entries of an act tell, the newest first."""
    with closing(Service(dict(deployment.environ))) as service:
        page = deployment.database.read(lambda s: acts.page(s, service.keyring, 50))
    opened = [each.act for each in page if each.act is not None]
    return [(each.actor, each.payload) for each in opened if each.payload.get("act") == act]


def standing(deployment: Deployment, *names: str) -> tuple[object, ...]:
    columns = [STATEMENT.c[name] for name in names]
    return tuple(deployment.database.read(lambda s: s.execute(sa.select(*columns)).one()))


def file_of(deployment: Deployment, records: Iterable[Record], name: str = "cdr.csv") -> str:
    path = deployment.home / name
    path.write_bytes(content(records))
    return str(path)


def kept(deployment: Deployment) -> list[str]:
    folder = deployment.home / "billing" / "vina" / str(OCTOBER)
    return sorted(path.suffix for path in folder.glob("*.*"))


def test_a_month_that_agrees_is_imported_once_and_ends_0(billing: Deployment) -> None:
    file, acts = file_of(billing, OURS), billing.acts()

    first = billing.read("billing", "import", "2026-10", file, "--operator", "vina")
    again = billing.read("billing", "import", "2026-10", file, "--operator", "vina")

    assert first == again
    assert (first["records"], first["amount_hundredths"]) == (12, sum(each.price for each in OURS))
    assert kept(billing) == [".json", ".parquet"]
    assert billing.acts() == acts + 1
    told = billing.read("billing", "reconcile", "2026-10", "--operator", "vina")
    assert (told["verdict"], told["ours"], told["differences"]) == ("same", told["theirs"], [])


def test_a_month_that_differs_ends_4_and_lists_every_record(billing: Deployment) -> None:
    theirs = [*OURS[1:], OURS[1], Record(id="extra", at=NOON)]
    file = file_of(billing, theirs)
    billing.do("billing", "import", "2026-10", file, "--operator", "vina")

    done = billing.run("billing", "reconcile", "2026-10", "--operator", "vina", "--json")

    assert done.exit_code == DIFFERENT
    told = json.loads(done.stdout)
    assert told["verdict"] == "different"
    found = {name: count for name, count in told["classes"].items() if count}
    assert found == {"only_ours": 1, "only_theirs": 1, "doubled": 1}
    sheet, lists = map(Path, told["lists"])
    rows = list(csv.reader(io.StringIO(lists.read_text("utf-8-sig")), delimiter=";"))
    assert sorted(row[2] for row in rows[1:]) == sorted(["op-0", "extra", "op-1"])
    assert sheet.stat().st_size > 0
    assert not list((billing.home / "billing" / ".scratch").iterdir())


def test_nobodys_number_is_kept_or_told(billing: Deployment) -> None:
    billing.do("billing", "import", "2026-10", file_of(billing, OURS[1:]), "--operator", "vina")

    billing.run("billing", "reconcile", "2026-10", "--operator", "vina")

    written = [path for path in (billing.home / "billing").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if CALLER.encode() in path.read_bytes()]


def test_a_file_takes_the_place_of_another(billing: Deployment) -> None:
    words = ("--operator", "vina")
    wrong = billing.read("billing", "import", "2026-10", file_of(billing, OURS[1:]), *words)

    billing.do("billing", "import", "2026-10", file_of(billing, OURS, "new.csv"), *words,
               "--instead-of", wrong["digest"][:8])  # fmt: skip

    assert kept(billing) == [".json", ".parquet"]
    assert billing.read("billing", "reconcile", "2026-10", *words)["verdict"] == "same"


def test_a_refused_file_leaves_nothing(billing: Deployment) -> None:
    file, acts = file_of(billing, OURS), billing.acts()
    words = ("billing", "import", "2026-09", file, "--operator", "vina")

    said = billing.refused(*words, code=WRONG_USE)

    assert "it is the file of 2026-10, not of 2026-09" in said
    assert (kept(billing), billing.acts()) == ([], acts)
    assert CALLER not in said


def test_another_operators_records_are_refused(billing: Deployment) -> None:
    billing.add_http("viettel")
    other = [Record(id=f"vt-{n}", at=NOON) for n in range(5)]
    carry(billing, "viettel", other)

    said = billing.refused(
        "billing", "import", "2026-10", file_of(billing, other), "--operator", "vina"
    )

    assert "its records are those of viettel, not of vina" in said


def test_a_signed_month_takes_no_file(billing: Deployment) -> None:
    values = {
        "operator": "vina", "period": "2026-10", "state": "signed", "digest": "0" * 64,
        "net_hundredths": 0, "opened_by": "lan", "opened_at": NOON,
    }  # fmt: skip
    billing.database.write(lambda s: s.execute(sa.insert(STATEMENT).values(values)))

    said = billing.refused(
        "billing", "import", "2026-10", file_of(billing, OURS), "--operator", "vina",
        code=NOT_ALLOWED,
    )  # fmt: skip

    assert "is signed" in said


def test_an_officer_has_the_result_noted_on_the_statement_once(billing: Deployment) -> None:
    send(billing)
    words, typed = ("2026-10", "--operator", "vina"), enrolled(billing, "lan", Role.BILLING_MAKER)

    def noted(file: str, *options: str) -> tuple[object, ...]:
        billing.do("billing", "import", words[0], file, *words[1:], *options)
        acts = billing.acts()
        for _ in range(2):
            billing.run("billing", "reconcile", *words, "--officer", "lan", typed=typed.pop())
        names = ("state", "file_digest", "difference_hundredths")
        return *standing(billing, *names), billing.acts() - acts

    short = hashlib.sha256(content(OURS[1:])).hexdigest()
    whole = hashlib.sha256(content(OURS)).hexdigest()

    different = noted(file_of(billing, OURS[1:]))
    matched = noted(file_of(billing, OURS, "all.csv"), "--instead-of", short)

    assert different == ("different", short, -OURS[0].price, 1)
    assert matched == ("matched", whole, 0, 1)


def test_what_was_sent_does_not_match_once_usage_is_more(billing: Deployment) -> None:
    send(billing)
    late = [*OURS, Record(id="op-late", at=NOON)]
    carry(billing, "vina", late[-1:])
    billing.do("billing", "import", "2026-10", file_of(billing, late), "--operator", "vina")
    typed = enrolled(billing, "lan", Role.BILLING_MAKER)

    def noted() -> tuple[str, object]:
        words = ("reconcile", "2026-10", "--operator", "vina", "--officer", "lan")
        done = billing.run("billing", *words, typed=typed.pop())
        return done.stderr, standing(billing, "state", "difference_hundredths")

    first, before = noted()
    send(billing)
    again, after = noted()

    assert "make the draft anew" in first
    assert "make the draft anew" not in again
    assert (before, after) == (("different", late[-1].price), ("matched", 0))


def test_what_was_changed_with_its_digest_is_noted_as_different(one_billing: Deployment) -> None:
    send(one_billing)
    one_billing.do("billing", "import", "2026-10", file_of(one_billing, OURS), "--operator", "vina")
    one_billing.database.write(lambda s: rewrite(s, "vina", OCTOBER))
    typed = enrolled(one_billing, "lan", Role.BILLING_MAKER)
    words = ("reconcile", "2026-10", "--operator", "vina", "--officer", "lan")

    done = one_billing.run("billing", *words, typed=typed.pop())

    assert "its lines are not those that were sent" in done.stderr
    assert standing(one_billing, "state") == ("different",)


def test_another_file_has_a_matched_month_compared_again(billing: Deployment) -> None:
    send(billing)
    maker = enrolled(billing, "lan", Role.BILLING_MAKER)
    checker = enrolled(billing, "minh", Role.BILLING_CHECKER)
    words = ("2026-10", "--operator", "vina")
    first = billing.read("billing", "import", words[0], file_of(billing, OURS), *words[1:])
    billing.run("billing", "reconcile", *words, "--officer", "lan", typed=maker.pop())
    assert standing(billing, "state") == ("matched",)

    other = file_of(billing, OURS[1:], "other.csv")
    swapped = billing.run("billing", "import", words[0], other, *words[1:],
                          "--instead-of", first["digest"][:8])  # fmt: skip
    closed = billing.run("billing", "close", *words, "--officer", "minh", typed=checker.pop())

    assert (swapped.exit_code, "compare it again" in swapped.stderr) == (0, True)
    assert standing(billing, "state", "file_digest", "reconciled_by") == ("sent", None, None)
    assert (closed.exit_code, "once compared" in closed.stderr) == (NOT_ALLOWED, True)
    (actor, entry), _ = told(billing, "cdr-import")
    assert str(actor).startswith("console:")
    assert (entry["outdates"], entry["instead_of"]) == ("matched", first["digest"])
    again = billing.run("billing", "reconcile", *words, "--officer", "lan", typed=maker.pop())
    assert (again.exit_code, standing(billing, "state")) == (DIFFERENT, ("different",))


def test_a_file_that_is_there_can_take_the_place_of_another(one_billing: Deployment) -> None:
    words = ("--operator", "vina")
    right = file_of(one_billing, OURS, "right.csv")
    wrong = one_billing.read("billing", "import", "2026-10", file_of(one_billing, OURS[1:]), *words)
    one_billing.do("billing", "import", "2026-10", right, *words)

    one_billing.do("billing", "import", "2026-10", right, *words, "--instead-of", wrong["digest"])

    assert kept(one_billing) == [".json", ".parquet"]
    assert one_billing.read("billing", "reconcile", "2026-10", *words)["verdict"] == "same"


def test_officers_answer_for_mapping_and_file_and_entries_hold_their_digests(
    billing: Deployment,
) -> None:
    send(billing)
    typed = enrolled(billing, "lan", Role.BILLING_MAKER)
    words, lan = ("--operator", "vina"), ("--officer", "lan")
    mapping = hashlib.sha256(MAPPING.encode()).hexdigest()
    file = hashlib.sha256(content(OURS)).hexdigest()

    done = [
        billing.run("billing", *verb, *words, *lan, typed=typed.pop())
        for verb in (("import", "2026-10", file_of(billing, OURS)), ("reconcile", "2026-10"))
    ]

    assert [each.exit_code for each in done] == [0, 0]
    assert told(billing, "cdr-mapping") == [
        ("officer:thu", {"act": "cdr-mapping", "operator": "vina", "digest": mapping})
    ]
    ((actor, entry),) = told(billing, "cdr-import")
    assert (actor, entry["digest"], entry["mapping_digest"]) == ("officer:lan", file, mapping)
    ((actor, entry),) = told(billing, "statement-reconciled")
    assert (actor, entry["files"], entry["mapping_digest"]) == ("officer:lan", [file], mapping)


def test_only_a_maker_sets_a_mapping_or_answers_for_a_file(one_billing: Deployment) -> None:
    typed = enrolled(one_billing, "minh", Role.BILLING_CHECKER)
    other = one_billing.file(MAPPING + "amount_hundredths = 9999\n")
    words, minh = ("--operator", "vina"), ("--officer", "minh")
    acts = one_billing.acts()

    refused = [
        one_billing.run("billing", *verb, *words, *minh, typed=typed.pop())
        for verb in (("mapping", "set", other), ("import", "2026-10", file_of(one_billing, OURS)))
    ]

    assert [each.exit_code for each in refused] == [NOT_ALLOWED] * 2
    assert all("no right to take in" in each.stderr for each in refused)
    assert "--officer" in one_billing.refused("billing", "mapping", "set", other, *words)
    assert (kept(one_billing), one_billing.acts()) == ([], acts)
    assert one_billing.do("billing", "mapping", "show", *words) == MAPPING


def test_what_was_imported_meanwhile_is_not_noted_as_compared(one_billing: Deployment) -> None:
    one_billing.do("billing", "import", "2026-10", file_of(one_billing, OURS), "--operator", "vina")
    with held(one_billing.home / "held", OURS, OURS) as found:
        others = found.summary

    with (
        closing(Service(dict(one_billing.environ))) as service,
        pytest.raises(UsageFault, match="compare once more"),
        _still_there(service, others),
    ):
        pass


def test_another_mapping_has_what_was_matched_by_the_one_before_compared_again(
    one_billing: Deployment,
) -> None:
    send(one_billing)
    typed = enrolled(one_billing, "lan", Role.BILLING_MAKER)
    words, lan = ("--operator", "vina"), ("--officer", "lan")
    loose = MAPPING + 'measure = "parts"\nshare_percent = "50"\n'
    Store.of(one_billing.home, "vina").set_mapping(loose)
    one_billing.do("billing", "import", "2026-10", file_of(one_billing, OURS[1:]), *words)

    def run(*verb: str) -> tuple[str, tuple[object, ...]]:
        done = one_billing.run("billing", *verb, *words, *lan, typed=typed.pop())
        return done.stderr, standing(one_billing, "state", "reconciled_by")

    _, matched = run("reconcile", "2026-10")
    said, outdated = run("mapping", "set", one_billing.file(MAPPING))
    _, different = run("reconcile", "2026-10")

    assert matched == ("matched", "officer:lan")
    assert outdated == ("sent", None)
    assert different == ("different", "officer:lan")
    assert "2026-10 was compared by another" in said
    (_, entry), *_ = told(one_billing, "cdr-mapping")
    assert entry["outdates"] == ["2026-10"]


@pytest.mark.parametrize("instead_of_itself", [False, True])
def test_a_file_is_read_anew_once_the_mapping_was_put_right(
    one_billing: Deployment, *, instead_of_itself: bool
) -> None:
    theirs = [*OURS[1:], replace(OURS[0], status="ACCEPTD")]
    words, file = ("--operator", "vina"), file_of(one_billing, theirs)
    digest = hashlib.sha256(content(theirs)).hexdigest()
    wrong = MAPPING.replace(', "ACCEPTD"]', "]").replace('["REJECTD"]', '["REJECTD", "ACCEPTD"]')
    Store.of(one_billing.home, "vina").set_mapping(wrong)
    first = one_billing.read("billing", "import", "2026-10", file, *words)
    Store.of(one_billing.home, "vina").set_mapping(MAPPING)

    refused = one_billing.refused("billing", "reconcile", "2026-10", *words, code=NOT_ALLOWED)
    options = ("--instead-of", digest[:8]) if instead_of_itself else ()
    anew = one_billing.read("billing", "import", "2026-10", file, *words, *options)

    assert (first["digest"], first["carried"]) == (digest, 11)
    assert f"read by another mapping, {digest[:8]} for one" in refused
    assert (anew["digest"], anew["carried"]) == (digest, 12)
    assert kept(one_billing) == [".json", ".parquet"]
    assert one_billing.read("billing", "reconcile", "2026-10", *words)["verdict"] == "same"
    by = [entry["mapping_digest"] for _, entry in told(one_billing, "cdr-import")]
    assert by == [hashlib.sha256(each.encode()).hexdigest() for each in (MAPPING, wrong)]


def test_what_was_compared_by_another_mapping_is_not_noted(one_billing: Deployment) -> None:
    one_billing.do("billing", "import", "2026-10", file_of(one_billing, OURS), "--operator", "vina")
    digest = hashlib.sha256(content(OURS)).hexdigest()
    with held(one_billing.home / "held", OURS, OURS) as found:
        by_another = replace(found.summary, files=(digest,), mapping="0" * 64)
        same = replace(by_another, mapping=hashlib.sha256(MAPPING.encode()).hexdigest())

    with closing(Service(dict(one_billing.environ))) as service:
        with _still_there(service, same):
            pass
        with (
            pytest.raises(UsageFault, match="compare once more"),
            _still_there(service, by_another),
        ):
            pass


def test_check_says_what_import_would_and_keeps_nothing(billing: Deployment) -> None:
    right, wrong = file_of(billing, OURS), billing.home / "wrong.csv"
    wrong.write_bytes(content(OURS).replace(b"350.00", b"350.001", 1))

    good = billing.read("billing", "check", right, "--operator", "vina")
    bad = billing.run("billing", "check", str(wrong), "--operator", "vina", "--json")

    assert (good["ok"], good["records"]) == (True, 12)
    assert bad.exit_code == WRONG_USE
    assert json.loads(bad.stdout)["faults"][0]["line"] == 2
    assert kept(billing) == []


def test_a_month_with_nothing_to_compare_ends_5(billing: Deployment) -> None:
    said = billing.refused(
        "billing", "reconcile", "2026-10", "--operator", "vina", code=NOT_ALLOWED
    )

    assert "no file of vina for 2026-10" in said


def test_a_record_without_a_price_is_said(billing: Deployment) -> None:
    billing.do("billing", "import", "2026-10", file_of(billing, OURS), "--operator", "vina")
    later = {"valid_from": date(2026, 10, 20)}
    billing.database.write(lambda s: s.execute(sa.update(TARIFF).values(later)))

    said = billing.refused(
        "billing", "reconcile", "2026-10", "--operator", "vina", code=NOT_ALLOWED
    )

    assert "no price is in force for mo on 2026-10-10" in said


def test_test_traffic_is_not_compared(billing: Deployment) -> None:
    billing.do("billing", "import", "2026-10", file_of(billing, OURS[1:]), "--operator", "vina")
    marked = sa.update(USAGE).where(USAGE.c.operator_message_id == "op-0").values(is_test=True)
    billing.database.write(loosen)
    billing.database.write(lambda s: s.execute(marked))

    assert (
        billing.read("billing", "reconcile", "2026-10", "--operator", "vina")["verdict"] == "same"
    )


def test_a_mapping_that_is_none_is_refused_with_all_its_faults(embedded: Deployment) -> None:
    embedded.add_http("vina")
    file = embedded.file('[columns]\nid = "A"\n[time]\nformat = "?"\n[fee]\n')

    words = ("--operator", "vina", "--officer", "lan")
    said = embedded.refused("billing", "mapping", "set", file, *words)

    for fault in ("direction is missing", "at is missing", "one of strptime", "[fee] is not known"):
        assert fault in said
