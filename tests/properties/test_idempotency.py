"""Laws of idempotency keys: what is done under a key is done once, and answered alike every time after."""

from dataclasses import dataclass, replace
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from creditbank.errors import Conflict, InvalidInput
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.services.accounts import read_account
from creditbank.services.bank import EntryReceipt, Principal
from creditbank.services.idempotency import (
    IdempotencyKeyReused,
    InFlight,
    KeyedRequest,
    Repeated,
    answer_once,
)
from creditbank.services.outcome_keys import OutcomeRecorded
from creditbank.services.outcomes import record_outcome
from tests.banks import EAST, RIVER, new_account, new_bank

CERTIFICATE = SkillCertificate(
    number="DEMO-1",
    standard="CD-X-JTNC",
    title="家庭农场畜禽养殖",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=EAST.issuer,
    awarded_on=date(2024, 6, 1),
)


@dataclass(frozen=True)
class Asked:
    """A request: who records which certificate, under which key."""

    who: Principal
    key: str
    certificate: int


asked = st.builds(
    Asked, who=st.sampled_from([EAST, RIVER]), key=st.sampled_from("ab"), certificate=st.integers(0, 2)
)
FIRST = Asked(who=EAST, key="a", certificate=0)


@given(st.lists(asked, max_size=12))
@example([FIRST, FIRST, replace(FIRST, certificate=1), replace(FIRST, who=RIVER), replace(FIRST, key="b")])
@example([FIRST, replace(FIRST, key="b"), replace(FIRST, key="b", certificate=1)])
def test_a_key_is_answered_as_it_was_first_and_only_what_was_done_binds_it(requests: list[Asked]) -> None:
    bank, in_flight = new_bank(), InFlight()
    account = new_account(bank)
    kept: dict[tuple[Principal, str], tuple[int, bytes]] = {}
    recorded: set[int] = set()

    def answered(one: Asked) -> EntryReceipt | Repeated | str:
        outcome = replace(CERTIFICATE, number=f"DEMO-{one.certificate}", issuer=one.who.issuer)
        keyed = KeyedRequest.of(bank, one.who, key=one.key, asked=(outcome.number,))
        try:
            return answer_once(
                bank,
                keyed,
                lambda bank: record_outcome(bank, one.who, account, outcome),
                answer=lambda receipt: receipt.leaf_hash,
                in_flight=in_flight,
            )
        except (Conflict, InvalidInput) as error:
            return error.code

    for one in requests:
        first, answer = kept.get((one.who, one.key), (one.certificate, None)), answered(one)
        if first[0] != one.certificate:
            assert answer == IdempotencyKeyReused.code
        elif first[1] is not None:
            assert answer == Repeated(answer=first[1])
        elif one.certificate in recorded:
            assert answer == OutcomeRecorded.code
        else:
            assert isinstance(answer, EntryReceipt)
            kept[one.who, one.key] = (one.certificate, answer.leaf_hash)
            recorded.add(one.certificate)
    assert len(read_account(bank, account).entries) == 1 + len(recorded)
