"""The one-method model contract and the values that cross it."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from policies.records import Record


class Message(Record):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class ModelRequest(Record):
    """What is asked."""

    purpose: Literal["repair", "review", "feedback"]
    messages: tuple[Message, ...]
    schema_name: str
    json_schema: dict[str, Any]  # a JSON schema has no narrower type
    """The form that the answer must have; strict structured output."""
    max_output_tokens: int = 16_000


class Usage(Record):
    """Tokens as the endpoint reported them; None where it reported nothing."""

    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None = None


class ModelReply(Record):
    """What came back, not yet parsed."""

    text: str
    usage: Usage
    model: str
    """The model's name as the endpoint reported it."""
    finish_reason: str = "stop"
    wall_s: float = 0.0


class Exchange(Record):
    """One request with its reply, or the error that came instead; recorded before anything is parsed."""

    request: ModelRequest
    reply: ModelReply | None
    error: str = ""


class Model(Protocol):
    """Anything that answers."""

    @property
    def name(self) -> str:
        """The model's name, for trailers and records."""
        ...

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request. Raises ModelUnavailable or LimitReached, nothing else."""
        ...
