"""Records that Hypothesis draws."""

import unicodedata
from datetime import date

from hypothesis import strategies as st

from core.phone import Msisdn
from records.personal_id import PersonalId, Sex
from records.provinces import NEW, OLD
from records.register import Record, Status

_NAMES = sorted({province.name for province in (*OLD.values(), *NEW.values())})


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


_characters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
texts = (
    st.text(_characters, min_size=1, max_size=100)
    .map(_composed)
    .filter(lambda text: 0 < len(text) <= 100)
)
days = st.dates(min_value=date(1800, 1, 1), max_value=date(2026, 3, 1))
provinces = st.sampled_from(_NAMES)

records = st.builds(
    Record,
    personal_id=st.from_regex(r"[0-9]{12}", fullmatch=True).map(PersonalId),
    full_name=texts,
    sex=st.sampled_from(Sex),
    date_of_birth=days,
    phone=st.none() | st.integers(0, 9_999_999).map(lambda n: Msisdn(f"+8491{n:07}")),
    phone_verified_on=st.none() | days,
    commune=texts,
    province=provinces,
    card_issued_on=st.none() | days,
    card_expires_on=st.none() | st.dates(),
    status=st.sampled_from(Status),
    current_commune=st.none() | texts,
    current_province=st.none() | provinces,
    is_test=st.booleans(),
)
