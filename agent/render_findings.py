"""Findings, fixes, failures and claims as people read them: grouped, and cut to the decisive lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from agent.render_base import LISTED, count_of, indented, more, place, status, title
from policies.records import Claim, Finding, Rehearsal, Severity
from tools.plain_text import one_line

if TYPE_CHECKING:  # these bring git with them
    from agent.results import Fixed

MESSAGE_CHARS: Final = 300
PLACES: Final = 5
EVIDENCE_LINES: Final = 3
EVIDENCE_CHARS: Final = 160
SYMPTOM: Final = "rehearsal-failure"
"""The check whose findings are what the others cause."""
_EMPTY_WORDS: Final = ("", "output:", "Traceback (most recent call last):")
_CLAIM_ORDER: Final = ("confirmed", "refuted", "unverified", "judgement")


def render_findings(console: Console, findings: Sequence[Finding]) -> None:
    """What blocks with its evidence, then what is only advice."""
    blocking = [f for f in findings if f.severity is Severity.BLOCKING]
    advice = [f for f in findings if f.severity is not Severity.BLOCKING]
    _section(console, blocking, heading="To mend", style="red")
    _section(console, advice, heading="Advice, blocks nothing", style="yellow")


def _section(console: Console, findings: Sequence[Finding], *, heading: str, style: str) -> None:
    if not findings:
        return
    title(console, f"{heading} ({len(findings)})")
    groups = list(_alike(findings))
    for same in groups[:LISTED]:
        indented(console, _line(same, style), hang=2)
        if style == "red":
            for text in decisive(same[0]):
                indented(console, Text(text, "dim"), by=4, hang=2)
    more(console, len(groups))


def _alike(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings that say the same, together; in the order of their first places."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (f.file, f.line)):
        groups.setdefault((finding.check, finding.message), []).append(finding)
    yield from groups.values()


def _line(same: Sequence[Finding], style: str) -> Text:
    message = one_line(same[0].message, limit=MESSAGE_CHARS)
    return Text.assemble((_places(same), "bold"), f"  {message}  ", (f"[{same[0].check}]", style))


def _places(same: Sequence[Finding]) -> str:
    """E.g. `src/main.py:26, src/train.py:14, 191 and 2 more`."""
    told: list[str] = []
    file = ""
    for where in dict.fromkeys(map(place, same)):
        before, file = file, where.rpartition(":")[0]
        told.append(where.removeprefix(f"{file}:") if file and file == before else where)
    left = len(told) - PLACES
    return ", ".join(told[:PLACES]) + (f" and {left} more" if left > 0 else "")


def decisive(finding: Finding) -> list[str]:
    """The few lines of a finding's evidence that its message does not say already."""
    kept: list[str] = []
    for line in finding.evidence.splitlines():
        text = one_line(line)
        said = text.partition(": ")[2][:60] or text
        if text in _EMPTY_WORDS or said in finding.message:
            continue
        # What is said twice counts where it is said last: output ends with what went wrong.
        kept = [earlier for earlier in kept if said not in earlier]
        kept.append(one_line(text, limit=EVIDENCE_CHARS))
    if len(kept) <= EVIDENCE_LINES:
        return kept
    return [*kept[: EVIDENCE_LINES - 1], kept[-1]]


def render_fixes(console: Console, fixed: Sequence[Fixed]) -> None:
    """What was mended, by attempt and file. What a rehearsal showed counts once its causes are listed."""
    if not fixed:
        return
    title(console, f"Fixed ({len(fixed)})")
    for (number, how), items in groupby(fixed, key=lambda f: (f.attempt, f.how)):
        findings = [item.finding for item in items]
        causes = [f for f in findings if f.check != SYMPTOM] or findings
        by = {"codemod": "by codemods", "model": "by the model"}.get(how, f"by the {one_line(how)}")
        indented(console, Text(f"attempt {number}, {by}", "dim"))
        groups = list(_alike(causes))
        for same in groups[:LISTED]:
            indented(console, _line(same, "green"), by=4, hang=2)
        more(console, len(groups))
        if len(causes) < len(findings):
            gone = count_of(len(findings) - len(causes), "failure")
            indented(console, f"and with that {gone} in rehearsals", by=4)


def render_failures(console: Console, items: Sequence[Rehearsal], known: Sequence[Finding] = ()) -> None:
    """Failures and what was skipped, equal ones together; nothing that a finding tells already."""
    told = {(f.file, f.line) for f in known if f.check == SYMPTOM}
    groups: dict[tuple[str, str, str], list[Rehearsal]] = {}
    for item in items:
        if item.failure is None or (item.failure.file, item.failure.line) not in told:
            what, said = _said(item)
            if said:
                key = (item.phase, what, said.replace(item.run_id, "<run>") if item.run_id else said)
                groups.setdefault(key, []).append(item)
    for (phase, what, said), same in groups.items():
        label = f"{phase} of {len(same)} runs" if len(same) > 1 else f"{phase} {same[0].run_id}".strip()
        said = said if len(same) > 1 else _said(same[0])[1]
        cut = one_line(said, limit=MESSAGE_CHARS)
        gap = " " if what and not cut.startswith(":") else ""
        line = Text.assemble(f"{one_line(label)}: ", (what, "red"), gap, cut)
        indented(console, line, hang=2)


def _said(item: Rehearsal) -> tuple[str, str]:
    """The exception and what follows it; no exception where it was skipped; nothing where it passed."""
    failure = item.failure
    if failure is None:
        return "", item.note if item.status != "passed" else ""
    where = f"at {failure.file}:{failure.line}" if failure.file else ""
    return one_line(failure.exception), f"{where}: {failure.message}"


def render_claims(console: Console, claims: Sequence[Claim], *, heading: str) -> None:
    """Claims by status; evidence that speaks of several is said once, after the last of them."""
    if not claims:
        return
    title(console, f"{heading} ({len(claims)})")
    open_ones = ("unverified", "judgement")
    ranked = sorted(
        claims, key=lambda c: (_CLAIM_ORDER.index(c.status), c.evidence if c.status in open_ones else "")
    )[:LISTED]
    for claim, following in zip(ranked, [*ranked[1:], None], strict=True):
        text = f"  {one_line(claim.text, limit=MESSAGE_CHARS)}"
        indented(console, Text.assemble(status(claim.status), text, (_origin(claim), "dim")), hang=2)
        if claim.evidence and (following is None or claim.evidence != following.evidence):
            indented(console, Text(one_line(claim.evidence, limit=MESSAGE_CHARS), "dim"), by=4, hang=2)
    more(console, len(claims))


def _origin(claim: Claim) -> str:
    """Who said it and of which place, where that is not the rejection; and whether it came too late."""
    by = "model" if claim.source == "model" else ""
    where = one_line(f"{claim.file}:{claim.line}") if claim.line else ""
    said = [part for part in (by, where, "late" if claim.late else "") if part]
    return f"  [{', '.join(said)}]" if said else ""
