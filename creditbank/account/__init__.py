"""Entries in, what the learner holds today out: entry bodies, holdings, statement."""
