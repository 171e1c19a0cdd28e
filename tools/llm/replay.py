"""Answers from recorded exchanges: no network, no key, the same answer to the same request."""

from __future__ import annotations

from collections import deque

from policies.errors import ModelUnavailable
from tools.llm.base import Exchange, ModelReply, ModelRequest
from tools.llm.cassette import Cassette, request_key


class ReplayModel:
    """Matches a request by its key; equal requests get their recorded answers in order."""

    def __init__(self, cassette: Cassette) -> None:
        self._name = cassette.model
        self._served = 0
        self._left: dict[str, deque[Exchange]] = {}
        for exchange in cassette.exchanges:
            self._left.setdefault(request_key(exchange.request), deque()).append(exchange)

    @property
    def name(self) -> str:
        """The name of the model that was recorded."""
        return self._name

    @property
    def unused(self) -> int:
        """Recorded exchanges that nobody has asked for."""
        return sum(len(queue) for queue in self._left.values())

    def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded answer. Raises ModelUnavailable for a recorded error and for an unknown request."""
        queue = self._left.get(request_key(request))
        if not queue:
            raise ModelUnavailable(self._miss(request))
        self._served += 1
        exchange = queue.popleft()
        if exchange.reply is None:
            raise ModelUnavailable(exchange.error)
        return exchange.reply

    def _miss(self, request: ModelRequest) -> str:
        said = (
            f"the recording of {self._name!r} has no answer to request {self._served + 1} "
            f"({request.purpose}, key {request_key(request)[:12]}); {self.unused} recorded ones are unused"
        )
        rest = [e.request for queue in self._left.values() for e in queue]
        return f"{said}; {_difference(request, rest[0])}" if rest else said


def _difference(request: ModelRequest, recorded: ModelRequest) -> str:
    """Where a request departs from the next recorded one, for the person who must find out why."""
    mine = "\n".join(f"[{m.role}]\n{m.content}" for m in request.messages).splitlines()
    theirs = "\n".join(f"[{m.role}]\n{m.content}" for m in recorded.messages).splitlines()
    for number, (a, b) in enumerate(zip(mine, theirs, strict=False), 1):
        if a != b:
            return f"line {number} is {a[:120]!r}, recorded was {b[:120]!r}"
    if len(mine) != len(theirs):
        return f"it has {len(mine)} lines, recorded were {len(theirs)}"
    return "the messages are equal, the schema or the purpose differs"
