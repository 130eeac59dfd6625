"""An append-only log that has never heard of education: encoding, entries, chains, tree, checkpoints."""
