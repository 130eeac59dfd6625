"""Keys: where they are kept, how they are opened, and the signer of the log's checkpoints."""
