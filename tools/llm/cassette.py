"""Recorded exchanges on disk: one JSON file, readable in a diff. Holds no key and no header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from policies.errors import UsageError
from policies.records import Record
from tools.llm.base import Exchange, ModelRequest


class Cassette(Record):
    """A sequence of exchanges with one model."""

    format: Literal[1] = 1
    model: str
    exchanges: tuple[Exchange, ...]


def request_key(request: ModelRequest) -> str:
    """SHA-256 of what is asked; the output limit is left out, since it follows the budget that is left."""
    asked = request.model_dump(mode="json", exclude={"max_output_tokens"})
    text = json.dumps(asked, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def write_cassette(path: Path, model: str, exchanges: Sequence[Exchange]) -> None:
    """Write a cassette, making its folder."""
    cassette = Cassette(model=model, exchanges=tuple(exchanges))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cassette.model_dump(mode="json"), indent=1) + "\n", encoding="ascii")


def read_cassette(path: Path) -> Cassette:
    """Read a cassette. Raises UsageError when it is none."""
    try:
        return Cassette.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read the cassette {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise UsageError(f"{path} is not a cassette: {where}: {first['msg']}") from error
