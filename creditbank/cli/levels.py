"""Levels as people write them: in full, or without their scale where it is clear which is meant."""

from collections.abc import Iterable, Mapping
from datetime import date

from creditbank.account.changed import ChangeInvalid
from creditbank.cli.asking import QuestionInvalid
from creditbank.conversion.rule import RulePack
from creditbank.outcomes.outcome import FrameworkLevel
from creditbank.outcomes.vocabulary import Vocabulary


def level_in_full(text: str, packs: Iterable[RulePack]) -> str:
    """Return a level as scale/level: 中级 is 1+X/中级, where no other scale of the packs has a 中级.

    Raises:
        QuestionInvalid: no scale of the packs has it, or several have.
    """
    if "/" in text:
        return text
    known = dict.fromkeys(
        FrameworkLevel(framework=framework, level=level)
        for pack in packs
        for framework, listed in pack.scales.items()
        for equal in listed.levels
        for level in equal
    )
    fitting = [one for one in known if one.level == text]
    if len(fitting) != 1:
        names = [f"{one.framework}/{one.level}" for one in known]
        if not names:
            raise QuestionInvalid("supposed-level-of-none", field="level", value=text)
        raise QuestionInvalid("supposed-level", field="level", value=text, known=names)
    return f"{fitting[0].framework}/{fitting[0].level}"


def corrected_level(
    text: str, stated: FrameworkLevel, vocabularies: Mapping[str, Vocabulary], *, on: date
) -> str:
    """Return a level as framework/level: of the framework of the level `stated`, unless it names another.

    It may be written as the framework's vocabulary writes it on the day `on`.

    Raises:
        ChangeInvalid: the framework has no such level.
    """
    listed = next((one for one in vocabularies.values() if one.framework == stated.framework), None)
    found = None if listed is None else listed.look_up(text, on=on)
    if found is not None:
        return f"{stated.framework}/{found.code}"
    if "/" in text:
        return text
    known = [] if listed is None else [term.code for term in listed.terms_valid(on=on)]
    raise ChangeInvalid("change-level", field="set", value=text, framework=stated.framework, known=known)
