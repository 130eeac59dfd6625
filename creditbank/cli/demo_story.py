"""The story that `creditbank demo` tells; every line of it is what the bank really answered."""

from dataclasses import dataclass
from pathlib import Path

from creditbank.account.statement import Statement
from creditbank.assembly import copy_database, examination, verifier_key_file
from creditbank.cli.account import print_statement
from creditbank.cli.decide import print_answer
from creditbank.cli.importing import post, read, show_answer, show_reading
from creditbank.cli.output import console
from creditbank.cli.session import Session
from creditbank.cli.verify_report import print_report
from creditbank.conversion.holding import Applicant
from creditbank.identity.account_number import AccountNumber
from creditbank.ledger.audit_report import AuditReport
from creditbank.ledger.checkpoint import parse_verifier_keys
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.rulepacks.library import Library
from creditbank.samples.people import protagonist, sample_institutions, sample_issuer
from creditbank.samples.workbooks import messy_workbook, sample_workbooks
from creditbank.services.accounts import account_of_citizen, read_account
from creditbank.services.audit import verify_ledger
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.log import prove_entry
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.outcomes import revoke_outcome
from creditbank.services.publishing import publish_now
from creditbank.services.questions import ExemptionQuestion, WaiverQuestion
from creditbank.services.rule_packs import publish_packs
from creditbank.terms import ExamId, ProgrammeId
from creditbank.vocabularies.library import Vocabularies

