"""Writers on SQLite are killed, fifty of them."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of("kill_writers", engine="sqlite")
