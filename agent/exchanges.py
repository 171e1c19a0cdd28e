"""Keeps every exchange with the model on disk as it happens, so that a killed repair does not ask twice."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from tools.llm.base import Exchange, Model, ModelReply, ModelRequest
from tools.llm.cassette import request_key


class ExchangeLog:
    """The exchanges of the work that is under way, an attempt or a review; a sink for `RecordingModel`."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: where the files `<attempt>.exchanges.jsonl` and `review-….exchanges.jsonl` lie."""
        self._folder = folder
        self._path: Path | None = None
        self._kept: list[Exchange] = []

    def begin(self, number: int) -> None:
        """Turn to an attempt; what an earlier process recorded for it is read back."""
        self._open(str(number))

    def begin_review(self, digest: str, model: str) -> None:
        """Turn to a model's review of a bundle; what an earlier process recorded for it is read back."""
        name = hashlib.sha256(model.encode("utf-8", "replace")).hexdigest()[:8]
        self._open(f"review-{digest[:16]}-{name}")

    def _open(self, name: str) -> None:
        self._path = self._folder / f"{name}.exchanges.jsonl"
        self._kept = list(_read(self._path))

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What the attempt or review has exchanged so far."""
        return tuple(self._kept)

    def __call__(self, exchange: Exchange) -> None:
        """Write one exchange down before anybody parses it; a remembered one is there already."""
        if exchange in self._kept:
            return
        self._kept.append(exchange)
        assert self._path is not None, "an attempt or a review must have begun"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(exchange.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def recall(self, request: ModelRequest) -> ModelReply | None:
        """The reply that the same request got earlier in this attempt or review."""
        key = request_key(request)
        return next((e.reply for e in self._kept if e.reply and request_key(e.request) == key), None)


class RememberingModel:
    """Answers from the log where it can; the wrapped model is asked for the rest."""

    def __init__(self, inner: Model, log: ExchangeLog) -> None:
        self._inner = inner
        self._log = log

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self._inner.name

    def complete(self, request: ModelRequest) -> ModelReply:
        """The remembered reply, else a new one."""
        return self._log.recall(request) or self._inner.complete(request)


def _read(path: Path) -> list[Exchange]:
    """Whole lines only: a process killed while writing leaves half of one."""
    found: list[Exchange] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(Exchange.model_validate_json(line))
        except ValidationError:
            break
    return found
