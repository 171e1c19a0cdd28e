"""A model whose answers are written down beforehand, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policies.errors import ModelUnavailable
from tools.llm.base import ModelReply, ModelRequest, Usage
from tools.llm.reading import estimate_request, estimate_tokens

Script = Callable[[ModelRequest], str | ModelReply] | Sequence[str | ModelReply | Exception]


class ScriptedModel:
    """Answers from a list in order, or from a function of the request.

    A string becomes a reply whose usage is estimated; an exception in the list is raised.
    """

    def __init__(self, script: Script, *, name: str = "scripted") -> None:
        self._function = script if callable(script) else None
        self._replies: Iterator[str | ModelReply | Exception] = iter(() if callable(script) else script)
        self._name = name
        self.requests: list[ModelRequest] = []
        """Every request that arrived, in order."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    def complete(self, request: ModelRequest) -> ModelReply:
        """The next answer. Raises ModelUnavailable when the list is used up."""
        self.requests.append(request)
        answer = self._function(request) if self._function else next(self._replies, None)
        if answer is None:
            raise ModelUnavailable(
                f"the script of model {self._name!r} has no answer number {len(self.requests)}"
            )
        if isinstance(answer, Exception):
            raise answer
        return self._reply(request, answer) if isinstance(answer, str) else answer

    def _reply(self, request: ModelRequest, text: str) -> ModelReply:
        usage = Usage(input_tokens=estimate_request(request), output_tokens=estimate_tokens(text))
        return ModelReply(text=text, usage=usage, model=self._name)
