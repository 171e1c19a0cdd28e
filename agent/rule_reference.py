"""The rule reference, made from the check classes: RULES.md, and what `suture explain` prints.

`python -m agent.rule_reference` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, Final

from agent.coverage_table import coverage_page
from policies.base import Bad, Check, Good
from policies.contract import STANDARD, Contract
from policies.errors import UsageError
from policies.model_claims import CHECK_ID as CLAIM_ID
from policies.policy import composed
from policies.python_tests import CONTRACT as PROJECT
from policies.python_tests import POLICY as PYTHON_TESTS
from policies.registry import all_checks, checks_for, kinds_of

PAGE: Final = Path(__file__).parents[1] / "RULES.md"
_LANGUAGES: Final = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def check_named(name: str, checks: Sequence[Check] = ()) -> Check:
    """The check with this id, of `checks` or else of all that ship.

    Raises UsageError that names the nearest ones.
    """
    known = {check.ID: check for check in (*all_checks(), *checks)}
    if name in known:
        return known[name]
    if name == CLAIM_ID:
        raise UsageError(
            f"`{name}` is no check: such a finding is a reviewer's claim that was tested and holds; "
            "its message is the claim, its evidence what shows it"
        )
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    near = near or [known_id for known_id in known if name and name in known_id][:3]
    hint = f"did you mean {', '.join(near)}?" if near else "`suture explain --all` lists them"
    raise UsageError(f"there is no check {name!r}; {hint}")


def check_data(check: Check, contract: Contract = STANDARD) -> dict[str, Any]:
    """A check's documentation for programs."""
    return {
        "check": check.ID,
        "criterion": check.CRITERION,
        "title": _title(check, contract),
        "severity": check.SEVERITY.value,
        "fixes": check.can_fix(),
        "why": check.why(),
        "good": [dict(_files(example, check)) for example in check.GOOD],
        "bad": [_bad_data(example, check) for example in check.BAD],
    }


def _bad_data(example: Bad, check: Check) -> dict[str, Any]:
    fixed = dict(_fixed_files(example, check))
    return {"files": dict(_files(example, check)), "lines": list(example.lines), "fixed": fixed or None}


def _files(example: Good, check: Check) -> Iterator[tuple[str, str]]:
    yield example.path or check.PATH, example.source
    yield from example.files.items()
    yield from example.run_configs.items()
    yield from example.given.items()


def _fixed_files(example: Bad, check: Check) -> Iterator[tuple[str, str]]:
    if example.fixed is not None:
        yield example.path or check.PATH, example.fixed
    yield from example.fixed_files.items()


def _title(check: Check, contract: Contract) -> str:
    """The title of the criterion; a check for another kind of contract numbers by that one's list."""
    listed = contract if not check.KINDS or contract.kind in kinds_of(type(check)) else PROJECT
    return next((c.title for c in listed.criteria if c.number == check.CRITERION), "")


def check_text(check: Check, contract: Contract = STANDARD) -> str:
    """A check's documentation for people, in Markdown."""
    does = "fixes it" if check.can_fix() else "reports it"
    lines = [
        f"### {check.ID}",
        f"Criterion {check.CRITERION} ({_title(check, contract)}), {check.SEVERITY.value}; {does}.",
        check.why(),
        "Bad:",
        *_blocks(_files(check.BAD[0], check)),
    ]
    fixed = list(_fixed_files(check.BAD[0], check))
    lines += ["Fixed:", *_blocks(fixed)] if fixed else ["Good:", *_blocks(_files(check.GOOD[0], check))]
    return "\n\n".join(lines) + "\n"


def _blocks(files: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> Iterator[str]:
    for path, text in files:
        # A longer fence than any inside the example.
        fence = "````" if "```" in text else "```"
        language = _LANGUAGES.get(PurePosixPath(path).suffix, "text")
        body = text.rstrip("\n") or "(empty)"
        yield f"`{path}`\n\n{fence}{language}\n{body}\n{fence}"


def _by_criterion(checks: Sequence[Check]) -> Iterator[tuple[int, list[Check]]]:
    ranked = sorted(checks, key=lambda c: (c.CRITERION, c.ID))
    for criterion, group in groupby(ranked, key=lambda c: c.CRITERION):
        yield criterion, list(group)


def table_text(checks: Sequence[Check], contract: Contract = STANDARD) -> str:
    """Every check on a line, by criterion, for a terminal."""
    width = max((len(check.ID) for check in checks), default=0)
    lines: list[str] = []
    for criterion, group in _by_criterion(checks):
        lines += ["", f"{criterion}. {_title(group[0], contract)}"]
        for check in group:
            does = "fixes" if check.can_fix() else "reports"
            lines.append(
                f"  {check.ID:{width}}  {check.SEVERITY.value:8}  {does:7}  {_first_sentence(check)}"
            )
    return "\n".join(lines[1:]) + "\n"


def _first_sentence(check: Check) -> str:
    return " ".join(check.why().partition("\n\n")[0].split())


def page_text() -> str:
    """The whole reference."""
    lines = [
        "# Rules",
        "Made from the check classes by `python -m agent.rule_reference`; do not edit by hand.\n"
        "A blocking rule keeps a bundle from being ready; an advisory one does not.",
        "| check | criterion | severity | |\n|---|---|---|---|\n" + "\n".join(_rows()),
    ]
    for criterion, checks in _by_criterion(checks_for(STANDARD.kind)):
        lines += [
            f"## {criterion}. {_title(checks[0], STANDARD)}",
            *(check_text(check).rstrip("\n") for check in checks),
        ]
    lines += [
        *_project_page(),
        "## What covers each sentence of the standard contract",
        "`suture explain --all --for INPUT` prints the same for the text that an input brings.",
        coverage_page(STANDARD),
    ]
    return "\n\n".join(lines) + "\n"


def _project_page() -> Iterator[str]:
    """The rules for plain projects: those shared with experiments by name, the others in full."""
    yield f"## Plain Python projects (`--policy {PROJECT.name}`)"
    checks = composed([PYTHON_TESTS]).checks_for()
    rows = [
        f"| [{c.ID}](#{c.ID}) | {_title(c, PROJECT)} | {c.SEVERITY.value} |"
        for _, group in _by_criterion(checks)
        for c in group
    ]
    yield "| check | criterion | severity |\n|---|---|---|\n" + "\n".join(rows)
    shared = {check.ID for check in checks_for(STANDARD.kind)}
    yield from (check_text(c, PROJECT).rstrip("\n") for c in checks if c.ID not in shared)


def _rows() -> Iterator[str]:
    for _, checks in _by_criterion(checks_for(STANDARD.kind)):
        for check in checks:
            does = "fixes" if check.can_fix() else "reports"
            yield f"| [{check.ID}](#{check.ID}) | {check.CRITERION} | {check.SEVERITY.value} | {does} |"


def main(argv: Sequence[str], page: Path = PAGE) -> int:
    """Write the page, or with `--check` compare it; the exit status."""
    text = page_text()
    if "--check" not in argv:
        page.write_text(text, encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{page.name} is out of date; run `python -m agent.rule_reference`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
