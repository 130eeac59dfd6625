"""The commands that make and upgrade a bank are killed."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of("kill_upgrades", "kill_creations")
