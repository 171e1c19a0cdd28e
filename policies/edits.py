"""The answer that a model gives to a repair request, and what applying it to a bundle yields."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from policies.anchors import EditProblem, replace_definition, replace_text
from policies.contract import Contract
from policies.errors import BadReply
from policies.parsed import Document, Module, parse_module, parse_toml, parse_yaml
from policies.records import Bundle

SCHEMA_NAME = "repair_answer"
MAX_LISTED = 80
"""Files that a message lists."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Edit(_Part):
    """One change of one file."""

    file: str
    """Path inside the bundle, e.g. src/train.py."""
    kind: Literal["replace", "replace_function", "write_file"]
    """replace: anchor is text that occurs exactly once. replace_function: anchor is the qualified name of a
    function, method or class. write_file: text becomes the whole file, anchor is empty."""
    anchor: str
    """What is replaced: copied exactly from the current file, without line numbers."""
    text: str
    """What stands there afterwards."""


class Unresolved(_Part):
    """A finding that the model leaves alone."""

    finding: str
    """Its number, e.g. F2."""
    reason: str
    """What is missing to repair it."""


class RepairAnswer(_Part):
    """Edits, and what they leave open."""

    analysis: str
    """The causes, in at most five short sentences."""
    edits: tuple[Edit, ...]
    unresolved: tuple[Unresolved, ...]


@dataclass(frozen=True)
class ApplyResult:
    """What became of the edits of one answer."""

    bundle: Bundle | None
    """The bundle after the edits that applied; None when none did."""
    problems: tuple[str, ...] = ()
    """Why the others did not, one precise message each, fit to be fed back."""
    notes: tuple[str, ...] = ()
    """What was tolerated, one sentence each."""


def answer_schema() -> dict[str, Any]:  # a JSON schema has no narrower type
    """The JSON schema of an answer: every field required, no others, so that strict output accepts it."""
    return RepairAnswer.model_json_schema()


def parse_answer(text: str) -> RepairAnswer:
    """Read an answer, around which some models write fences, thoughts or prose.

    Raises: BadReply with a message fit to be fed back.
    """
    data = json_object(text)
    for key, empty in (("analysis", ""), ("edits", []), ("unresolved", [])):
        data.setdefault(key, empty)
    try:
        return RepairAnswer.model_validate_json(json.dumps(data))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise BadReply(f"the answer does not fit the schema: {told}") from error


def apply_edits(
    bundle: Bundle, answer: RepairAnswer, contract: Contract, *, rewritable: Collection[str] = ()
) -> ApplyResult:
    """Apply what can be applied; the edits of one file count only if the file parses afterwards.

    Args:
        rewritable: files that may be written whole although they are there and parse.
    """
    patch = _Patch(bundle, contract, frozenset(rewritable))
    for number, edit in enumerate(answer.edits, 1):
        patch.apply(number, edit)
    return patch.result()


@dataclass
class _Patch:
    """The work of `apply_edits`: texts so far, and which edits made them."""

    bundle: Bundle
    contract: Contract
    rewritable: frozenset[str]
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def apply(self, number: int, edit: Edit) -> None:
        """Apply one edit to its file's current text, or note why not."""
        path = _normal(edit.file)
        label = f"edit {number} ({edit.kind} in {path})"
        try:
            self._require_editable(path)
            text, note = self._edited(path, edit)
        except EditProblem as problem:
            self.problems.append(f"{label}: {problem}")
            return
        self.texts[path] = text
        self.numbers.setdefault(path, []).append(number)
        if note:
            self.notes.append(f"{label}: {note}")

    def result(self) -> ApplyResult:
        """The bundle with every edited file that parses."""
        bundle = self.bundle
        for path, text in self.texts.items():
            error = parse_error(path, text)
            if error:
                which = ", ".join(map(str, self.numbers[path]))
                self.problems.append(
                    f"edit {which}: {path} does not parse afterwards: {error}; left as it was"
                )
            else:
                bundle = bundle.with_file(path, text)
        changed = bundle.digest != self.bundle.digest
        return ApplyResult(bundle if changed else None, tuple(self.problems), tuple(self.notes))

    def _require_editable(self, path: str) -> None:
        given = self.contract.run_config_dir.strip("/") + "/"
        if path in self.bundle.run_configs or path.startswith(given):
            raise EditProblem("run configs are given and must not be changed; adapt the code to them")
        if path in self.bundle.given or path in self.bundle.binaries:
            raise EditProblem("tests, their settings and data are given; repair the code that they test")
        if path not in self.contract.files:
            listed = ", ".join(self.contract.files[:MAX_LISTED])
            raise EditProblem(f"not a file of the bundle; only these are: {listed}")

    def _edited(self, path: str, edit: Edit) -> tuple[str, str]:
        current = self.texts.get(path, self.bundle.files.get(path, ""))
        if edit.kind == "write_file":
            return self._written(path, current, edit.text), ""
        if not current.strip():
            raise EditProblem("the file is empty: use write_file")
        if edit.kind == "replace":
            return replace_text(current, edit.anchor, edit.text)
        return replace_definition(current, edit.anchor, edit.text), ""

    def _written(self, path: str, current: str, text: str) -> str:
        whole = path in self.rewritable or path in self.texts
        if not whole and current.strip() and not parse_error(path, current) and not _hollow(path, current):
            raise EditProblem(
                "write_file is for files that are missing, empty or do not parse; "
                "use replace or replace_function on this one"
            )
        if not text.strip():
            raise EditProblem("the text is empty")
        return text if text.endswith("\n") else text + "\n"


def parse_error(path: str, text: str) -> str:
    """Why a file does not parse, with its line; empty when it does or is of another kind."""
    kind = path.rsplit(".", 1)[-1]
    parsed: Module | Document
    if kind == "py":
        parsed = parse_module(path, text)
    elif kind in ("toml", "yaml", "yml"):
        parsed = parse_toml(path, text) if kind == "toml" else parse_yaml(path, text)
    else:
        return ""
    if not parsed.error:
        return ""
    lines = text.split("\n")
    quoted = lines[parsed.error_line - 1].strip()[:160] if 0 < parsed.error_line <= len(lines) else ""
    return f"line {parsed.error_line}: {parsed.error}" + (f": `{quoted}`" if quoted else "")


def _hollow(path: str, text: str) -> bool:
    """A Python file without a statement."""
    return path.endswith(".py") and parse_module(path, text).empty


def _normal(path: str) -> str:
    return posixpath.normpath(path.strip().replace("\\", "/"))


def json_object(text: str) -> dict[str, Any]:  # parsed JSON has no narrower type
    """The JSON object in a text that may hold more than it. Raises BadReply."""
    body = re.sub(r"(?s)^.*</think(?:ing)?>", "", text).strip()
    candidates = [body, *re.findall(r"(?s)```(?:json)?[ \t]*\n(.*?)\n?```", body)]
    start, end = body.find("{"), body.rfind("}")
    if 0 <= start < end:
        candidates.append(body[start : end + 1])
    problem = "there is no JSON object in it"
    for candidate in candidates:
        try:
            data = json.loads(candidate, strict=False)
        except (ValueError, RecursionError) as error:
            problem = str(error)
            continue
        if isinstance(data, dict):
            return data
        problem = f"it is a {type(data).__name__}, not an object"
    raise BadReply(f"the answer is not one JSON object: {problem}")
