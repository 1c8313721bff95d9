import hashlib

from hypothesis import given
from hypothesis import strategies as st

from journal import receipts

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
hashes = st.binary(min_size=32, max_size=32)


def test_a_receipt_is_the_first_bits_of_a_hash_and_a_check_symbol() -> None:
    bits = f"{int(hashlib.sha256(b'receipt/1' + bytes([10]) + bytes(32)).hexdigest(), 16):0256b}"
    symbols = [int(bits[start : start + 5], 2) for start in range(0, 75, 5)]

    receipt = receipts.receipt_of(bytes(32))

    told = [ALPHABET.index(symbol) for symbol in receipt.replace("-", "")]
    weighed = [value * (1 + place % 2) for place, value in enumerate(reversed(told))]
    assert receipt == "6XWY-2WXN-B8G1-58GX"
    assert told[:15] == symbols
    assert sum(value // 32 + value % 32 for value in weighed) % 32 == 0
    assert receipts.code_of(receipt) == "6XWY2W"


@given(hashes)
def test_a_receipt_reads_back_however_it_is_typed(leaf_hash: bytes) -> None:
    receipt = receipts.receipt_of(leaf_hash)

    assert receipts.read(receipt) == receipt
    assert receipts.read(receipt.lower().replace("-", " ")) == receipt
    assert receipts.read(receipt.replace("1", "l").replace("0", "o")) == receipt


@given(hashes, st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_symbol_is_found(leaf_hash: bytes, place: int, symbol: str) -> None:
    symbols = receipts.receipt_of(leaf_hash).replace("-", "")
    mistyped = symbols[:place] + symbol + symbols[place + 1 :]

    assert (receipts.read(mistyped) is not None) is (mistyped == symbols)


@given(st.text())
def test_every_text_is_a_receipt_or_none(text: str) -> None:
    assert receipts.read(text) is None or len(text) >= 16


@given(hashes)
def test_a_receipt_and_its_code_lead_to_the_number_that_finds_the_entry(leaf_hash: bytes) -> None:
    receipt, number = receipts.receipt_of(leaf_hash), receipts.number_of(leaf_hash)

    first, last = receipts.numbers_of(receipts.code_of(receipt))
    assert receipts.numbers_of(receipt) == (number, number)
    assert first <= number <= last
    assert last - first == 2**30 - 1
    assert 0 <= number < 2**60, "what a column of 64 bits holds"


@given(hashes)
def test_a_code_reads_back_however_it_is_typed(leaf_hash: bytes) -> None:
    code = receipts.code_of(receipts.receipt_of(leaf_hash))

    assert receipts.read_code(code.lower()) == code
    assert receipts.read_code(f"{code[:3]} {code[3:]}".replace("0", "o").replace("1", "i")) == code


@given(st.text())
def test_every_text_is_a_code_or_none(text: str) -> None:
    code = receipts.read_code(text)

    assert code is None or (len(code) == 6 and set(code) <= set(ALPHABET))


@given(st.integers(0, 2**35 - 1), st.integers(0, 7), st.sampled_from(ALPHABET))
def test_a_number_with_a_check_symbol_reads_back_and_finds_one_wrong_symbol(
    value: int, place: int, symbol: str
) -> None:
    written = receipts.checked(value, 7)
    symbols = written.replace("-", "")
    mistyped = symbols[:place] + symbol + symbols[place + 1 :]

    assert receipts.read_checked(written.lower(), 8) == written
    assert (receipts.read_checked(mistyped, 8) is not None) is (mistyped == symbols)
