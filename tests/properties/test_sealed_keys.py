"""Laws of the sealed key file: only its passphrase opens it, and no changed bit goes unnoticed."""

import base64
import json
import os
import stat
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.ledger.encoding import canonical_bytes
from creditbank.signing.key_file import KeyFile, create_key_file, read_key_file, warning_about
from creditbank.signing.keys import (
    Keyring,
    KeysUnavailable,
    development_keyring,
    is_origin,
    keyring_of,
    new_keyring,
)
from creditbank.signing.opening import KeySources, open_keyring
from creditbank.signing.passphrase import PassphraseUnusable, read_passphrase, require_strength
from creditbank.signing.sealed_file import SCRYPT_COST, seal, unseal
from creditbank.terms import IssuerId, Microseconds
from tests.strategies.keys import institutions, keyrings, keys, origins, passphrases

COST = 2  # scrypt's smallest: the laws are about the envelope
PASSPHRASE = "correct horse battery"
OPERATOR = IssuerId("12540300MB0000000X")
NOW = Microseconds(1_700_000_000_000_000)
KEYRING = new_keyring(origin="log.example", operator=OPERATOR, made_at=NOW)
VERSION_1 = (Path(__file__).parents[1] / "golden" / "keys-v1.sealed").read_bytes()
SEALED = seal(KEYRING, passphrase=PASSPHRASE, cost=COST)


def refuse_to_answer() -> str:
    raise AssertionError("nobody was to be asked")


def secrets_of(keyring: Keyring) -> set[bytes]:
    return {key.secret for key in keyring.keys if key.secret is not None}


# The envelope.


@given(keyrings(), passphrases)
def test_the_passphrase_opens_what_it_sealed(keyring: Keyring, passphrase: str) -> None:
    unsealed = unseal(seal(keyring, passphrase=passphrase, cost=COST), passphrase=passphrase, path="keys")
    assert (unsealed.keyring, unsealed.cost) == (keyring, COST)


@given(keyrings(), passphrases, passphrases)
def test_no_other_passphrase_opens_it(keyring: Keyring, passphrase: str, other: str) -> None:
    tried = other if other != passphrase else other + "x"
    with pytest.raises(KeysUnavailable) as refused:
        unseal(seal(keyring, passphrase=passphrase, cost=COST), passphrase=tried, path="keys")
    assert refused.value.reason == "key-file-not-opened"


@pytest.mark.parametrize("sealed", [SEALED, VERSION_1], ids=["version 2", "version 1"])
def test_no_flipped_bit_goes_unnoticed(sealed: bytes) -> None:
    for place in range(len(sealed)):
        for bit in range(8):
            damaged = bytearray(sealed)
            damaged[place] ^= 1 << bit
            with pytest.raises(KeysUnavailable):
                unseal(bytes(damaged), passphrase=PASSPHRASE, path="keys")


@given(st.integers(0, len(SEALED) - 1), st.binary(max_size=3))
def test_no_cut_or_longer_file_opens(place: int, added: bytes) -> None:
    for changed in (SEALED[:place], SEALED[:place] + added, SEALED + b"\n", SEALED[:-1] + added + b" \n"):
        if changed != SEALED:
            with pytest.raises(KeysUnavailable):
                unseal(changed, passphrase=PASSPHRASE, path="keys")


@given(st.binary() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps).map(str.encode))
def test_any_bytes_are_refused_and_nothing_worse(content: bytes) -> None:
    for tried in (content, content + b"\n"):
        with pytest.raises(KeysUnavailable):
            unseal(tried, passphrase=PASSPHRASE, path="keys")


@given(st.sampled_from(["cost", "salt", "nonce", "kdf", "cipher", "sealed"]), st.data())
def test_any_other_value_in_the_file_is_refused(member: str, data: st.DataObject) -> None:
    content = json.loads(SEALED)
    value = data.draw(
        st.none()
        | st.booleans()
        | st.integers(-(2**40), 2**40).filter(lambda n: n != COST)
        | st.text(max_size=5)
    )
    match member:
        case "cost":
            content["kdf"]["n"] = value
        case "salt":
            content["kdf"]["salt"] = value
        case "nonce":
            content["cipher"]["nonce"] = value
        case _:
            content[member] = value
    with pytest.raises(KeysUnavailable) as refused:
        unseal(canonical_bytes(content) + b"\n", passphrase=PASSPHRASE, path="keys")
    assert refused.value.reason == "key-file-not-opened"


@pytest.mark.parametrize("figure", ["n", "r", "p"])
@pytest.mark.parametrize("value", [2**30, 2**52, 0, -1])
def test_a_damaged_figure_of_scrypt_takes_neither_memory_nor_time(figure: str, value: int) -> None:
    content = json.loads(SEALED)
    content["kdf"][figure] = value
    with pytest.raises(KeysUnavailable) as refused:
        unseal(canonical_bytes(content) + b"\n", passphrase=PASSPHRASE, path="keys")
    assert refused.value.reason == "key-file-not-opened"


