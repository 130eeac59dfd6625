"""The code lists that outcomes and identities refer to: dated data with sources, and their library."""
