"""The units of the best allocation by an integer programme, solved by HiGHS: a peer for larger instances."""

from collections.abc import Mapping

import highspy
import numpy as np

from creditbank.conversion.layout import bits
from creditbank.conversion.problem import Problem
from creditbank.terms import OutcomeId


class Milp:
    """One posed problem as columns and rows: an option used, a course exempted by it, units in a bucket."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.cost: list[float] = []
        self.rows: list[dict[int, float]] = []
        self.row_upper: list[float] = []
        options = range(len(problem.options))
        self.used = [self._column(0, 1) for _ in options]
        self.course = {
            (option, place): self._column(problem.units[place], 1)
            for option in options
            for place in bits(problem.covers[option])
        }
        self.bucket = {
            (option, place): self._column(1, problem.units[place])
            for option in options
            for place in bits(problem.fills[option])
        }
        self._link()
        self._bound()

    def _column(self, cost: float, upper: float) -> int:
        self.cost.append(cost)
        self.lower.append(0)
        self.upper.append(upper)
        return len(self.cost) - 1

    def _at_most(self, row: dict[int, float], upper: float) -> None:
        self.rows.append(row)
        self.row_upper.append(upper)

    def _link(self) -> None:
        for (option, place), column in self.course.items():
            self._at_most({column: 1, self.used[option]: -1}, 0)
            if self.problem.bundles >> option & 1:
                self._at_most({column: -1, self.used[option]: 1}, 0)
            assert place < self.problem.course_count
        for (option, place), column in self.bucket.items():
            self._at_most({column: 1, self.used[option]: -self.problem.units[place]}, 0)
        for place in range(self.problem.course_count):
            takers = {column: 1.0 for (_, at), column in self.course.items() if at == place}
            if len(takers) > 1:
                self._at_most(takers, 1)
        for one, rivals in enumerate(self.problem.conflicts):
            for two in bits(rivals >> one << one):
                self._at_most({self.used[one]: 1, self.used[two]: 1}, 1)

    def _bound(self) -> None:
        for bound in self.problem.bounds:
            if bound.counted is not None:
                self._count(bound.counted, bound.places, bound.options, bound.room)
                continue
            row: dict[int, float] = {}
            for (option, place), column in (self.course | self.bucket).items():
                if not (bound.options >> option & 1 and bound.places >> place & 1):
                    continue
                is_course = (option, place) in self.course
                if bound.measure == "leftover":
                    filled = bits(self.problem.fills[option])
                    row[column] = -sum(self.problem.units[one] for one in filled) if is_course else 1
                elif bound.measure == "courses":
                    row[column] = 1 if is_course else 0
                else:
                    row[column] = self.problem.units[place] if is_course else 1
            if row:
                self._at_most(row, bound.room)

    def _count(
        self, counted: Mapping[int, tuple[OutcomeId, ...]], places: int, options: int, room: int
    ) -> None:
        seen = {one: self._column(0, 1) for one in sorted({x for found in counted.values() for x in found})}
        for (option, place), column in (self.course | self.bucket).items():
            if options >> option & 1 and places >> place & 1:
                for outcome in counted[option]:
                    self._at_most({column: 1, seen[outcome]: -self.upper[column]}, 0)
        self._at_most(dict.fromkeys(seen.values(), 1.0), room)

    def model(self) -> highspy.HighsLp:
        """Return the model, ready to be passed to the solver."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.rows)
        lp.col_cost_ = np.array(self.cost, dtype=float)
        lp.col_lower_ = np.array(self.lower, dtype=float)
        lp.col_upper_ = np.array(self.upper, dtype=float)
        lp.row_lower_ = np.full(len(self.rows), -highspy.kHighsInf)
        lp.row_upper_ = np.array(self.row_upper, dtype=float)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(self.cost)
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        starts = np.cumsum([0, *(len(row) for row in self.rows)])
        lp.a_matrix_.start_ = starts
        lp.a_matrix_.index_ = np.array([at for row in self.rows for at in row], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([value for row in self.rows for value in row.values()], dtype=float)
        return lp


def solver() -> highspy.Highs:
    """Return a silent solver for one thread, which looks for the exact optimum."""
    found = highspy.Highs()  # type: ignore[no-untyped-call]
    found.setOptionValue("output_flag", False)  # noqa: FBT003
    found.setOptionValue("threads", 1)
    found.setOptionValue("mip_rel_gap", 0.0)
    found.setOptionValue("mip_abs_gap", 0.5)
    return found


def most_units(highs: highspy.Highs, model: highspy.HighsLp) -> int:
    """Return the units of the best allocation."""
    highs.passModel(model)
    highs.run()
    return round(highs.getInfo().objective_function_value)
