"""The real services, used in any order, beside a naive model of what the account holds.

What the model says: outcomes are there from the moment they are recorded, revoked ones are not, grants keep
what they have unless what they rest on is gone, and the newest pack that is published speaks. A decision of
the services is the core's decision on that, byte for byte, and whatever was once answered is answered for
ever. Seen to fail: with later entries let through, with grants that are not pinned, with a retired pack kept.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.decision import Decision, Exemption
from creditbank.conversion.holding import Applicant, Holding
from creditbank.conversion.pack import Pack
from creditbank.ledger.encoding import canonical_bytes
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services.bank import Principal
from creditbank.services.conversions import apply_for, decide_for
from creditbank.services.known import KnownAt, LogSize
from creditbank.services.officers import add_officer, two_persons
from creditbank.services.outcomes import record_outcome, revoke_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.services.rule_packs import publish_packs, retire_pack
from creditbank.services.sequencing import sequence_pending
from creditbank.terms import Microseconds, OutcomeId, PackId, ProgrammeId
from tests.banks import EAST, OPERATOR, new_account, new_bank
from tests.strategies.conversion import pin
from tests.strategies.small_packs import head, write

LEVELS = ("初级", "中级", "高级")
DAYS = (date(2025, 5, 15), date(2025, 9, 1), date(2026, 2, 1))
SECOND_FROM = date(2025, 6, 1)
PROGRAMME = """[[programme]]
id = "web"
{version}title = "网页"
credits = 20
cite = ["a"]
courses = [
  {{ id = "c1", title = "一", credits = {first}, module = "m" }},
  {{ id = "c2", title = "二", credits = 3, module = "m" }},
  {{ id = "c3", title = "三", credits = 2, module = "n" }},
  {{ id = "c4", title = "四", credits = 1.5, module = "n" }},
]
caps = [{{ id = "most", title = "上限", maximum = 9 }}]
"""
RULE = """[[rule]]
id = "r"
version = {version}
cite = ["a"]
say = "规则"
premise = [{{ kind = "skill-certificate", codes = ["X"], min_level = "{level}", use = "consume" }}]
grant = {{ mode = "choose", courses = ["c1", "c2", "c3", "c4"], max_credits = {most} }}
"""
FIRST = head() + PROGRAMME.format(version="", first=4) + RULE.format(version=1, level="中级", most=5)
SECOND = (
    head("second", published="2026-01-01", effective=SECOND_FROM.isoformat())
    + PROGRAMME.format(version="version = 2\neffective_from = 2025-06-01\n", first="3.5")
    + RULE.format(version=2, level="初级", most="3.5")
)


@cache
def library() -> Library:
    with TemporaryDirectory() as folder:
        return Library.load(write(Path(folder), FIRST, SECOND), shipped=False, check=False)


@dataclass(frozen=True)
class Kept:
    """A grant as the model remembers it."""

    exemption: Exemption
    as_of: date


@dataclass
class Model:
    """What the account holds and which packs speak, in the simplest words."""

    holdings: dict[OutcomeId, Holding] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    is_second_there: bool = False

    def stands(self, one: Kept) -> bool:
        """Whether a grant still has what it rests on, as of the day for which it was decided."""
        evidence = (self.holdings[id_] for id_ in (*one.exemption.spent, *one.exemption.witnesses))
        return not any(
            held.revoked_at is not None and (held.revoked_from is None or one.as_of >= held.revoked_from)
            for held in evidence
        )

    def pack(self, as_of: date) -> Pack:
        second = self.is_second_there and as_of >= SECOND_FROM
        return library().pack(PackId("second" if second else "small"))

    def decide(self, as_of: date, known_at: Microseconds) -> Decision:
        pack = self.pack(as_of)
        (programme,) = pack.programmes
        return decide_exemptions(
            [pack],
            self.holdings.values(),
            programme,
            as_of=as_of,
            known_at=known_at,
            pinned=[
                replace(pin(one.exemption), granted_on=one.as_of) for one in self.kept if self.stands(one)
            ],
        )


class AccountOfALearner(RuleBasedStateMachine):
    """An account, its rules, and everything that was ever answered about it."""

    @initialize()
    def open(self) -> None:
        self.bank = new_bank()
        self.operator = Principal.operator(OPERATOR)
        tokens = [add_officer(self.bank, self.operator, name)[1] for name in ("甲", "乙")]
        self.persons = two_persons(self.bank, first_token=tokens[0], second_token=tokens[1])
        self.number = new_account(self.bank)
        self.model = Model()
        self.recorded = 0
        self.was_second_there = False
        self.said: dict[tuple[KnownAt, date], bytes] = {}
        publish_packs(self.bank, self.operator, self.persons, [library().pack(PackId("small"))])

    @rule(level=st.sampled_from(LEVELS), awarded_on=st.sampled_from((date(2025, 2, 1), date(2025, 8, 1))))
    def record(self, level: str, awarded_on: date) -> None:
        self.recorded += 1
        certificate = SkillCertificate(
            number=f"S{self.recorded}",
            standard="X",
            title="网页",
            level=FrameworkLevel(framework="1+X", level=level),
            issuer=EAST.issuer,
            awarded_on=awarded_on,
        )
        receipt = record_outcome(self.bank, EAST, self.number, certificate)
        id_ = OutcomeId(f"{receipt.seq:06}")
        self.model.holdings[id_] = Holding(
            id=id_,
            kind="skill-certificate",
            code="X",
            issuer=EAST.issuer,
            awarded_on=awarded_on,
            recorded_at=Microseconds(0),
            level=certificate.level,
        )

    @precondition(lambda self: any(one.revoked_at is None for one in self.model.holdings.values()))
    @rule(data=st.data(), effective_on=st.sampled_from((None, date(2025, 8, 15), date(2026, 1, 15))))
    def revoke(self, data: st.DataObject, effective_on: date | None) -> None:
        current = [id_ for id_, one in self.model.holdings.items() if one.revoked_at is None]
        id_ = data.draw(st.sampled_from(current))
        revoke_outcome(self.bank, EAST, self.number, id_, reason="误发", effective_on=effective_on)
        self.model.holdings[id_] = replace(
            self.model.holdings[id_], revoked_at=Microseconds(0), revoked_from=effective_on
        )

    @precondition(lambda self: not self.was_second_there)
    @rule()
    def publish(self) -> None:
        publish_packs(self.bank, self.operator, self.persons, [library().pack(PackId("second"))])
        self.model.is_second_there = self.was_second_there = True

    @precondition(lambda self: self.model.is_second_there)
    @rule()
    def retire(self) -> None:
        retire_pack(self.bank, self.operator, self.persons, library().pack(PackId("second")), reason="有误")
        self.model.is_second_there = False

    @rule(as_of=st.sampled_from(DAYS))
    def decide(self, as_of: date) -> None:
        decision = self.answered(as_of)
        assert encoded(decision) == encoded(self.model.decide(as_of, decision.known_at))
        self.said[decision.known_at, as_of] = encoded(decision)
        sequence_pending(self.bank.store)
        with self.bank.store.reading() as books:
            size = LogSize(entries=books.ledger.size())
        self.said[size, as_of] = encoded(self.answered(as_of, size))

    @rule(as_of=st.sampled_from(DAYS))
    def apply(self, as_of: date) -> None:
        answer = apply_for(self.bank, EAST, self.number, self.question, applicant=Applicant(), as_of=as_of)
        assert encoded(answer.decision) == encoded(self.model.decide(as_of, answer.decision.known_at))
        assert len(answer.registered) == len(answer.decision.exemptions)
        self.said[answer.decision.known_at, as_of] = encoded(answer.decision)
        self.model.kept += [Kept(exemption, as_of) for exemption in answer.decision.exemptions]

    @precondition(lambda self: bool(self.said))
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        known_at, as_of = data.draw(st.sampled_from(sorted(self.said, key=repr)))
        assert encoded(self.answered(as_of, known_at)) == self.said[known_at, as_of]

    @invariant()
    def nothing_is_granted_twice(self) -> None:
        standing = [one.exemption.target for one in self.model.kept if self.model.stands(one)]
        assert len(standing) == len(set(standing))

    def teardown(self) -> None:
        for (known_at, as_of), said in self.said.items():
            assert encoded(self.answered(as_of, known_at)) == said

    @property
    def question(self) -> ExemptionQuestion:
        return ExemptionQuestion(library=library(), programme=ProgrammeId("web"))

    def answered(self, as_of: date, known_at: KnownAt | None = None) -> Decision:
        return decide_for(
            self.bank, self.number, self.question, applicant=Applicant(), as_of=as_of, known_at=known_at
        ).decision


def encoded(decision: Decision) -> bytes:
    return canonical_bytes(decision.as_json())


AccountOfALearner.TestCase.settings = settings(max_examples=25, stateful_step_count=16)
test_any_order_of_services_answers_as_the_model_does = AccountOfALearner.TestCase
