"""A bank whose setting names a solver: what the search cannot prove is settled by it, and says so."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from creditbank.conversion.allocation import decide_exemptions
from creditbank.conversion.holding import Applicant
from creditbank.ledger.encoding import canonical_bytes
from creditbank.locale.catalogue import catalogue
from creditbank.locale.decision_wording import decision_lines
from creditbank.locale.naming import names_of
from creditbank.outcomes.certificate import SkillCertificate
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.rulepacks.library import Library
from creditbank.services import questions
from creditbank.services.conversions import decide_for
from creditbank.services.outcomes import record_outcome
from creditbank.services.questions import ExemptionQuestion
from creditbank.solver.highs import Highs
from creditbank.terms import ProgrammeId
from tests.banks import BEGINNING, EAST, new_account, new_bank
from tests.commands import Commands
from tests.strategies.small_packs import SOUND, write

CERTIFICATE = SkillCertificate(
    number="S1",
    standard="X",
    title="网页",
    level=FrameworkLevel(framework="1+X", level="中级"),
    issuer=EAST.issuer,
    awarded_on=BEGINNING.date(),
)


def test_what_the_search_cannot_prove_the_solver_settles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "decide_exemptions", partial(decide_exemptions, node_budget=0))
    bank, number = (made := new_bank()), new_account(made)
    record_outcome(bank, EAST, number, CERTIFICATE)
    rules = Library.load(write(tmp_path, SOUND), shipped=False)
    asked = ExemptionQuestion(library=rules, programme=ProgrammeId("web"))
    ask = partial(decide_for, number=number, question=asked, applicant=Applicant())
    hurried = ask(bank).decision
    assert (hurried.proved, hurried.solver, hurried.credits) == (False, None, Decimal(0))
    assert "solver" not in hurried.as_json()
    answers = [ask(replace(bank, solver=Highs())) for _ in range(2)]
    settled = answers[0].decision
    assert (settled.proved, settled.solver, settled.credits) == (True, Highs().name, Decimal(4))
    assert (
        len({canonical_bytes(replace(one.decision, known_at=settled.known_at).as_json()) for one in answers})
        == 1
    )
    for language in ("zh-CN", "en"):
        words = catalogue(language)
        names = names_of(
            words, answers[0].place, answers[0].account, answers[0].packs, answers[0].institutions
        )
        assert Highs().name in decision_lines(words, settled, names).headline


def test_a_solver_that_is_not_installed_is_asked_for(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    solving = Commands(commands.home, **{**commands.environment, "CREDITBANK_SOLVER": "highs"})
    open_account = ("account", "open", "--name", "扎西", "--citizen-number", "99999919900101001X")
    monkeypatch.setitem(sys.modules, "creditbank.solver.highs", None)
    refused = solving.run(*open_account, "--issuer", EAST.issuer, code=2)
    assert "pip install 'creditbank[solver]'" in refused.err
    assert "CREDITBANK_SOLVER" in refused.err


def test_the_solver_prints_nothing() -> None:
    asked = "from creditbank.solver.highs import _solver; print(_solver([1], [1], []).getNumCol())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
