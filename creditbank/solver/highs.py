"""The solver HiGHS (the optional extra `solver`) behind the port of the conversion core.

One component is one integer programme: a column for each option that is used, each course that it exempts and
the units that it gives to each bucket. A question changes limits of columns and nothing else. One thread, one
seed, a limit in nodes: equal questions have equal answers.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import highspy
import numpy as np

from creditbank.conversion.layout import Layout, bits
from creditbank.conversion.solver import Fixed, Named, Posed

_NODES_MAX = 200_000
"""Of one question: what takes more the solver cannot tell."""
_WHOLE = 1e-4
"""How far from a whole number an answer may be."""

Pair = tuple[int, int]


class Highs:
    """Poses components to HiGHS."""

    @property
    def name(self) -> str:
        """HiGHS, and its version."""
        return f"HiGHS {version('highspy')}"

    def pose(self, layout: Layout) -> Posed:
        """Return the component as an integer programme."""
        return _Programme(layout)


class _Programme:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.upper: list[int] = []
        self.rows: list[_Row] = []  # coefficients, at least, at most
        self.used = {option: self._column(1) for option in layout.options}
        self.given: dict[Pair, int] = {}
        problem = layout.problem
        for option in layout.options:
            for place in bits(problem.covers[option]):
                self.given[option, place] = self._column(1)
            for place in bits(problem.fills[option]):
                self.given[option, place] = self._column(layout.units[place])
        self.gain = {pair: self._units(pair) for pair in self.given}
        self._link()
        for at, bound in enumerate(layout.bounds):
            if bound.counted is not None:
                self._count(at, bound.counted)
            else:
                self._limit(at)
        self._total = self._row({self.given[pair]: units for pair, units in self.gain.items()}, 0, _MOST)
        self.highs = _solver(self._columns(), self.upper, self.rows)

    def most(
        self, options: int, fixed: Fixed, *, at_least: int = 0, prefer: Pair | None = None
    ) -> Named | None:
        """Return an allocation with the most units, see the port."""
        highs = self.highs
        for option, column in self.used.items():
            highs.changeColBounds(column, 0, options >> option & 1)
        for pair, column in self.given.items():
            low, high = self._limits(pair, fixed) if pair in fixed else (0, self.upper[column])
            highs.changeColBounds(column, low, high)
            gain = self.gain[pair] if prefer is None else int(pair == prefer)
            highs.changeColCost(column, gain)
        highs.changeRowBounds(self._total, at_least if prefer is not None else 0, _MOST)
        highs.run()
        return self._named(at_least)

    def _named(self, at_least: int) -> Named | None:
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return Named(grants=(), bound=at_least - 1)
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        values = self.highs.getSolution().col_value
        grants = []
        for (option, place), column in self.given.items():
            value = round(values[column])
            if abs(values[column] - value) > _WHOLE:
                return None
            if value:
                is_course = place < self.layout.problem.course_count
                grants.append((option, place, self.layout.units[place] if is_course else value))
        bound = self.highs.getInfo().mip_dual_bound
        return Named(grants=tuple(grants), bound=int(bound + _WHOLE))

    def _limits(self, pair: Pair, fixed: Fixed) -> tuple[int, int]:
        units = fixed[pair]
        if units is None:
            return 0, 0
        return (1, 1) if pair[1] < self.layout.problem.course_count else (units, units)

    def _units(self, pair: Pair) -> int:
        return self.layout.units[pair[1]] if pair[1] < self.layout.problem.course_count else 1

    def _column(self, upper: int) -> int:
        self.upper.append(upper)
        return len(self.upper) - 1

    def _columns(self) -> list[int]:
        costs = [0] * len(self.upper)
        for pair, column in self.given.items():
            costs[column] = self.gain[pair]
        return costs

    def _row(self, coefficients: dict[int, int], low: float, high: float) -> int:
        self.rows.append((coefficients, low, high))
        return len(self.rows) - 1

    def _link(self) -> None:
        """What is given is used; a bundle is whole; a course is given once; rivals are not used together."""
        problem = self.layout.problem
        takers: dict[int, dict[int, int]] = {}
        for (option, place), column in self.given.items():
            is_course = place < problem.course_count
            is_bundle = is_course and problem.bundles >> option & 1
            self._row({column: 1, self.used[option]: -self.upper[column]}, 0 if is_bundle else -_MOST, 0)
            if is_course:
                takers.setdefault(place, {})[column] = 1
        for columns in takers.values():
            if len(columns) > 1:
                self._row(columns, 0, 1)
        for one in self.layout.options:
            for two in bits(problem.conflicts[one] & self.layout.mask):
                if one < two:
                    self._row({self.used[one]: 1, self.used[two]: 1}, 0, 1)

    def _within(self, at: int) -> list[Pair]:
        bound = self.layout.bounds[at]
        return [
            (option, place)
            for option, place in self.given
            if bound.options >> option & 1 and bound.places >> place & 1
        ]

    def _limit(self, at: int) -> None:
        count = self.layout.problem.course_count
        measure = self.layout.bounds[at].measure
        if measure == "leftover":
            row = {
                self.given[pair]: 1 if pair[1] >= count else -self.layout.left_of_one(pair[0])
                for pair in self._within(at)
            }
            self._row(row, -_MOST, 0)
            return
        if measure == "courses":
            row = {self.given[pair]: 1 for pair in self._within(at) if pair[1] < count}
        else:
            row = {self.given[pair]: self.gain[pair] for pair in self._within(at)}
        if row:
            self._row(row, 0, self.layout.rooms[at])

    def _count(self, at: int, counted: Mapping[int, Sequence[str]]) -> None:
        """At most so many outcomes: each is counted when anything is given for it."""
        pairs = self._within(at)
        seen = {one: self._column(1) for one in sorted({x for pair in pairs for x in counted[pair[0]]})}
        for pair in pairs:
            for outcome in counted[pair[0]]:
                column = self.given[pair]
                self._row({column: 1, seen[outcome]: -self.upper[column]}, -_MOST, 0)
        if seen:
            self._row(dict.fromkeys(seen.values(), 1), 0, self.layout.rooms[at])


_MOST = highspy.kHighsInf
"""No end. A large figure in its place is a figure to HiGHS, which cuts by it, and cuts too much."""
_Row = tuple[dict[int, int], float, float]
"""Coefficients by column, at least, at most."""


class _Silent(highspy.Highs):
    """HiGHS without the banner that the first one of a process prints, where JSON may be expected."""

    def enableCallbacks(self) -> None:  # noqa: N802 (its name there; the first call after it is made)
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _solver(costs: Sequence[int], upper: Sequence[int], rows: Sequence[_Row]) -> highspy.Highs:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(costs), len(rows)
    lp.col_cost_ = np.array(costs, dtype=float)
    lp.col_lower_ = np.zeros(len(costs))
    lp.col_upper_ = np.array(upper, dtype=float)
    lp.row_lower_ = np.array([low for _, low, _ in rows], dtype=float)
    lp.row_upper_ = np.array([high for _, _, high in rows], dtype=float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(costs)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row) for row, _, _ in rows)])
    lp.a_matrix_.index_ = np.array([at for row, _, _ in rows for at in row], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([value for row, _, _ in rows for value in row.values()], dtype=float)
    highs = _Silent()  # type: ignore[no-untyped-call]
    for name, value in (
        ("threads", 1),
        ("random_seed", 1),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.5),
        ("mip_max_nodes", _NODES_MAX),
    ):
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    return highs
