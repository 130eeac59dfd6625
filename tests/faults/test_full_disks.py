"""The disk is full."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of("limit_files", "fill_volumes")