def test_a_newer_version_is_named() -> None:
    newer = SEALED.replace(b'"version":2', b'"version":3')
    with pytest.raises(KeysUnavailable) as refused:
        unseal(newer, passphrase=PASSPHRASE, path="keys")
    assert (refused.value.reason, refused.value.values) == ("key-file-newer", {"path": "keys", "version": 3})


@given(keyrings())
def test_two_seals_of_the_same_keys_share_nothing_secret(keyring: Keyring) -> None:
    first, second = (seal(keyring, passphrase=PASSPHRASE, cost=COST) for _ in range(2))
    assert json.loads(first)["sealed"] != json.loads(second)["sealed"]
    for secret in secrets_of(keyring):
        assert secret.hex().encode() not in first


def test_the_real_cost_is_the_recorded_one() -> None:
    assert SCRYPT_COST == 2**17
    sealed = seal(KEYRING, passphrase=PASSPHRASE)
    assert json.loads(sealed)["kdf"] | {"salt": ""} == {
        "name": "scrypt",
        "n": 131072,
        "r": 8,
        "p": 1,
        "salt": "",
    }
    assert unseal(sealed, passphrase=PASSPHRASE, path="keys").keyring == KEYRING


def test_a_file_of_version_1_opens_and_is_one_of_version_2_after_the_first_change(tmp_path: Path) -> None:
    path = tmp_path / "keys.sealed"
    path.write_bytes(VERSION_1)
    opened = read_key_file(path, passphrase=PASSPHRASE)
    assert opened.keyring == keyring_of(
        origin="bank.example/log",
        encryption_key=sha256(b"kek").digest(),
        index_key=sha256(b"index").digest(),
        checkpoint_seed=sha256(b"seed").digest(),
    )
    # What the vault of version 1 said of these keys, and the database of such a bank holds.
    assert opened.keyring.key_check.hex() == (
        "3ae997e5926024309eb0473d37f92bc251cbdc664c87b0faf942f3f201d97235"
    )
    assert path.read_bytes() == VERSION_1
    changed = opened.keyring.retire(opened.keyring.keys[0].name, at=NOW)
    opened.replaced(changed)
    assert json.loads(path.read_bytes())["version"] == 2
    assert read_key_file(path, passphrase=PASSPHRASE).keyring == changed


# The file.


