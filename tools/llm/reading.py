"""Reading a reply and sizing a request; no I/O. What the text means is the caller's business."""

from __future__ import annotations

import json
import math

from policies.errors import BadReply
from tools.llm.base import ModelReply, ModelRequest

BYTES_PER_TOKEN = 3.4
"""Low end of what tokenizers make of Python code and English, so estimates err on the high side."""

_UNUSABLE = {
    "length": "the answer was cut off at the output limit: send fewer or smaller edits",
    "refusal": "the answer was a refusal",
    "content_filter": "the answer was withheld by a content filter",
}


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def estimate_request(request: ModelRequest) -> int:
    """About how many input tokens a request costs, its schema included."""
    schema = estimate_tokens(json.dumps(request.json_schema))
    return schema + sum(estimate_tokens(m.content) + 4 for m in request.messages)


def answer_text(reply: ModelReply) -> str:
    """The text of a complete answer.

    Raises: BadReply when the answer was cut off, refused, withheld or empty.
    """
    if reply.finish_reason in _UNUSABLE:
        said = f": {reply.text.strip()[:300]}" if reply.finish_reason == "refusal" and reply.text else ""
        raise BadReply(_UNUSABLE[reply.finish_reason] + said)
    if not reply.text.strip():
        raise BadReply("the answer was empty")
    return reply.text
