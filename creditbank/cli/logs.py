"""Where the bank's own log goes when a command runs in a process of its own."""

import sys

import structlog


def configure_logs() -> None:
    """Log to standard error, in plain lines: a traceback shows where, and never the values of a frame."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
    )
