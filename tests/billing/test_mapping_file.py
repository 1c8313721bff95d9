from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.reconciliation import mapping_file
from billing.reconciliation.errors import MappingError
from billing.reconciliation.mapping import Basis, Measure, Trailer
from tests.billing.months import MAPPING, TRAILER


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(MappingError) as refused:
        mapping_file.parse(text)
    return refused.value.faults


def test_a_mapping_is_read_whole() -> None:
    more = 'share_percent = "0.5"\nbasis = "mean"\nmeasure = "parts"\n'

    found = mapping_file.parse(MAPPING + more + TRAILER)

    assert found.time.zone == timedelta(hours=7)
    assert found.directions == {"MO": "mo", "MT": "mt"}
    assert found.statuses == {"DELIVRD": True, "ACCEPTD": True, "REJECTD": False}
    assert found.trailer == Trailer("TRAILER", 2, 3, 4)
    tolerance = found.tolerance
    assert (tolerance.share, tolerance.basis, tolerance.measure) == (
        Fraction(1, 200),
        Basis.MEAN,
        Measure.PARTS,
    )
    assert (tolerance.edge, tolerance.late) == (timedelta(seconds=5), timedelta(days=1))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('parts = "PARTS"', "", "needs one of parts"),
        ('parts = "PARTS"', 'parts = "PARTS"\npart = "NO"', "needs one of parts"),
        ('parts = "PARTS"', 'parts = "MSG_ID"', "names a column twice"),
        ('status = "STATUS"', "", "status and [statuses] go together"),
        ('zone = "+07:00"', "", "zone is needed"),
        ('zone = "+07:00"', 'zone = "Asia/Ho_Chi_Minh"', "zone must be an offset"),
        ("%Y-%m-%d", "%Q", "format must be"),
        ('mo = ["MO"]', 'mo = ["MT"]', "gives one word two meanings"),
        ('mo = ["MO"]', 'mo = "MO"', "mo must be a list of words"),
        ("edge_seconds = 5", "edge_seconds = 5.5", "edge_seconds must be a whole number"),
        ("edge_seconds = 5", "share_percent = 1.0", "share_percent must be a quoted decimal"),
        ("edge_seconds = 5", 'basis = "them"', "basis must be one of ours, theirs, mean"),
        ("[expect]", "[expected]", "[expected] is not known"),
        ("[columns]", "[columns]\nphone = 'MSISDN'", "[columns] phone is not known"),
        ("[columns]", "[columns", "it is not TOML"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_named(old: str, new: str, fault: str) -> None:
    assert MAPPING.count(old) == 1

    assert fault in "\n".join(faults(MAPPING.replace(old, new)))


@given(st.text())
def test_every_text_is_a_mapping_or_refused(text: str) -> None:
    with pytest.raises(MappingError):
        mapping_file.parse(text)