def test_the_file_is_private_and_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.sealed"
    made = create_key_file(path, KEYRING, passphrase=PASSPHRASE, cost=COST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert warning_about(path) is None
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.sealed"]
    assert read_key_file(path, passphrase=PASSPHRASE) == made
    assert made == KeyFile(path=path, keyring=KEYRING, passphrase=PASSPHRASE, cost=COST)


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys.sealed"
    path.write_bytes(b"somebody's keys")
    with pytest.raises(KeysUnavailable) as refused:
        create_key_file(path, KEYRING, passphrase=PASSPHRASE, cost=COST)
    assert refused.value.reason == "key-file-exists"
    assert path.read_bytes() == b"somebody's keys"
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.sealed"]


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "keys.sealed"
    with pytest.raises(KeysUnavailable) as refused:
        create_key_file(path, KEYRING, passphrase=PASSPHRASE, cost=COST)
    assert (refused.value.reason, refused.value.values["path"]) == ("key-file-unwritable", str(path))


def test_what_is_wrong_with_a_file_is_named_with_its_path(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(SEALED[:-9] + b"\n")
    for path, reason in [
        (tmp_path / "nowhere", "key-file-missing"),
        (tmp_path, "file-is-directory"),
        (damaged / "keys.sealed", "key-file-unreadable"),
        (damaged, "key-file-not-opened"),
    ]:
        with pytest.raises(KeysUnavailable) as refused:
            read_key_file(path, passphrase=PASSPHRASE)
        assert (refused.value.reason, refused.value.values["path"]) == (reason, str(path))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_noticed(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.sealed"
    create_key_file(path, KEYRING, passphrase=PASSPHRASE, cost=COST)
    path.chmod(mode)
    warning = warning_about(path)
    assert warning is not None
    assert (warning.code, warning.values) == ("key-file-open-to-others", {"path": str(path)})


# The keys themselves.


@given(keyrings())
def test_no_key_is_in_the_printed_form(keyring: Keyring) -> None:
    shown = repr(keyring) + repr(KeyFile(path=Path("keys"), keyring=keyring, passphrase=PASSPHRASE))
    for secret in secrets_of(keyring):
        assert repr(secret) not in shown
        assert secret.hex() not in shown
    assert PASSPHRASE not in shown


@given(keys, keys, institutions)
def test_one_development_secret_gives_one_keyring_of_unrelated_keys(
    one: bytes, other: bytes, operator: IssuerId
) -> None:
    secret = base64.b64encode(one).decode()
    keyring = development_keyring(secret, operator=operator)
    derived = secrets_of(keyring)
    assert len(derived | {one}) == 5
    assert development_keyring(secret, operator=operator) == keyring
    assert development_keyring(secret).keys == keyring.keys[:-1]
    if one != other:
        different = development_keyring(base64.b64encode(other).decode(), operator=operator)
        assert derived.isdisjoint(secrets_of(different))


@given(
    st.text(max_size=60)
    | st.binary(max_size=40).filter(lambda key: len(key) != 32).map(base64.b64encode).map(bytes.decode)
)
def test_any_other_development_secret_is_refused(secret: str) -> None:
    with pytest.raises(KeysUnavailable) as refused:
        development_keyring(secret)
    assert refused.value.reason == "development-key-malformed"


@given(origins, st.sampled_from(["", "+", " ", "\n", "\t", "\u3000", "\u2028", "\x00"]), st.integers(0, 40))
def test_a_log_is_never_named_what_a_signed_note_cannot_carry(origin: str, bad: str, place: int) -> None:
    assert new_keyring(origin=origin, operator=OPERATOR, made_at=NOW).origin == origin
    named = origin[:place] + bad + origin[place:] if bad else ""
    assert not is_origin(named)
    with pytest.raises(KeysUnavailable) as refused:
        new_keyring(origin=named, operator=OPERATOR, made_at=NOW)
    assert refused.value.reason == "origin-malformed"


# Which keys, and the passphrase.


def sources(directory: Path, *, development_key: str | None = None) -> KeySources:
    return KeySources(
        key_file=directory / "keys.sealed",
        passphrase=refuse_to_answer if development_key is not None else lambda: PASSPHRASE,
        development_key=development_key,
    )


def test_no_key_no_start(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable) as refused:
        open_keyring(sources(tmp_path))
    assert refused.value.reason == "no-key"


def test_keys_come_from_the_file_or_from_the_environment_but_never_from_two_places(tmp_path: Path) -> None:
    secret = base64.b64encode(bytes(32)).decode()
    assert open_keyring(sources(tmp_path, development_key=secret)) == development_keyring(secret)
    create_key_file(tmp_path / "keys.sealed", KEYRING, passphrase=PASSPHRASE, cost=COST)
    assert open_keyring(sources(tmp_path)) == KEYRING
    with pytest.raises(KeysUnavailable) as refused:
        open_keyring(sources(tmp_path, development_key=secret))
    assert refused.value.reason == "two-keys"
    assert secret not in repr(sources(tmp_path, development_key=secret))


def refusal_of(reading: Callable[[], str]) -> str:
    with pytest.raises(PassphraseUnusable) as refused:
        reading()
    return refused.value.reason


def through_a_pipe(content: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=40),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_every_source_gives_the_same_passphrase_without_its_newline(passphrase: str, end: str) -> None:
    expected = unicodedata.normalize("NFC", passphrase)
    descriptor = through_a_pipe((passphrase + end).encode())
    assert read_passphrase(fd=descriptor) == expected
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert read_passphrase(prompt=lambda: passphrase + end) == expected
    assert read_passphrase(prompt=lambda: unicodedata.normalize("NFD", passphrase)) == expected


def test_a_file_is_read_before_anybody_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text(" two  words \n\n", "utf-8")
    assert read_passphrase(file=path, prompt=refuse_to_answer) == " two  words \n"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 4097])
def test_a_passphrase_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    descriptor = through_a_pipe(content)
    typed = content.decode(errors="surrogateescape")
    assert {
        refusal_of(lambda: read_passphrase(file=path)),
        refusal_of(lambda: read_passphrase(fd=descriptor)),
        refusal_of(lambda: read_passphrase(prompt=lambda: typed)),
    } == {"passphrase-malformed"}


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    closed = through_a_pipe(b"")
    os.close(closed)
    assert refusal_of(lambda: read_passphrase(file=tmp_path)) == "file-is-directory"
    assert refusal_of(lambda: read_passphrase(file=tmp_path / "nowhere")) == "passphrase-unreadable"
    assert refusal_of(lambda: read_passphrase(fd=closed)) == "passphrase-unreadable"
    assert refusal_of(read_passphrase) == "passphrase-missing"


@given(st.text(max_size=11))
def test_a_short_passphrase_seals_nothing(passphrase: str) -> None:
    require_strength(passphrase + "x" * 12)
    with pytest.raises(PassphraseUnusable) as refused:
        require_strength(passphrase)
    assert refused.value.reason == "passphrase-too-short"
