"""Puts the repair request of a plain project together: failing tests, and the code that they are about."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from agent.excerpts import excerpt, identifiers, outline
from agent.fence import Fence, cut, fence_for
from agent.prompt_parts import rules, that_fits
from agent.repair_prompt import MAX_PROMPT_TOKENS, WHOLE_FILE_LINES, history_part, steady
from policies.edits import SCHEMA_NAME, answer_schema
from policies.first_party import is_own, lookup, resolve
from policies.parsed import ParsedBundle
from policies.records import FailedTest, Finding, Rehearsal
from policies.tested_code import used_by
from tools.llm.base import Message, ModelRequest

MAX_LISTED = 80
"""Editable files that are named."""
MAX_OUTLINES = 12
"""Modules around those with findings whose outline is shown."""
EVIDENCE_CHARS = 4000


def build_tests_request(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    *,
    history: Sequence[str] = (),
    rehearsals: Sequence[Rehearsal] = (),
    max_prompt_tokens: int = MAX_PROMPT_TOKENS,
) -> ModelRequest:
    """Ask for the repair of failing tests; equal arguments give equal requests."""
    build = partial(_request, subject, findings, history, rehearsals)
    return that_fits(build, WHOLE_FILE_LINES, max_prompt_tokens)


def _request(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    history: Sequence[str],
    rehearsals: Sequence[Rehearsal],
    whole_lines: int,
) -> ModelRequest:
    told = [f.model_dump_json() for f in findings]
    fence = fence_for(tuple(subject.bundle.given.values()), (*subject.bundle.files.values(), *told, *history))
    failed = [test for rehearsal in rehearsals for test in rehearsal.tests]
    parts = [
        _project(subject),
        _sources(subject, findings, failed, whole_lines, fence),
        _helpers(subject, failed, fence),
        _findings(findings, fence),
        history_part(history, fence),
    ]
    user = "\n\n".join(part for part in parts if part)
    return ModelRequest(
        purpose="repair",
        messages=(Message(role="system", content=rules("repair_tests")), Message(role="user", content=user)),
        schema_name=SCHEMA_NAME,
        json_schema=answer_schema(),
    )


def _project(subject: ParsedBundle) -> str:
    files = subject.contract.files
    more = f" and {len(files) - MAX_LISTED} more" if len(files) > MAX_LISTED else ""
    return "\n".join(
        [
            "# Project",
            f"Tests: {' '.join(subject.contract.trial)}",
            f"Editable files: {', '.join(files[:MAX_LISTED])}{more}",
        ]
    )


def _sources(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    failed: Sequence[FailedTest],
    whole_lines: int,
    fence: Fence,
) -> str:
    """The code under the failing tests, and the outlines of the modules that it uses or that use it."""
    places = _places(subject, findings, failed)
    names = identifiers("\n".join(f"{f.message}\n{f.evidence}" for f in findings))
    blocks = [
        fence(path, excerpt(path, subject.bundle.files[path], lines, names, whole_lines))
        for path, lines in places.items()
    ]
    for path in list(_around(subject, places))[:MAX_OUTLINES]:
        blocks.append(fence(f"{path} (outline)", outline(subject.modules[path]) or "(nothing is defined)"))
    return "# Source\n" + "\n".join(blocks)


def _places(
    subject: ParsedBundle, findings: Sequence[Finding], failed: Sequence[FailedTest]
) -> dict[str, list[int]]:
    """Editable file -> lines that matter: of findings, of frames, and of what the failing tests use."""
    spots = [(f.file, f.line) for f in findings]
    spots += [(t.failure.file, t.failure.line) for t in failed]
    spots += [(u.path, u.line) for t in failed for u in used_by(subject, t.test, t.test_line)]
    places: dict[str, list[int]] = {}
    for file, line in spots:
        if file in subject.bundle.files and line not in places.setdefault(file, []):
            places[file].append(line)
    return places


def _around(subject: ParsedBundle, places: dict[str, list[int]]) -> Iterator[str]:
    """Modules that those with findings import, then those that import them."""
    uses = {m.path: set(_imports(subject, m.path)) for m in subject.parsable}
    used = {path for place in places for path in uses.get(place, ())}
    users = {path for path, targets in uses.items() if not targets.isdisjoint(places)}
    yield from sorted(used - places.keys())
    yield from sorted(users - used - places.keys())


def _imports(subject: ParsedBundle, path: str) -> Iterator[str]:
    """Editable modules that a module imports."""
    module = subject.modules[path]
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            target = resolve(subject, module, node)
            inner = (
                [lookup(subject, f"{target.dotted}.{a.name}").module for a in node.names] if target else []
            )
            found = [*inner, target.module if target else None]
        elif isinstance(node, ast.Import):
            found = [lookup(subject, a.name).module for a in node.names if is_own(subject, a.name)]
        else:
            continue
        yield from (m.path for m in found if m is not None and m.path in subject.modules)


def _helpers(subject: ParsedBundle, failed: Sequence[FailedTest], fence: Fence) -> str:
    """The `conftest.py` files beside and above the failing tests."""
    folders = {p for t in failed for p in PurePosixPath(t.test.partition("::")[0]).parents}
    paths = sorted(str(folder / "conftest.py") for folder in folders)
    shown = [fence(p, cut(subject.bundle.given[p], 4000)) for p in paths if p in subject.bundle.given]
    return "# Helpers of the tests (given)\n" + "\n".join(shown) if shown else ""


def _findings(findings: Sequence[Finding], fence: Fence) -> str:
    lines = ["# Findings"]
    for number, f in enumerate(findings, 1):
        place = f"{f.file}:{f.line}" if f.line else f.file
        body = fence(f"F{number}", f"{f.message}\nEvidence: {cut(steady(f.evidence), EVIDENCE_CHARS)}")
        lines += [f"F{number} [{f.check}, {f.severity}] {place}", body]
    return "\n".join(lines)
