"""Laws of checkpoints and signed notes: read from exactly their bytes, and believed from known keys alone."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import (
    NOTE_MAX_BYTES,
    Checkpoint,
    NoteInvalid,
    NoteSignature,
    SignedNote,
    VerifierKey,
    VerifierKeyInvalid,
    is_signed_only_by,
    open_note,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    parse_verifier_keys,
    sign_note,
    verifier_keys_text,
)
from tests.strategies.ledger import Signer, checkpoints_of, hashes, key_names, signers

# The examples of c2sp.org/signed-note and c2sp.org/tlog-checkpoint.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()
BEHIND_THE_SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()
BODY = b"log\n1\n" + b"A" * 43 + b"=\n"

lines = st.builds(
    NoteSignature,
    name=key_names,
    key_id=st.binary(min_size=4, max_size=4),
    signature=st.binary(min_size=1, max_size=80),
)


@st.composite
def signed_notes(draw: st.DrawFn) -> tuple[Checkpoint, Signer, bytes]:
    signer = draw(signers)
    checkpoint = draw(checkpoints_of(signer.name))
    return checkpoint, signer, signer.sign(checkpoint.body())


@given(signed_notes())
def test_a_note_is_opened_with_the_key_that_signed_it(signed: tuple[Checkpoint, Signer, bytes]) -> None:
    checkpoint, signer, note = signed
    assert open_note(note, [signer.key]) == checkpoint == parse_checkpoint(checkpoint.body())
    assert is_signed_only_by(note, [signer.key])
    assert parse_note(note).encode() == note


@given(signed_notes(), signers)
def test_a_note_is_not_opened_with_another_key(
    signed: tuple[Checkpoint, Signer, bytes], other: Signer
) -> None:
    _, signer, note = signed
    assume(other.seed != signer.seed)
    for name in (other.name, signer.name):
        with pytest.raises(NoteInvalid) as refused:
            open_note(note, [replace(other, name=name).key])
        assert refused.value.reason == "note-signer-unknown"
    with pytest.raises(NoteInvalid):
        open_note(note, [])


@given(signed_notes(), st.data())
def test_no_changed_byte_of_a_note_is_taken_for_what_was_signed(
    signed: tuple[Checkpoint, Signer, bytes], data: st.DataObject
) -> None:
    _, signer, note = signed
    changed = bytearray(note)
    changed[data.draw(st.integers(0, len(note) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(NoteInvalid):
        open_note(bytes(changed), [signer.key])


@given(signed_notes(), st.data())
def test_no_cut_or_added_byte_is_taken_for_what_was_signed(
    signed: tuple[Checkpoint, Signer, bytes], data: st.DataObject
) -> None:
    _, signer, note = signed
    place = data.draw(st.integers(0, len(note)))
    length = data.draw(st.integers(0, 3))
    changed = note[:place] + data.draw(st.binary(max_size=3) | st.just(b"\n")) + note[place + length :]
    assume(changed != note)
    with pytest.raises(NoteInvalid):
        open_note(changed, [signer.key])


@given(signed_notes(), lines)
def test_lines_of_strangers_are_passed_over_but_seen(
    signed: tuple[Checkpoint, Signer, bytes], line: NoteSignature
) -> None:
    checkpoint, signer, note = signed
    assume((line.name, line.key_id) != (signer.name, signer.key.key_id))
    own = parse_note(note).signatures[0]
    for order in ((own, line), (line, own)):
        witnessed = SignedNote(text=checkpoint.body(), signatures=order).encode()
        assert open_note(witnessed, [signer.key]) == checkpoint
        assert not is_signed_only_by(witnessed, [signer.key])
    doubled = SignedNote(text=checkpoint.body(), signatures=(own, own)).encode()
    assert not is_signed_only_by(doubled, [signer.key])


@given(signed_notes(), st.binary(min_size=64, max_size=64))
def test_a_wrong_line_of_a_known_key_spoils_the_note(
    signed: tuple[Checkpoint, Signer, bytes], signature: bytes
) -> None:
    checkpoint, signer, note = signed
    own = parse_note(note).signatures[0]
    wrong = replace(own, signature=signature)
    assume(wrong != own)
    for order in ((wrong,), (own, wrong), (wrong, own)):
        with pytest.raises(NoteInvalid) as refused:
            open_note(SignedNote(text=checkpoint.body(), signatures=order).encode(), [signer.key])
        assert refused.value.reason == "note-signature-wrong"


@given(signed_notes(), signers)
def test_a_log_speaks_in_its_own_name_alone(signed: tuple[Checkpoint, Signer, bytes], other: Signer) -> None:
    checkpoint, signer, _ = signed
    assume(other.name != signer.name)
    with pytest.raises(NoteInvalid):
        open_note(other.sign(checkpoint.body()), [signer.key, other.key])


@given(signers, st.binary())
def test_a_signature_is_over_exactly_the_body(signer: Signer, other: bytes) -> None:
    signature = parse_note(signer.sign(BODY)).signatures[0].signature
    assert signer.key.has_signed(BODY, signature)
    assert other == BODY or not signer.key.has_signed(other, signature)
    assert not signer.key.has_signed(BODY, signature[:-1])


def test_the_examples_of_the_standard_are_read() -> None:
    poem = parse_note(POEM)
    assert poem.encode() == POEM
    assert poem.text.endswith("sole:\n\ned è subito sera.\n".encode())
    assert [line.name for line in poem.signatures] == ["quasimodo.example/salvatore"]
    log = parse_checkpoint(parse_note(BEHIND_THE_SOFA).text)
    assert (log.origin, log.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert log.body() == parse_note(BEHIND_THE_SOFA).text


def test_a_verifier_key_is_written_as_others_write_it() -> None:
    # golang.org/x/mod/sumdb/note: the key of its documentation.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert parse_verifier_key(text).encode() == text
    assert parse_verifier_key(text).key_id.hex() == "c74f20a3"


@given(signers)
def test_a_verifier_key_is_read_back_from_its_text(signer: Signer) -> None:
    assert parse_verifier_key(signer.key.encode()) == signer.key


@given(signers, st.data())
def test_no_changed_character_of_a_verifier_key_goes_unseen(signer: Signer, data: st.DataObject) -> None:
    text = signer.key.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.text(max_size=2)) + text[place + 1 :]
    assume(changed != text)
    with pytest.raises(VerifierKeyInvalid):
        parse_verifier_key(changed)


@given(st.lists(signers, min_size=1, max_size=4), st.sampled_from(["", "\n", "\r\n"]))
def test_the_keys_of_one_log_are_read_back_in_their_order(several: list[Signer], end: str) -> None:
    keys = tuple(replace(signer, name=several[0].name).key for signer in several)
    text = verifier_keys_text(keys)
    assert parse_verifier_keys(text) == keys
    assert parse_verifier_keys(text.removesuffix("\n") + end) == keys


@given(signers, signers)
def test_the_keys_of_two_logs_are_no_file_of_keys(one: Signer, other: Signer) -> None:
    assume(one.name != other.name)
    with pytest.raises(VerifierKeyInvalid, match="verifier-keys-of-several"):
        parse_verifier_keys(verifier_keys_text([one.key, other.key]))
    for text in ("", "\n", one.key.encode() + "\n#"):
        with pytest.raises(VerifierKeyInvalid):
            parse_verifier_keys(text)


@given(st.text() | st.text("+AQ=ab01 \ud800\n"))
def test_any_text_is_a_verifier_key_or_refused(text: str) -> None:
    with pytest.raises(VerifierKeyInvalid):
        parse_verifier_key(text)


@given(
    st.binary()
    | st.text("\n— +aA=1é\x00\r ").map(str.encode)
    | st.builds(bytes.__add__, st.just(BODY), st.binary())
)
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    with suppress(NoteInvalid):
        assert parse_note(data).encode() == data
    with suppress(NoteInvalid):
        assert parse_checkpoint(data).body() == data


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"log\n1\n",
        b"\n1\n" + BODY[6:],
        b"log\n01\n" + BODY[6:],
        b"log\n-1\n" + BODY[6:],
        BODY + b"extension\n",
        b"log\n+1\n" + BODY[6:],
        b"log\n1 \n" + BODY[6:],
        b"log\n\n" + BODY[6:],
        BODY[:-1],
        BODY + b"\n",
        b"log\n1\nAAAA\n",
        b"log\n1\n" + b"A" * 42 + b"B=\n",
        b"log\n\xd9\xa1\n" + BODY[6:],
        b"lo\x01g\n1\n" + BODY[6:],
        b"log\n" + b"9" * 19 + b"\n" + BODY[6:],
        b"log\n" + b"9" * 5_000 + b"\n" + BODY[6:],
        b"\xff\n1\n" + BODY[6:],
    ],
)
def test_bodies_that_are_almost_a_checkpoint_are_refused(body: bytes) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(body)


LINE = "— log " + "A" * 88


@pytest.mark.parametrize(
    "lines_under_it",
    [
        "",
        LINE,
        "- log AAAAAAAA\n",
        "—log AAAAAAAA\n",
        "— log  AAAAAAAA\n",
        "— lo+g AAAAAAAA\n",
        "— lo\tg AAAAAAAA\n",
        "— lo\u3000g AAAAAAAA\n",
        "— log AAAA\n",
        "— log AAAAAA==\n",
        "— log AAAAAAB=\n",
        "— log AAAAAAA\n",
        f"{LINE} \n",
        f"{LINE}\r\n",
        f"{LINE}\n\n",
        f"{LINE}\n{LINE}",
        f" {LINE}\n",
        "— log\n",
        "— lo\x01g AAAAAAAA\n",
    ],
)
def test_lines_that_are_almost_a_signature_are_refused(lines_under_it: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_note(BODY + b"\n" + lines_under_it.encode())
    assert parse_note(BODY + b"\n" + f"{LINE}\n".encode()).text == BODY


@pytest.mark.parametrize("control", ["\x00", "\t", "\r", "\x1b", "\x1f"])
def test_a_note_holds_no_control_character(control: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_note(f"an{control}other text\n\n{LINE}\n".encode())
    assert parse_note(f"another\n\ntext\n\n{LINE}\n".encode()).text == b"another\n\ntext\n"


def test_a_note_may_have_sixteen_large_signatures_and_is_not_read_without_end() -> None:
    large = NoteSignature(name="witness", key_id=bytes(4), signature=bytes(5_000))
    assert len(parse_note(SignedNote(text=BODY, signatures=(large,) * 16).encode()).signatures) == 16
    with pytest.raises(NoteInvalid):
        parse_note(SignedNote(text=b"a" * NOTE_MAX_BYTES + b"\n", signatures=(large,)).encode())


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u3000b", "a\x01b", "\ud800"])
def test_what_cannot_name_a_key_is_refused(name: str) -> None:
    with pytest.raises(VerifierKeyInvalid):
        VerifierKey(name=name, public_key=bytes(32))
    with pytest.raises(VerifierKeyInvalid):
        VerifierKey(name="name", public_key=name.encode(errors="replace"))


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 0, bytes(32)),
        ("a\nb", 0, bytes(32)),
        ("\ud800", 0, bytes(32)),
        ("a", -1, bytes(32)),
        ("a", 0, b""),
    ],
)
def test_what_cannot_be_a_checkpoint_is_refused(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(NoteInvalid):
        Checkpoint(origin=origin, size=size, root=root)


@given(hashes)
def test_a_note_is_put_together_from_a_signature_made_elsewhere(seed: bytes) -> None:
    signer = Signer("bank.example/log", seed)
    signature = parse_note(signer.sign(BODY)).signatures[0].signature
    assert sign_note(BODY, signer.key, signature) == signer.sign(BODY)
