"""Locks are held, and clocks go backwards."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of("storm", "turn_clocks")
