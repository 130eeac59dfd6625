"""`python -m tests.driver`: the bank's real services on a command line, for harnesses that break things."""
