"""Hands every exchange to a sink before anybody parses it, failed ones included."""

from __future__ import annotations

from collections.abc import Callable

from policies.errors import SutureError
from tools.llm.base import Exchange, Model, ModelReply, ModelRequest

Sink = Callable[[Exchange], None]


class RecordingModel:
    """Wraps a model; what goes in and comes out reaches the sink first."""

    def __init__(self, inner: Model, sink: Sink) -> None:
        self._inner = inner
        self._sink = sink

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self._inner.name

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer through the wrapped model; an interruption is recorded as well."""
        reply: ModelReply | None = None
        error = "interrupted before an answer came"
        try:
            reply = self._inner.complete(request)
            error = ""
            return reply
        except SutureError as failure:
            error = str(failure)
            raise
        finally:
            self._sink(Exchange(request=request, reply=reply, error=error))
