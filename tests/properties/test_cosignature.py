"""Laws of cosignatures: a witness's line says what it signed and when, and no changed bit of it passes."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbank.ledger.checkpoint import (
    Checkpoint,
    NoteInvalid,
    NoteSignature,
    SignedNote,
    VerifierKeyInvalid,
    key_lines,
    open_note,
    parse_note,
    parse_verifier_key,
)
from creditbank.ledger.cosignature import (
    Cosignature,
    WitnessKey,
    cosignatures_in,
    cosigned_text,
    parse_witness_key,
    with_cosignatures,
)
from tests.strategies.ledger import Signer, Witness, checkpoints_of, cosigning_times, signers, witnesses

LOG = Signer("bank.example/log", bytes(32))
BODY = Checkpoint(origin=LOG.name, size=7, root=bytes(32)).body()

# C2SP tlog-cosignature's own example, and the key of a witness of the public network.
COSIGNED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 \
jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
""".encode()
PUBLIC_WITNESS = "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G"


def test_the_example_of_the_standard_is_laid_out_as_the_standard_says() -> None:
    line = parse_note(COSIGNED).signatures[1]
    key = WitnessKey(name=line.name, public_key=bytes(32))
    cosignature = Cosignature(
        witness=key,
        cosigned_at=int.from_bytes(line.signature[:8], "big"),
        signature=line.signature[8:],
    )
    assert cosignature.cosigned_at == 1_679_315_147
    assert cosignature.instant == datetime(2023, 3, 20, 12, 25, 47, tzinfo=UTC)
    assert cosignature.line().signature == line.signature
    assert cosigned_text(parse_note(COSIGNED).text, 1_679_315_147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_key_of_a_public_witness_is_read_and_written_as_others_write_it() -> None:
    key = parse_witness_key(PUBLIC_WITNESS)
    assert (key.name, key.key_id.hex()) == ("witness.navigli.sunlight.geomys.org", "a3e00fe2")
    assert key.encode() == PUBLIC_WITNESS


@given(signers, witnesses)
def test_a_key_signs_as_a_log_or_as_a_witness_and_not_both(signer: Signer, witness: Witness) -> None:
    assert parse_witness_key(witness.key.encode()) == witness.key
    with pytest.raises(VerifierKeyInvalid, match="verifier-key-algorithm"):
        parse_witness_key(signer.key.encode())
    with pytest.raises(VerifierKeyInvalid, match="verifier-key-algorithm"):
        parse_verifier_key(witness.key.encode())


@given(st.lists(witnesses, max_size=4, unique_by=lambda each: (each.name, each.seed)), st.data())
def test_what_witnesses_put_under_a_note_is_read_back_from_it(
    several: list[Witness], data: st.DataObject
) -> None:
    checkpoint = data.draw(checkpoints_of(LOG.name))
    given_lines = tuple(each.cosign(checkpoint.body(), at=data.draw(cosigning_times)) for each in several)
    note = with_cosignatures(LOG.sign(checkpoint.body()), given_lines)
    known = [each.key for each in several if data.draw(st.booleans())]
    assert open_note(note, [LOG.key]) == checkpoint
    found = cosignatures_in(parse_note(note), known)
    assert found == tuple(each for each in given_lines if each.witness in known)


@given(witnesses, cosigning_times, st.data())
def test_no_changed_bit_of_a_cosignature_or_of_what_it_is_under_passes(
    witness: Witness, at: int, data: st.DataObject
) -> None:
    line = witness.cosign(BODY, at=at).line()
    which = data.draw(st.sampled_from(["text", "signature"]))
    changed = bytearray(BODY if which == "text" else line.signature)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    text = bytes(changed) if which == "text" else BODY
    signature = bytes(changed) if which == "signature" else line.signature
    forged = NoteSignature(name=line.name, key_id=line.key_id, signature=signature)
    with pytest.raises(NoteInvalid, match="cosignature-"):
        cosignatures_in(SignedNote(text=text, signatures=(forged,)), [witness.key])


@given(witnesses, cosigning_times, cosigning_times)
def test_a_cosignature_counts_for_its_own_time_alone(witness: Witness, at: int, other: int) -> None:
    assume(at != other)
    moved = Cosignature(
        witness=witness.key, cosigned_at=other, signature=witness.cosign(BODY, at=at).signature
    )
    assert not moved.covers(BODY)
    assert witness.cosign(BODY, at=at).covers(BODY)


@given(witnesses, witnesses, cosigning_times)
def test_a_line_of_an_unknown_witness_is_passed_over(one: Witness, other: Witness, at: int) -> None:
    assume(one.key != other.key)
    note = with_cosignatures(LOG.sign(BODY), [one.cosign(BODY, at=at)])
    assert cosignatures_in(parse_note(note), [other.key]) == ()


@given(witnesses, st.binary(max_size=80))
def test_any_line_of_a_known_witness_holds_or_is_refused(witness: Witness, signature: bytes) -> None:
    line = NoteSignature(name=witness.name, key_id=witness.key.key_id, signature=signature)
    with pytest.raises(NoteInvalid):
        cosignatures_in(SignedNote(text=BODY, signatures=(line,)), [witness.key])


@pytest.mark.parametrize("at", [-1, 2**63, 2**64 - 1])
def test_a_time_that_the_standard_excludes_is_refused(at: int) -> None:
    with pytest.raises(NoteInvalid, match="cosignature-malformed"):
        Cosignature(witness=Witness("w", bytes(32)).key, cosigned_at=at, signature=bytes(64))


@given(cosigning_times)
def test_a_time_has_an_instant_or_is_beyond_all_calendars(at: int) -> None:
    instant = Witness("w", bytes(32)).cosign(BODY, at=at).instant
    assert at == instant.timestamp() if instant else at > datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def test_a_file_of_keys_has_one_a_line_and_may_explain_itself() -> None:
    text = f"# the public network\n\n{PUBLIC_WITNESS}\r\n  \n{PUBLIC_WITNESS}"
    assert key_lines(text) == (PUBLIC_WITNESS, PUBLIC_WITNESS)
