"""The errors of Suture, split by who must act.

    SutureError
    ├── UsageError            the user: the input or an option cannot be used        exit 2
    ├── BackendError          the machine: something needed is not there             exit 3
    │   ├── SandboxUnavailable
    │   ├── EnvironmentUnavailable
    │   └── ModelUnavailable
    ├── Interrupted           the user: stopped before there was a result to show        exit 130
    ├── BadReply              the model: an answer that does not parse; fed back once
    └── LimitReached          a budget ends the run normally

A failing trial, a timeout or a refused patch is a value, never an exception.
"""

from __future__ import annotations


class SutureError(Exception):
    """Base of everything raised on purpose."""


class UsageError(SutureError):
    """The input or an option cannot be used; the message says which and what to do."""


class BackendError(SutureError):
    """The machine lacks something; the message says what and how to get it."""


class SandboxUnavailable(BackendError):
    """No sandbox backend can run here."""


class EnvironmentUnavailable(BackendError):
    """No Python environment with the bundle's libraries can be had."""


class ModelUnavailable(BackendError):
    """The model endpoint cannot be reached or refuses the request."""


class Interrupted(SutureError):
    """The user stopped the work before there was a result; the message says how to go on."""


class BadReply(SutureError):
    """A model's answer does not have the agreed form; the message is fed back to the model."""


class LimitReached(SutureError):
    """A budget is spent. `limit` names it: attempts, seconds, tokens or usd."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit
