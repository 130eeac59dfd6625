"""Who is asking, and what that principal may do. Everything is refused unless something here allows it."""
