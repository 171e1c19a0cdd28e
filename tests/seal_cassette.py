"""Keeps model exchanges about a bundle that must not be copied: `python tests/seal_cassette.py LEDGER FILE`.

Requests are kept by their hash. Replies quote the bundle, so they are compressed against the bundle's own
text as it came in: whoever has that text can read them, nobody else.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from policies.errors import ModelUnavailable
from policies.records import Bundle
from tools.ledger_read import LedgerReader
from tools.llm.base import Exchange, ModelReply, ModelRequest, Usage
from tools.llm.cassette import request_key


def dictionary(bundle: Bundle) -> bytes:
    """What replies are compressed against; the compressor looks at its last 32 KiB."""
    return "\n".join(bundle.tree[path] for path in sorted(bundle.tree)).encode()


def seal(exchange: Exchange, bundle: Bundle) -> dict[str, Any]:
    """One exchange as JSON data without a word of the bundle."""
    assert exchange.reply is not None, "only answered requests are worth keeping"
    packer = zlib.compressobj(level=9, zdict=dictionary(bundle))
    packed = packer.compress(exchange.reply.text.encode()) + packer.flush()
    return {
        "request": request_key(exchange.request),
        "purpose": exchange.request.purpose,
        "model": exchange.reply.model,
        "usage": exchange.reply.usage.model_dump(),
        "finish_reason": exchange.reply.finish_reason,
        "reply": base64.b64encode(packed).decode(),
    }


def unseal(data: dict[str, Any], bundle: Bundle) -> ModelReply:
    """The reply of a sealed exchange. Raises zlib.error when the bundle is another."""
    unpacker = zlib.decompressobj(zdict=dictionary(bundle))
    text = unpacker.decompress(base64.b64decode(data["reply"])) + unpacker.flush()
    return ModelReply(
        text=text.decode(),
        usage=Usage.model_validate(data["usage"]),
        model=data["model"],
        finish_reason=data["finish_reason"],
    )


class SealedModel:
    """Plays sealed replies back in their order: prompts quote rehearsals, which no two machines repeat."""

    def __init__(self, path: Path, bundle: Bundle) -> None:
        recorded = json.loads(path.read_text())["exchanges"]
        self._replies = [(data["purpose"], unseal(data, bundle)) for data in recorded]
        self.missing: list[str] = []
        """Purposes of requests that the recording does not answer: it must be made anew."""

    @property
    def name(self) -> str:
        """The name of the model that answered."""
        return "sealed cassette"

    @property
    def unused(self) -> int:
        """Recorded replies that nobody has asked for."""
        return len(self._replies)

    def complete(self, request: ModelRequest) -> ModelReply:
        """The next recorded reply. Raises ModelUnavailable when it answers no such request."""
        if not self._replies or self._replies[0][0] != request.purpose:
            self.missing.append(request.purpose)
            raise ModelUnavailable(f"the sealed cassette has no reply to this request ({request.purpose})")
        return self._replies.pop(0)[1]


def main(ledger: str, target: str) -> None:
    """Write the exchanges of every attempt of a ledger."""
    with LedgerReader.open(Path(ledger)) as book:
        bundle = book.request().bundle
        exchanges = [e for entry in book.attempts() for e in book.record(entry.number).exchanges]
        source = "/".join(Path(book.request().source).parts[-2:])
    data = {"bundle": source, "exchanges": [seal(exchange, bundle) for exchange in exchanges]}
    Path(target).write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
