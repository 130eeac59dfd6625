"""Deciding again as known then gives the same bytes, whatever was recorded, granted or published since.

The laws were seen to fail: with later entries let through, by instant and by size, and with grants that bear
the decision's own instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.conversion.holding import Applicant
from creditbank.ledger.encoding import JsonValue, canonical_bytes
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services.accounts import read_account
from creditbank.services.bank import Bank, Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.known import KnownAt, LogSize
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.outcomes import record_outcome, revoke_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.rule_packs import publish_packs
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import PackId, ProgrammeId
from tests.banks import EAST, OPERATOR, new_account, new_bank
from tests.strategies.small_packs import EXAMPLES, PROGRAMME, RULE, head, write

AS_OF = date(2026, 2, 1)
SMALL = head() + PROGRAMME + RULE + EXAMPLES
RENEWED = PROGRAMME.replace("credits = 4, module", "credits = 3.5, module").replace(
    'id = "web"', 'id = "web"\nversion = 2\neffective_from = 2025-06-01'
)
SECOND = (
    head("second", published="2026-01-01", effective="2025-06-01")
    + RENEWED
    + RULE.replace('"中级"', '"初级"').replace("version = 1", "version = 2")
)
LEVELS = ("初级", "中级", "高级")
ACTIONS = ("record", "revoke", "apply", "publish")


@cache
def libraries() -> tuple[Library, Library]:
    """What is at hand before the second pack comes, and after."""
    with TemporaryDirectory() as folder:
        one = Library.load(write(Path(folder) / "a", SMALL), shipped=False)
        both = Library.load(write(Path(folder) / "b", SMALL, SECOND), shipped=False, check=False)
    return one, both


@dataclass
class Life:
    """An account, and what happens to it and to the rules."""

    bank: Bank = field(default_factory=new_bank)
    rules: Library = field(default_factory=lambda: libraries()[0])
    recorded: int = 0

    def __post_init__(self) -> None:
        operator = Principal.operator(OPERATOR)
        tokens = [add_officer(self.bank, operator, name)[1] for name in ("甲", "乙")]
        self.persons = two_persons(self.bank, first_token=tokens[0], second_token=tokens[1])
        self.operator = operator
        self.number = new_account(self.bank)
        publish_packs(self.bank, operator, self.persons, self.rules.packs)

    @property
    def question(self) -> ExemptionQuestion:
        return ExemptionQuestion(library=self.rules, programme=ProgrammeId("web"))

    def do(self, action: str, pick: int) -> None:
        match action:
            case "record":
                self.recorded += 1
                certificate = SkillCertificate(
                    number=f"S{self.recorded}",
                    standard="X",
                    title="网页",
                    level=FrameworkLevel(framework="1+X", level=LEVELS[pick % 3]),
                    issuer=EAST.issuer,
                    awarded_on=date(2025, 6, 1) + timedelta(days=pick),
                )
                record_outcome(self.bank, EAST, self.number, certificate)
            case "revoke":
                current = read_account(self.bank, self.number).current
                if current:
                    revoke_outcome(
                        self.bank, EAST, self.number, current[pick % len(current)].id, reason="误发"
                    )
            case "apply":
                apply_for(self.bank, EAST, self.number, self.question, applicant=Applicant(), as_of=AS_OF)
            case _ if self.rules is libraries()[0]:
                self.rules = libraries()[1]
                publish_packs(self.bank, self.operator, self.persons, [self.rules.pack(PackId("second"))])
            case _:
                pass

    def answered(self, known_at: KnownAt | None = None) -> tuple[bytes, KnownAt]:
        answer = decide_for(
            self.bank, self.number, self.question, applicant=Applicant(), as_of=AS_OF, known_at=known_at
        )
        said: JsonValue = {"decision": answer.decision.as_json(), "unpublished": list(answer.unpublished)}
        return canonical_bytes(said), answer.decision.known_at

    def size(self) -> LogSize:
        sequence_pending(self.bank.store)
        with self.bank.store.reading() as books:
            return LogSize(entries=books.ledger.size())


lives: st.SearchStrategy[Sequence[tuple[str, int]]] = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), min_size=1, max_size=5
)


@settings(max_examples=40)
@given(lives, lives)
def test_what_comes_later_changes_no_answer_as_known_before(
    first: Sequence[tuple[str, int]], later: Sequence[tuple[str, int]]
) -> None:
    life = Life()
    life.do("record", 1)
    for action in first:
        life.do(*action)
    size = life.size()
    by_size, _ = life.answered(size)
    by_instant, instant = life.answered()
    for action in later:
        life.do(*action)
    sequence_pending(life.bank.store)
    assert life.answered(size)[0] == by_size
    assert life.answered(instant)[0] == by_instant


@settings(max_examples=25)
@given(lives, lives)
def test_the_decision_behind_a_grant_can_be_made_again(
    first: Sequence[tuple[str, int]], later: Sequence[tuple[str, int]]
) -> None:
    life = Life()
    life.do("record", 2)
    for action in [*first, ("record", 1), ("apply", 0), *later]:
        life.do(*action)
    grants = read_account(life.bank, life.number).holdings.grants
    assert grants
    for grant in grants:
        again = decide_for(
            life.bank,
            life.number,
            life.question,
            applicant=Applicant(),
            as_of=grant.granted.as_of,
            known_at=grant.granted.known_at,
        )
        digest = sha256(canonical_bytes(again.decision.as_json())).hexdigest()
        assert digest == grant.granted.decision
