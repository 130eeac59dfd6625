"""The JSON routes: each parses, calls one service, answers."""
