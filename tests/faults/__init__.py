"""Campaigns that break things on purpose, one module a fault.

A slice of each runs in `make test`, all of it in `make nightly`.
"""
