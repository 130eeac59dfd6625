"""Whatever happens to a bank's keys, in whatever order: what was signed verifies, what was sealed opens."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from creditbank.identity.names import PersonNames
from creditbank.identity.person import Person
from creditbank.ledger.checkpoint import Checkpoint, open_note, parse_note
from creditbank.ledger.key_entry import KeyPurpose, key_periods
from creditbank.samples.people import sample_issuer
from creditbank.services.accounts import open_account, read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.institutions import Institution, register_in, subject_of
from creditbank.services.keys import (
    KeyStillNeeded,
    add_key,
    keys_of,
    next_encryption_key,
    record_keys,
    retire_key,
)
from creditbank.services.rewrapping import rewrap_accounts
from creditbank.signing.key_cabinet import KeyCabinet
from creditbank.signing.key_file import KeyFile, create_key_file, read_key_file
from creditbank.signing.keyring_parts import joined
from creditbank.signing.keys import Keyring, KeysUnavailable, new_keyring
from creditbank.storage.memory_store import MemoryStore
from creditbank.terms import IssuerId, Microseconds
from tests.banks import OPERATOR, bank_with

COST = 2
PASSPHRASE = "correct horse battery"
ORIGIN = "bank.test"
NOW = Microseconds(2)
SCHOOL = sample_issuer("school-east")
PRINCIPAL = Principal.operator(OPERATOR)
STEPS = ("prepare", "put_in_force", "retire")
MOMENTS = st.sampled_from([(step, when) for step in STEPS for when in ("before", "after")])
INSTITUTIONS = st.sampled_from([OPERATOR, SCHOOL])


class PowerCut(Exception):
    """The machine stops here."""


class Interrupted:
    """A cabinet whose machine stops before, or right after, one of its steps."""

    def __init__(self, cabinet: KeyCabinet, moment: tuple[str, str]) -> None:
        self._cabinet = cabinet
        self._step, self._when = moment

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._cabinet, name)

        def stopping(*arguments: object, **named: object) -> object:
            if (name, self._when) == (self._step, "before"):
                raise PowerCut
            answer = method(*arguments, **named)
            if (name, self._when) == (self._step, "after"):
                raise PowerCut
            return answer

        return stopping


@dataclass(frozen=True, slots=True, kw_only=True)
class MortalFile(KeyFile):
    """A key file on a machine that stops when a file is to be replaced, after so many were."""

    writes_left: list[int]

    def replaced(self, keyring: Keyring, *, passphrase: str | None = None) -> KeyFile:
        if self.writes_left[0] == 0:
            raise PowerCut
        changed = KeyFile.replaced(self, keyring, passphrase=passphrase)
        self.writes_left[0] -= changed is not self
        return changed


class KeysComeAndGo(RuleBasedStateMachine):
    """One bank, its key files on disk, its books in memory."""

    @initialize(is_split=st.booleans())
    def make_bank(self, *, is_split: bool) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="bank-keys-"))
        self.passphrase = self.log_passphrase = PASSPHRASE
        keyring = new_keyring(origin=ORIGIN, operator=OPERATOR, made_at=Microseconds(1))
        create_key_file(self.main, keyring, passphrase=PASSPHRASE, cost=COST)
        self.store = MemoryStore()
        self.cabinet = self.reopened()
        bank = self.bank
        with self.store.writing() as books:
            books.bank.write(bank.record)
            for code, role in ((OPERATOR, "education-bureau"), (SCHOOL, "school")):
                register_in(bank, books, Institution(issuer=code, name="机构", role=role), by=OPERATOR)  # type: ignore[arg-type]
            record_keys(bank, books, [key.name for key in keyring.keys])
        self.log_notes: list[tuple[Checkpoint, bytes]] = []
        self.institution_notes: list[bytes] = []
        self.learners: dict[str, Any] = {}
        if is_split:
            self.split(same=False)

    def teardown(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def main(self) -> Path:
        return self.home / "keys.sealed"

    @property
    def log(self) -> Path:
        return self.home / "log.sealed"

    @property
    def keyring(self) -> Keyring:
        return self.cabinet.keyring

    @property
    def bank(self) -> Bank:
        return bank_with(self.keyring, self.store)

    def reopened(self, *, writes: int = -1) -> KeyCabinet:
        """Open the files as a new process does, which the power leaves after so many writes."""
        left = [writes]

        def opened(path: Path, passphrase: str) -> KeyFile:
            file = read_key_file(path, passphrase=passphrase)
            return MortalFile(
                path=path, keyring=file.keyring, passphrase=passphrase, cost=file.cost, writes_left=left
            )

        return KeyCabinet(
            opened(self.main, self.passphrase),
            log=opened(self.log, self.log_passphrase) if self.log.exists() else None,
            public_keys=self.home / "log.vkey",
        )

    @rule()
    def rotate_log_key(self) -> None:
        left = self.cabinet.prepared("checkpoint")
        key = add_key(self.bank, PRINCIPAL, self.cabinet, "checkpoint")
        assert key == self.cabinet.current("checkpoint")
        assert left in {None, key}

    @rule(institution=INSTITUTIONS)
    def rotate_institution_key(self, institution: IssuerId) -> None:
        key = add_key(self.bank, PRINCIPAL, self.cabinet, "institution", institution=institution)
        assert key == self.cabinet.current("institution", institution)

    @rule()
    def rotate_encryption_key(self) -> None:
        before = self.cabinet.current("encryption")
        key = next_encryption_key(self.bank, PRINCIPAL, self.cabinet)
        assert self.cabinet.current("encryption") == (key or before)

    @rule()
    def rewrap(self) -> None:
        rewrapped = rewrap_accounts(self.bank)
        assert rewrapped.unreadable == ()
        with self.store.reading() as books:
            wrapped = {key for key, accounts in books.accounts.wrapped_by().items() if accounts}
        assert wrapped <= {self.bank.vault.wraps_with}

    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.keyring.keys), label="key").name
        with self.store.reading() as books:
            wraps = key.purpose == "encryption" and books.accounts.wrapped_by().get(key.id, 0)
        state = self.keyring.state_of(next(each for each in self.keyring.keys if each.name == key))
        may_go = key.purpose != "index" and not wraps and state in {"replaced", "retired"}
        if may_go or (state == "current" and key.purpose == "institution"):
            assert retire_key(self.bank, PRINCIPAL, self.cabinet, key.purpose, key.id) == key
        else:
            with pytest.raises(KeyStillNeeded):
                retire_key(self.bank, PRINCIPAL, self.cabinet, key.purpose, key.id)

    @rule(moment=MOMENTS, purpose=st.sampled_from(["checkpoint", "institution", "encryption"]))
    def rotate_until_the_power_goes(self, moment: tuple[str, str], purpose: KeyPurpose) -> None:
        institution = SCHOOL if purpose == "institution" else None
        stopping: Any = Interrupted(self.cabinet, moment)
        with suppress(PowerCut):
            add_key(self.bank, PRINCIPAL, stopping, purpose, institution=institution)
        self.cabinet = self.reopened()

    @rule(writes=st.integers(0, 3), data=st.data())
    def change_until_no_more_is_written(self, writes: int, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.keyring.keys), label="key").name
        mortal = self.reopened(writes=writes)
        with suppress(PowerCut, KeyStillNeeded):
            if data.draw(st.booleans(), label="retire"):
                retire_key(self.bank, PRINCIPAL, mortal, key.purpose, key.id)
            elif key.purpose != "index":
                add_key(self.bank, PRINCIPAL, mortal, key.purpose, institution=key.institution)
        self.cabinet = self.reopened()

    @rule(moment=MOMENTS, data=st.data())
    def retire_until_the_power_goes(self, moment: tuple[str, str], data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.keyring.keys), label="key").name
        stopping: Any = Interrupted(self.cabinet, moment)
        with suppress(PowerCut, KeyStillNeeded):
            retire_key(self.bank, PRINCIPAL, stopping, key.purpose, key.id)
        self.cabinet = self.reopened()

    @precondition(lambda self: not self.log.exists())
    @rule(same=st.booleans())
    def split(self, *, same: bool) -> None:
        self.log_passphrase = self.passphrase if same else PASSPHRASE + " of the log"
        self.cabinet.split(self.log, passphrase=None if same else self.log_passphrase)

    @rule(of_log=st.booleans(), number=st.integers(0, 9))
    def change_passphrase(self, *, of_log: bool, number: int) -> None:
        passphrase = f"{PASSPHRASE} {number}"
        if of_log and not self.log.exists():
            with pytest.raises(KeysUnavailable, match="checkpoint-key-file-unset"):
                self.cabinet.change_passphrase(passphrase, of_log=True)
            return
        self.cabinet.change_passphrase(passphrase, of_log=of_log)
        if of_log:
            self.log_passphrase = passphrase
        else:
            self.passphrase = passphrase

    @rule()
    def sign_in_the_logs_name(self) -> None:
        signer = self.bank.signer
        assert signer is not None
        checkpoint = Checkpoint(origin=ORIGIN, size=len(self.log_notes), root=bytes(32))
        self.log_notes.append((checkpoint, signer.sign(checkpoint.body())))

    @rule(institution=INSTITUTIONS)
    def sign_in_an_institutions_name(self, institution: IssuerId) -> None:
        signer = self.bank.institution_signers.get(institution)
        assert (signer is None) == (self.cabinet.current("institution", institution) is None)
        if signer is not None:
            self.institution_notes.append(signer.sign(f"receipt {len(self.institution_notes)}\n".encode()))

    @rule()
    def open_account(self) -> None:
        person = Person(names=PersonNames(chinese=f"学习者{'甲乙丙丁'[len(self.learners) % 4]}"))
        number = open_account(self.bank, PRINCIPAL, person).number
        self.learners[number.text] = (number, person)

    @rule()
    def begin_again(self) -> None:
        self.cabinet = self.reopened()

    @invariant()
    def every_signature_of_the_log_verifies(self) -> None:
        main = read_key_file(self.main, passphrase=self.passphrase).keyring
        # Also for whoever cannot open the log's own file.
        for public in (self.keyring.verifier_keys, main.verifier_keys):
            for checkpoint, note in self.log_notes:
                assert open_note(note, public) == checkpoint

    @invariant()
    def every_signature_of_an_institution_verifies_by_the_ledger_alone(self) -> None:
        with self.store.reading() as books:
            periods = [period for code in (OPERATOR, SCHOOL) for period in keys_of(books, code)]
        keys = [period.key.verifier_key for period in periods]
        for note in self.institution_notes:
            signed = parse_note(note)
            (line,) = signed.signatures
            (key,) = [each for each in keys if each and (each.name, each.key_id) == (line.name, line.key_id)]
            assert key.has_signed(signed.text, line.signature)

    @invariant()
    def every_account_opens(self) -> None:
        bank = self.bank
        for number, person in self.learners.values():
            assert read_account(bank, number).person == person

    @invariant()
    def a_retired_key_signs_and_seals_nothing(self) -> None:
        for key in self.keyring.keys:
            if key.is_retired:
                assert key.secret is None
        retired = {key.name.verifier_key for key in self.keyring.keys if key.is_retired}
        signers = [self.bank.signer, *self.bank.institution_signers.values()]
        assert retired.isdisjoint({signer.verifier_key for signer in signers if signer is not None})

    @invariant()
    def what_is_on_disk_is_what_is_open(self) -> None:
        assert self.reopened().keyring == self.keyring
        if self.log.exists():
            apart = read_key_file(self.log, passphrase=self.log_passphrase).keyring
            whole = read_key_file(self.main, passphrase=self.passphrase).keyring
            assert {key.name.purpose for key in apart.keys} == {"checkpoint"}
            assert not [key for key in whole.keys if key.name.purpose == "checkpoint" and key.secret]
            assert joined(whole, apart) == self.keyring

    @invariant()
    def what_is_used_is_in_the_ledger_and_what_is_gone_is_out_of_it(self) -> None:
        with self.store.reading() as books:
            periods = {
                period.key: period
                for code in (OPERATOR, SCHOOL)
                for period in key_periods(books.ledger.entries_of(subject_of(code)))
            }
            admitted = books.accounts.admitted_keys()
        for key in self.keyring.keys:
            if not key.is_prepared:
                assert key.name in periods
            if key.is_retired:
                assert periods[key.name].retired_at == key.retired_at
                assert key.name.purpose != "encryption" or key.name.id not in admitted
        assert admitted <= self.keyring.encryption_keys.keys()


KeysComeAndGo.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestKeysComeAndGo = KeysComeAndGo.TestCase


@pytest.mark.parametrize("writes", range(5))
@pytest.mark.parametrize("change", ["rotate", "retire"])
def test_the_logs_key_survives_a_power_cut_between_any_two_writes(change: str, writes: int) -> None:
    bank = KeysComeAndGo()
    bank.make_bank(is_split=True)
    try:
        first = bank.keyring.keys[0].name
        bank.sign_in_the_logs_name()
        bank.rotate_log_key()
        mortal = bank.reopened(writes=writes)
        with suppress(PowerCut):
            if change == "rotate":
                add_key(bank.bank, PRINCIPAL, mortal, "checkpoint")
            else:
                retire_key(bank.bank, PRINCIPAL, mortal, "checkpoint", first.id)
        for _ in range(2):
            bank.cabinet = bank.reopened()
            bank.sign_in_the_logs_name()
            bank.every_signature_of_the_log_verifies()
            bank.a_retired_key_signs_and_seals_nothing()
            bank.what_is_used_is_in_the_ledger_and_what_is_gone_is_out_of_it()
            bank.rotate_log_key()
            retire_key(bank.bank, PRINCIPAL, bank.cabinet, "checkpoint", first.id)
        bank.what_is_on_disk_is_what_is_open()
    finally:
        bank.teardown()
