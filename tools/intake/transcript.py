"""Reads a review transcript: prompt, bundle JSON, verdict."""

from __future__ import annotations

import json
import re

from policies.contract import STANDARD, Contract
from policies.contract_reader import read_contract
from policies.errors import UsageError
from policies.records import Rejection, Request
from tools.intake.build import broken_json, build, run_config_path
from tools.intake.bundle_keys import files_of, flat_key, is_bundle, missing_keys, score
from tools.intake.context import read_context
from tools.intake.json_scan import Found, first_error, objects_in
from tools.intake.mojibake import wrong_code_page
from tools.intake.names import check_run_id, check_unique
from tools.intake.prompt import sections
from tools.intake.runs import ListedRun, listed_runs
from tools.intake.verdict import find_verdict


def read_transcript(label: str, text: str) -> Request:
    """The request in the text of a transcript."""
    text = text.replace("\r\n", "\n")
    found = _bundle(label, text)
    prompt = text[: found.start]
    parts = sections(prompt)
    criteria = parts.get("criteria", "")
    contract = read_contract(criteria)
    runs = _runs(label, parts.get("runs", ""), prompt)
    holder = _holder(found, contract)
    configs = {run_config_path(contract, r.run.run_id): r.config for r in runs if r.config is not None}
    bundle, notes = build(label, files_of(label, holder, contract.files), configs, contract)
    rejection = find_verdict(text[found.end :])
    return Request(
        source=label,
        kind="transcript",
        bundle=bundle,
        context=read_context(parts, criteria, tuple(r.run for r in runs)),
        criteria=criteria,
        rejection=rejection,
        notes=(*notes, *_notes(text, criteria, contract, holder, runs, rejection)),
    )


def _bundle(label: str, text: str) -> Found:
    """The JSON object that names the most files of a bundle; of equals the last one."""
    best: Found | None = None
    for found in objects_in(text):
        if _score(found) and (best is None or _score(found) >= _score(best)):
            best = found
    if best is None:
        keys = "|".join(re.escape(key) for path in STANDARD.files for key in (path, flat_key(path)))
        opening = re.search(r'\{\s*"(?:' + keys + ')"', text)
        if opening and (error := first_error(text, opening.start())):
            broken_json(label, error)
        raise UsageError(
            f"{label}: this is neither a review transcript nor a bundle JSON: it holds no bundle"
        )
    return best


def _score(found: Found) -> int:
    values = [found.value, *(v for v in found.value.values() if isinstance(v, dict))]
    return max(score(value, STANDARD.files) for value in values)


def _holder(found: Found, contract: Contract) -> dict[str, object]:
    """The object that holds the files: the one found or one of its values."""
    values = [found.value, *(v for v in found.value.values() if is_bundle(v, contract.files))]
    return max(values, key=lambda v: score(v, contract.files))


def _runs(label: str, listed: str, prompt: str) -> list[ListedRun]:
    """The runs of the run list, else any run that the prompt shows."""
    try:
        runs = listed_runs(listed) or listed_runs(prompt)
    except UsageError as error:
        raise UsageError(f"{label}: {error}") from error
    check_unique(label, (check_run_id(label, run.run.run_id) for run in runs))
    return runs


def _notes(
    text: str,
    criteria: str,
    contract: Contract,
    holder: dict[str, object],
    runs: list[ListedRun],
    rejection: Rejection | None,
) -> tuple[str, ...]:
    """What was odd about the transcript, one sentence each."""
    notes: list[str] = []
    if not criteria.strip():
        notes.append("The transcript has no criteria text: the newest standard contract is assumed.")
    notes += [f"The bundle lacks the key {key}." for key in missing_keys(holder, contract.files)]
    if not runs:
        notes.append("The transcript lists no experiment runs.")
    notes += [f"Run {r.run.run_id} is listed without a run config." for r in runs if r.config is None]
    if rejection is None:
        notes.append("The transcript ends without a verdict that can be parsed.")
    plain = text + json.dumps(holder, ensure_ascii=False)
    if page := wrong_code_page(plain):
        notes.append(f"Some text was decoded as {page} before it was stored; it is kept as it is.")
    return tuple(notes)
