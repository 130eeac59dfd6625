"""PostgreSQL itself fails."""

from tests.faults.slices import slices_of

test_nothing_is_lost_doubled_or_overlooked = slices_of(
    "terminate_backends", "kill_backends", "restart_servers"
)
