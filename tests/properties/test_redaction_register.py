"""The register of redactions comes back as it was written, and nothing else is taken for one."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.account.redaction import RedactionNamed
from creditbank.cli.files import FileUnusable
from creditbank.cli.register import enter, read_register
from creditbank.documents.redaction_register import RegisterInvalid, parse_register, register_bytes
from creditbank.identity.account_number import RANDOM_BYTES, account_number_of
from creditbank.terms import Microseconds
from tests.strategies.ledger import hashes

accounts = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES).map(account_number_of)
redactions = st.builds(
    RedactionNamed,
    account=accounts,
    seq=st.integers(0, 999_999),
    redacted_at=st.integers(0, 2**53 - 1).map(Microseconds),
    ground=st.text(st.characters(codec="utf-8"), max_size=20),
    leaf_hash=hashes,
)
registers = st.lists(redactions, max_size=5)


@given(registers)
def test_a_register_is_read_back_as_it_was_written(named: list[RedactionNamed]) -> None:
    assert parse_register(register_bytes(named)) == tuple(named)


@given(st.binary() | registers.map(register_bytes).map(lambda content: content[:-1] + b" "))
def test_whatever_the_bytes_a_register_is_read_or_refused(content: bytes) -> None:
    with suppress(RegisterInvalid):
        assert register_bytes(parse_register(content)) == content


@given(st.lists(redactions, min_size=1, max_size=3), st.data())
def test_a_register_that_was_changed_is_refused_or_says_something_else(
    named: list[RedactionNamed], data: st.DataObject
) -> None:
    content = bytearray(register_bytes(named))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(RegisterInvalid):
        assert parse_register(bytes(content)) != tuple(named)


@given(st.lists(redactions, max_size=5, unique=True), st.lists(redactions, max_size=5, unique=True))
def test_what_is_entered_stands_once_and_what_stood_there_stays(
    first: list[RedactionNamed], second: list[RedactionNamed]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "register"
        assert read_register(path) == ()
        for named in (first, second, first):
            enter(path, named)
        assert read_register(path) == tuple(dict.fromkeys([*first, *second]))


def test_a_register_that_is_none_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "register"
    path.write_bytes(b"something else\n")
    with pytest.raises(RegisterInvalid, match="register-line"):
        enter(path, [])
    assert path.read_bytes() == b"something else\n"
    with pytest.raises(FileUnusable, match="file-is-directory"):
        read_register(tmp_path)
