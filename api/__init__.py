"""The web: thin, decides nothing. It parses, calls one service, answers."""
