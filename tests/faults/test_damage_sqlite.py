"""An SQLite bank is tampered with, bit by bit and whole."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of(
    "tamper", "replace_whole", "flip_bits", engine="sqlite"
)
