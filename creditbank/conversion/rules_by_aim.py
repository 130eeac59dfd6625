"""The rules of a pack by the programmes and exams that they name: most name none of those asked about."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from creditbank.conversion.programme import Exam, Programme
    from creditbank.conversion.rule import Rule

_ANY = ""
"""Under this are the rules that name none; no programme and no exam has an empty id."""


class RulesByAim:
    """The index of some rules, made when it is first asked: many a pack is read and never decided by."""

    def __init__(self, rules: Sequence["Rule"]) -> None:
        self._rules = rules

    def of_programme(self, programme: "Programme") -> list["Rule"]:
        """Return the rules whose scope names a programme, or none."""
        return [*self._by_programme.get(programme.id, ()), *self._by_programme.get(_ANY, ())]

    def of_exam(self, exam: "Exam") -> list["Rule"]:
        """Return the rules whose scope names an exam, or none."""
        return [*self._by_exam.get(exam.id, ()), *self._by_exam.get(_ANY, ())]

    @cached_property
    def _by_programme(self) -> dict[str, list["Rule"]]:
        found: dict[str, list[Rule]] = {}
        for rule in self._rules:
            for named in rule.scope.programmes or (_ANY,):
                found.setdefault(named, []).append(rule)
        return found

    @cached_property
    def _by_exam(self) -> dict[str, list["Rule"]]:
        found: dict[str, list[Rule]] = {}
        for rule in self._rules:
            for named in rule.scope.exams or (_ANY,):
                found.setdefault(named, []).append(rule)
        return found
