"""Intake: from a path or standard input to a request."""

from tools.intake.reader import read_request

__all__ = ["read_request"]
