"""The answer that a reviewing model gives, and whether what it cites stands where it says."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from policies.claims_base import joined
from policies.edits import json_object
from policies.errors import BadReply
from policies.records import Bundle

REVIEW_SCHEMA_NAME = "review_answer"
_NUMBER_COLUMN = re.compile(r"(?m)^ *\d+\| ?")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class CitedClaim(_Part):
    """One defect, with the place where it can be seen."""

    text: str
    """One atomic statement of what is wrong, in one sentence; names of code in backticks."""
    criterion: int
    """Number of the criterion that it breaks."""
    severity: Literal["blocking", "advisory"]
    """blocking: a run stops, its results are wrong, or a promised output is missing."""
    file: str
    """Path as shown, e.g. src/train.py."""
    start_line: int
    """First line of the place, by the number column."""
    end_line: int
    """Last line of the place."""
    quote: str
    """The decisive text of these lines, copied character by character, without the number column."""
    consequence: str
    """What happens because of it, in one sentence."""


class ReviewAnswer(_Part):
    """What the model says about a bundle."""

    claims: tuple[CitedClaim, ...]
    is_code_ready: bool
    """Whether the bundle can be run as it is, in the model's judgement."""


def review_schema() -> dict[str, Any]:  # a JSON schema has no narrower type
    """The JSON schema of an answer: every field required, no others, so that strict output accepts it."""
    return ReviewAnswer.model_json_schema()


def parse_review(text: str) -> ReviewAnswer:
    """Read an answer, around which some models write fences, thoughts or prose.

    Raises: BadReply with a message fit to be fed back.
    """
    data = json_object(text)
    try:
        return ReviewAnswer.model_validate_json(json.dumps(data))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise BadReply(f"the answer does not fit the schema: {told}") from error


def citation_problem(claim: CitedClaim, bundle: Bundle) -> str:
    """Why the citation does not hold; empty when the quote stands on the lines that are named."""
    text = bundle.tree.get(claim.file)
    if text is None:
        return f"there is no file {claim.file} in the bundle"
    lines = lines_of(text)
    first, last = claim.start_line, claim.end_line
    if not text.strip():
        return "" if not _plain(claim.quote) else f"{claim.file} is empty, so the quote does not stand there"
    if not 1 <= first <= last <= len(lines):
        return f"{claim.file} has {len(lines)} lines, there are no lines {first} to {last}"
    quote = _plain(claim.quote)
    if not quote:
        return "nothing is quoted"
    if quote in _plain("\n".join(lines[first - 1 : last])):
        return ""
    where = joined([f"{claim.file}:{n}" for n, line in enumerate(lines, 1) if quote in _plain(line)])
    return f"the quote is not on {claim.file}:{_span(first, last)}" + (f", but on {where}" if where else "")


def lines_of(text: str) -> list[str]:
    """The lines as the number column counts them: only a newline ends one."""
    return text.removesuffix("\n").split("\n")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _plain(text: str) -> str:
    """Text without a number column; any run of white space is one blank."""
    return " ".join(_NUMBER_COLUMN.sub("", text).split())