PROGRAMME = ProgrammeId("changdu-animal-husbandry")
EXAM = ExamId("changdu-farm-elementary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One bank, from its first workbook to the byte that somebody changed behind its back."""

    session: Session
    bank: Bank
    library: Library

    @property
    def home(self) -> Path:
        """The demonstration's own directory."""
        return self.session.settings.home

    @property
    def hero(self) -> AccountNumber:
        """The account of the learner whom the story is about."""
        number = protagonist().citizen_number
        assert number is not None, "the protagonist has a number"
        return account_of_citizen(self.bank, number)

    def tell(self) -> None:
        """Tell all of it."""
        self._introduce()
        self._publish_rules()
        self._import_clean()
        self._import_messy()
        self._show_account()
        self._exempt()
        self._waive()
        self._revoke()
        self._verify()
        self._tamper()
        self._how_to_go_on()

    def heading(self, key: str, **values: object) -> None:
        """Begin a chapter."""
        console.print()
        console.print(f"■ {self.session.words.text(key, **values)}", style="bold cyan")

    def _introduce(self) -> None:
        self.heading("word.demo-bank")
        self._say("word.bank-made", origin=self.bank.record.origin, home=self.home)
        for sample in sample_institutions():
            console.print(f"  · {sample.issuer}  {sample.name}")

    def _publish_rules(self) -> None:
        operator = Principal.operator(self.bank.record.operator)
        names = (self.session.words.text("word.demo-officer", which=which) for which in (1, 2))
        tokens = [add_officer(self.bank, operator, name)[1] for name in names]
        persons = two_persons(self.bank, first_token=tokens[0], second_token=tokens[1])
        packs = self.library.packs
        publish_packs(self.bank, operator, persons, packs)
        self._say("word.demo-packs-published", count=len(packs))

    def _import_clean(self) -> None:
        self.heading("word.demo-clean")
        folder = self.home / "workbooks"
        folder.mkdir()
        today = self.bank.today()
        for book in sample_workbooks(Vocabularies.load().vocabularies, on=today):
            path = folder / f"{book.kind}-{book.issuer}.xlsx"
            path.write_bytes(book.content)
            principal = Principal.operator(book.issuer)
            reading = read(self.session, principal, book.content)
            console.print(f"  {path.name}", style="dim")
            answer = post(self.session, self.bank, principal, reading, book.content, name=path.name)
            show_answer(self.session.words, answer)

    def _import_messy(self) -> None:
        self.heading("word.demo-messy")
        content = messy_workbook(Vocabularies.load().vocabularies, on=self.bank.today())
        (self.home / "workbooks" / "messy.xlsx").write_bytes(content)
        station = Principal.operator(sample_issuer("station"))
        show_reading(self.session.words, read(self.session, station, content))

    def _show_account(self) -> None:
        self.heading("word.demo-learner")
        print_statement(self.session, self._statement())

    def _exempt(self) -> None:
        self.heading(
            "word.demo-exemptions",
            programme=self.library.programme(PROGRAMME, as_of=self.bank.today()).title,
        )
        question = ExemptionQuestion(library=self.library, programme=PROGRAMME)
        school = Principal.operator(sample_issuer("school-east"))
        answer = apply_for(self.bank, school, self.hero, question, applicant=Applicant())
        print_answer(self.session.words, answer, principal=school)

    def _waive(self) -> None:
        self.heading("word.demo-waivers", exam=self.library.exam(EXAM, as_of=self.bank.today()).title)
        question = WaiverQuestion(library=self.library, exam=EXAM)
        station = Principal.operator(sample_issuer("station"))
        answer = apply_for(self.bank, station, self.hero, question, applicant=Applicant())
        print_answer(self.session.words, answer, principal=station)

    def _revoke(self) -> None:
        certificate = next(
            held for held in self._statement().current if isinstance(held.outcome, SkillCertificate)
        )
        self.heading("word.demo-revocation", outcome=certificate.id)
        station = Principal.operator(sample_issuer("station"))
        reason = self.session.words.text("word.demo-revocation-reason")
        receipt = revoke_outcome(self.bank, station, self.hero, certificate.id, reason=reason)
        self._say("word.outcome-revoked", outcome=certificate.id, seq=receipt.seq)
        print_statement(self.session, self._statement())
        question = ExemptionQuestion(library=self.library, programme=PROGRAMME)
        answer = decide_for(self.bank, self.hero, question, applicant=Applicant())
        print_answer(self.session.words, answer, principal=station)

    def _verify(self) -> None:
        self.heading("word.demo-verification")
        checkpoint = self.home / "checkpoint.txt"
        checkpoint.write_bytes(publish_now(self.bank).note)
        proof = self.home / "entry.tlog-proof"
        proof.write_bytes(prove_entry(self.bank, self.hero.subject, 1))
        print_report(self.session.words, self._audit(self.session))
        self._say("word.demo-kept", checkpoint=checkpoint, proof=proof)

    def _tamper(self) -> None:
        self.heading("word.demo-tampering")
        folder = self.home / "tampered"
        folder.mkdir()
        copy_database(self.session.settings, folder / "bank.db")
        changed = change_one_byte(folder / "bank.db", b"DEMO-X-2024-0001", b"DEMO-X-2024-0009")
        self._say("word.demo-byte-changed", at=changed)
        settings = self.session.settings.model_copy(
            update={"home": folder, "database_url": type(self.session.settings)(home=folder).database_url}
        )
        print_report(self.session.words, self._audit(Session(settings=settings)))

    def _how_to_go_on(self) -> None:
        self.heading("word.demo-by-hand")
        console.print(f"  set -a; . {self.home}/env; set +a")
        console.print(f"  creditbank account show {self.hero}")
        console.print(f"  creditbank ledger verify --checkpoint {self.home}/checkpoint.txt")

    def _audit(self, session: Session) -> AuditReport:
        keys = parse_verifier_keys(verifier_key_file(self.session.settings).read_text(encoding="utf-8"))
        held = (self.home / "checkpoint.txt").read_bytes()
        with examination(session.settings) as opened:
            return verify_ledger(opened, verifier_keys=keys, clock=self.bank.clock, held=held)

    def _statement(self) -> Statement:
        return read_account(self.bank, self.hero)

    def _say(self, key: str, **values: object) -> None:
        console.print(f"  {self.session.words.text(key, **values)}")


def change_one_byte(path: Path, old: bytes, new: bytes) -> int:
    """Replace the first `old` in a file by `new`, of the same length; return where it stood."""
    assert len(old) == len(new), "nothing moves"
    content = path.read_bytes()
    at = content.index(old)
    path.write_bytes(content[:at] + new + content[at + len(old) :])
    return at
