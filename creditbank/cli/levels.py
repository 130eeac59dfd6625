"""Levels as people write them: in full, or without their scale where only one scale has it."""

from collections.abc import Iterable

from creditbank.cli.asking import QuestionInvalid
from creditbank.conversion.rule import RulePack
from creditbank.outcomes.outcome import FrameworkLevel


def level_in_full(text: str, packs: Iterable[RulePack], *, scale: str | None = None) -> str:
    """Return a level as scale/level: 中级 is 1+X/中级, where no other scale of the packs has a 中级.

    The level of `scale` is meant where that has it.

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
    fitting = [one for one in fitting if one.framework == scale] or fitting
    if len(fitting) != 1:
        names = [f"{one.framework}/{one.level}" for one in known]
        raise QuestionInvalid("supposed-level", field="level", value=text, known=names)
    return f"{fitting[0].framework}/{fitting[0].level}"
