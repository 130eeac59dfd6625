"""Checks on a certificate, each with a name, so that a verifier sees what was looked at and what was not."""
