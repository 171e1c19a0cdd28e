"""Puts a review request together: every file with line numbers, stable parts first, foreign text fenced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.excerpts import numbered
from agent.fence import Fence, cut, fence_for
from agent.prompt_parts import context_text, contract_lines, rules, that_fits
from agent.repair_prompt import steady
from policies.contract import Contract
from policies.parsed import ParsedBundle
from policies.records import Claim, Finding, Rehearsal, ResearchContext
from policies.review_answer import REVIEW_SCHEMA_NAME, lines_of, review_schema
from tools.llm.base import Message, ModelRequest

MAX_PROMPT_TOKENS = 80_000
"""A longer prompt is built again with shorter files."""
FILE_LINES = (4000, 1200, 400, 120)
"""Lines of each file that are shown; the next value is tried when the prompt gets too long."""
LINE_CHARS = 600
FINDINGS = 60
CLAIMS = 60


def build_review(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    claims: Sequence[Claim],
    rehearsals: Sequence[Rehearsal] = (),
    *,
    max_prompt_tokens: int = MAX_PROMPT_TOKENS,
) -> ModelRequest:
    """Ask for a review; equal arguments give equal requests, and so do rehearsals that differ in time only.

    Args:
        claims: what reviewers said before, as tested on this bundle.
    """
    parts = _told(findings, claims, rehearsals)
    fence = _fence(subject, list(parts.values()))
    return that_fits(
        lambda limit: _request(_text(subject, parts, fence, limit)), FILE_LINES, max_prompt_tokens
    )


def _request(user: str) -> ModelRequest:
    return ModelRequest(
        purpose="review",
        messages=(Message(role="system", content=rules("review")), Message(role="user", content=user)),
        schema_name=REVIEW_SCHEMA_NAME,
        json_schema=review_schema(),
    )


def _told(
    findings: Sequence[Finding], claims: Sequence[Claim], rehearsals: Sequence[Rehearsal]
) -> dict[str, str]:
    """The sections that change from review to review, by heading."""
    return {
        "Findings of the checks": "\n".join(map(_finding, findings[:FINDINGS])) or "(none)",
        "Runs": "\n".join(map(_run, rehearsals)) or "(nothing was run)",
        "What reviewers said before": "\n".join(map(_claim, claims[:CLAIMS])) or "(nothing)",
    }


def _fence(subject: ParsedBundle, told: Sequence[str]) -> Fence:
    """A fence whose key stays the same for all versions of a bundle."""
    tree = subject.bundle.tree
    stable = (_contract(subject.contract), _context(subject.context), *subject.bundle.run_configs.values())
    return fence_for(stable, (*tree, *tree.values(), *told))


def _text(subject: ParsedBundle, told: dict[str, str], fence: Fence, limit: int) -> str:
    bundle = subject.bundle
    context = _context(subject.context)
    given = {path: text for path, text in bundle.tree.items() if path not in bundle.files}
    own = {path: bundle.files.get(path) for path in dict.fromkeys((*subject.contract.files, *bundle.files))}
    parts = [
        f"# Contract\n{fence('contract', _contract(subject.contract))}",
        f"# Research context\n{fence('context', context)}" if context else "",
        "\n".join(["# Given files", *_files(given, fence, limit)]) if given else "",
        "\n".join(["# Files under review", *_files(own, fence, limit)]),
        *(f"# {heading}\n{fence(heading.lower(), text)}" for heading, text in told.items()),
    ]
    return "\n\n".join(part for part in parts if part)


def _contract(contract: Contract) -> str:
    lines = contract_lines(contract)
    for criterion in contract.criteria:
        lines += [f"{criterion.number}. {criterion.title}", *(f"   - {s}" for s in criterion.sentences)]
    return cut("\n".join(lines), 20_000)


def _context(context: ResearchContext) -> str:
    return context_text(context, hypothesis=3000, method=12_000, design=6000)


def _files(files: dict[str, str] | dict[str, str | None], fence: Fence, limit: int) -> Iterator[str]:
    for path, text in files.items():
        if text is None:
            yield fence(path, "(the file is missing)")
        elif not text.strip():
            yield fence(path, "(the file is empty)")
        else:
            lines = lines_of(text)
            short = "\n".join(cut(line, LINE_CHARS) for line in lines)
            yield fence(path, numbered(short, range(1, limit + 1) if len(lines) > limit else None))


def _finding(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    evidence = cut(" ".join(steady(finding.evidence).split()), 300)
    return f"- [{finding.check}, {finding.severity}] {place}: {finding.message}\n  Evidence: {evidence}"


def _run(rehearsal: Rehearsal) -> str:
    """One rehearsal without what differs from machine to machine."""
    line = f"- {rehearsal.phase} {rehearsal.run_id}".rstrip() + f": {rehearsal.status}"
    proof, failure = rehearsal.proof, rehearsal.failure
    if proof is not None:
        moved = "moved" if proof.parameters_moved else "did not move"
        line += f"; {proof.batches} batches read, {proof.backward_passes} backward passes, "
        line += f"{proof.optimizer_steps} optimizer steps, parameters {moved}"
        line += f", {proof.optuna_trials} Optuna trials" if proof.optuna_trials else ""
        line += f", wandb modes {', '.join(proof.wandb_modes)}" if proof.wandb_modes else ""
    if failure is not None:
        where = f" at {failure.file}:{failure.line}" if failure.file else ""
        line += f"; {failure.exception}{where}: {cut(steady(failure.message), 600)}"
    return line


def _claim(claim: Claim) -> str:
    """An earlier claim, its place, and what testing it showed."""
    by = "the reviewing model" if claim.source == "model" else "the rejection"
    place = f" {claim.file}:{claim.line}" if claim.line else ""
    late = ", late" if claim.late else ""
    evidence = cut(" ".join(steady(claim.evidence).split()), 300)
    return f"- [{by}, {claim.status}{late}]{place} {claim.text}\n  Tested: {evidence}"
