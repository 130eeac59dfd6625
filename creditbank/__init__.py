"""A personal learning account and credit bank whose records can be checked by a stranger."""
