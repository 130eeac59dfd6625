"""A PostgreSQL bank is tampered with."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of("tamper", "replace_whole", engine="postgresql")
