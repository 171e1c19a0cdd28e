"""Puts a repair request together: stable parts first, only what the findings need, foreign text fenced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from agent.excerpts import excerpt, identifiers, outline
from agent.fence import Fence, cut, fence_for
from agent.prompt_parts import context_text, contract_lines, rules, that_fits
from policies.edits import SCHEMA_NAME, answer_schema
from policies.parsed import ParsedBundle
from policies.records import Finding, Rehearsal, ResearchContext
from tools.llm.base import Message, ModelRequest

MAX_PROMPT_TOKENS = 24_000
"""A longer prompt is built again from smaller slices."""
WHOLE_FILE_LINES = (400, 150, 0)
"""Files up to this length are shown whole; the next value is tried when the prompt gets too long."""


def build_request(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    *,
    history: Sequence[str] = (),
    rehearsals: Sequence[Rehearsal] = (),
    max_prompt_tokens: int = MAX_PROMPT_TOKENS,
) -> ModelRequest:
    """Ask for the repair of `findings`; equal arguments give equal requests.

    Args:
        history: what was tried before on these findings and what came of it.
        rehearsals: failed ones add the end of their output.
    """
    build = partial(_request, subject, findings, history, rehearsals)
    return that_fits(build, WHOLE_FILE_LINES, max_prompt_tokens)


def _request(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    history: Sequence[str],
    rehearsals: Sequence[Rehearsal],
    whole_lines: int,
) -> ModelRequest:
    fence = _fence_for(subject, findings, history, rehearsals)
    parts = [
        _contract(subject, findings, fence),
        _context(subject.context, findings, fence),
        _run_configs(subject, findings, fence),
        _sources(subject, findings, rehearsals, whole_lines, fence),
        _findings(findings, rehearsals, fence),
        history_part(history, fence),
    ]
    user = "\n\n".join(part for part in parts if part)
    return ModelRequest(
        purpose="repair",
        messages=(Message(role="system", content=rules("repair")), Message(role="user", content=user)),
        schema_name=SCHEMA_NAME,
        json_schema=answer_schema(),
    )


def _fence_for(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    history: Sequence[str],
    rehearsals: Sequence[Rehearsal],
) -> Fence:
    """A fence whose key occurs in nothing that is fenced, and stays the same from attempt to attempt."""
    given = (subject.context.model_dump_json(), *subject.bundle.run_configs.values())
    others = (*subject.bundle.files.values(), *(f.model_dump_json() for f in findings), *history)
    tails = (r.failure.tail for r in rehearsals if r.failure)
    sentences = (s for c in subject.contract.criteria for s in c.sentences)
    return fence_for(given, (*others, *tails, *sentences))


def _contract(subject: ParsedBundle, findings: Sequence[Finding], fence: Fence) -> str:
    numbers = {f.criterion for f in findings}
    criteria = [
        f"{c.number}. {c.title}\n" + "\n".join(f"   - {s}" for s in c.sentences)
        for c in subject.contract.criteria
        if c.number in numbers
    ]
    return "\n".join(
        [
            "# Contract",
            *contract_lines(subject.contract),
            *([fence("criteria", cut("\n".join(criteria), 6000))] if criteria else []),
        ]
    )


def _context(context: ResearchContext, findings: Sequence[Finding], fence: Fence) -> str:
    """The research context: long where code must be written from it, else only what identifies the runs."""
    writing = any(f.criterion in (1, 3, 4) for f in findings)
    room = 6000 if writing else 600
    text = context_text(context, hypothesis=room // 6, method=room, design=room // 2)
    return f"# Research context\n{fence('context', text)}" if text else ""


def _run_configs(subject: ParsedBundle, findings: Sequence[Finding], fence: Fence) -> str:
    """The configs of the runs that the findings name first, whole, as far as they fit; the rest by name."""
    said = " ".join(f"{f.message} {f.evidence}" for f in findings)
    configs = sorted(
        subject.bundle.run_configs.items(), key=lambda item: (_run_id(item[0]) not in said, item[0])
    )
    room = 9000
    shown: list[str] = []
    rest: list[str] = []
    for path, text in configs:
        if len(text) <= room or not shown:
            shown.append(fence(path, cut(text, 9000)))
            room -= len(text)
        else:
            rest.append(path)
    more = f"\nAlso given, of the same form: {', '.join(rest)}" if rest else ""
    return "# Run configs\n" + "\n".join(shown) + more if shown else ""


def _run_id(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".yaml")


def _sources(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    rehearsals: Sequence[Rehearsal],
    whole_lines: int,
    fence: Fence,
) -> str:
    """The files with findings, those that their names lead to, and outlines of the others."""
    places: dict[str, list[int]] = {}
    for file, line in [*((f.file, f.line) for f in findings), *_frames(rehearsals)]:
        places.setdefault(file, []).append(line)
    names = identifiers("\n".join(f"{f.message}\n{f.evidence}" for f in findings))
    blocks = []
    for path in dict.fromkeys((*subject.contract.files, *subject.bundle.files)):
        text = subject.bundle.files.get(path)
        if text is None:
            blocks.append(f"{path}: missing")
        elif path in places or path.endswith((".yaml", ".yml")):
            blocks.append(fence(path, excerpt(path, text, places.get(path, [0]), names, whole_lines)))
        elif path in subject.modules:
            module = subject.modules[path]
            touched = module.tree is not None and any(getattr(n, "name", None) in names for n in module.nodes)
            body = excerpt(path, text, (), names, 0) if touched else outline(module)
            blocks.append(fence(f"{path} (outline)" if not touched else path, body or "(the file is empty)"))
    return "# Source\n" + "\n".join(blocks)


def _frames(rehearsals: Sequence[Rehearsal]) -> list[tuple[str, int]]:
    return [(r.failure.file, r.failure.line) for r in rehearsals if r.failure and r.failure.file]


def _findings(findings: Sequence[Finding], rehearsals: Sequence[Rehearsal], fence: Fence) -> str:
    lines = ["# Findings"]
    for number, f in enumerate(findings, 1):
        place = f"{f.file}:{f.line}" if f.line else f.file
        head = f"F{number} [{f.check}, criterion {f.criterion}, {f.severity}] {place}"
        lines += [head, fence(f"F{number}", f"{f.message}\nEvidence: {cut(steady(f.evidence), 1500)}")]
    seen: set[str] = set()
    for rehearsal in rehearsals:
        failure = rehearsal.failure
        tail = _last(steady(failure.tail), 2500) if failure else ""
        if failure and tail and tail not in seen:
            seen.add(tail)
            lines.append(fence(f"output of {failure.phase} {rehearsal.run_id}".rstrip(), tail))
    return "\n".join(lines)


def history_part(history: Sequence[str], fence: Fence) -> str:
    """What was tried before; empty when nothing was."""
    if not history:
        return ""
    text = "\n".join(f"- {cut(steady(note), 800)}" for note in history[-8:])
    return f"# Tried before, without success\n{fence('history', text)}"


def steady(text: str) -> str:
    """Output without what differs from run to run or machine to machine: addresses, paths, times."""
    text = re.sub(r"[^\n]*\r(?!\n)", "", text)
    # Where the interpreter lies tells the model nothing, and is nobody's business.
    text = re.sub(r"(?:/[\w.+@~-]+)+(?=/lib/python3\.\d+/)", "…", text)
    text = re.sub(r"(?:/[\w.+@~-]+)+(?=/bin/python)", "…", text)
    text = re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x…", text)
    text = re.sub(r"(/(?:private/)?(?:var/)?tmp/)[\w.\-]+", r"\1…", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?", "<time>", text)
    text = re.sub(r"\b(\d+:)?\d\d:\d\d(?:<[\d:?]+)?, *[\d.?]+ *(?:s/it|it/s)", "<pace>", text)
    return re.sub(r"\b\d+(?:\.\d+)? ?(?:ms|s|seconds)\b", "<n> s", text)


def _last(text: str, limit: int) -> str:
    return text if len(text) <= limit else "[…] " + text[-limit:].lstrip()
