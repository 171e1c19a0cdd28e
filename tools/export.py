"""Hands a bundle out of a ledger: as JSON, as a folder, or as a transcript that intake can read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from policies.errors import BackendError, UsageError
from policies.records import Bundle, Rejection, Request, ResearchContext, Run
from tools.ledger_files import checked_paths


def flat_keys(paths: tuple[str, ...]) -> dict[str, str]:
    """Flat key -> path: `src/train.py` is `train_py`, `config/config.yaml` is `config_yaml`."""
    return {PurePosixPath(path).name.replace(".", "_"): path for path in paths}


def as_json(bundle: Bundle, contract_files: tuple[str, ...]) -> dict[str, str]:
    """Flat key -> text when the files are exactly the contract's; else path -> text, run configs included."""
    keys = flat_keys(contract_files)
    if len(keys) == len(contract_files) and set(bundle.files) == set(contract_files):
        return {key: bundle.files[path] for key, path in keys.items()}
    return dict(sorted(bundle.tree.items()))


def json_text(files: Mapping[str, str]) -> str:
    """The text of a bundle JSON."""
    return json.dumps(files, indent=2) + "\n"


def write_folder(bundle: Bundle, out: Path) -> tuple[str, ...]:
    """Write the bundle into a new or empty folder; the paths written.

    Raises: UsageError when something is there already; BackendError when the disk refuses.
    """
    files = bundle.blobs
    checked_paths(files)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise UsageError(f"{out} is not empty; name a folder that is new or empty")
        for path, data in files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    except FileExistsError as error:
        raise UsageError(f"{out} is a file; name a folder that is new or empty") from error
    except OSError as error:
        raise BackendError(f"{out} cannot be written: {error.strerror or error}") from error
    return tuple(sorted(files))


def write_text(text: str, out: Path) -> None:
    """Write one file. Raises BackendError when the disk refuses."""
    try:
        out.write_bytes(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise BackendError(f"{out} cannot be written: {error.strerror or error}") from error


def as_transcript(
    request: Request, bundle: Bundle, verdict: Rejection | None, contract_files: tuple[str, ...]
) -> str:
    """Prompt parts, bundle JSON and verdict, in the form in which requests come in."""
    files = as_json(Bundle(files=bundle.files), contract_files)
    parts = [*_sections(request), "# Experiment Runs", *_runs(request.context, bundle.run_configs)]
    parts += ["# Experiment Code", json.dumps(files, ensure_ascii=False)]
    if verdict is not None:
        said = {"is_code_ready": verdict.is_code_ready, "code_issue": verdict.code_issue}
        parts += ["Output:\n" + json.dumps(said, indent=4, ensure_ascii=False)]
    return "\n\n".join(["Input:\nJudge the experiment code below by the criteria.", *parts]) + "\n"


def _sections(request: Request) -> Iterator[str]:
    context = request.context
    told = {
        "# Validation Criteria": request.criteria.strip("\n"),
        "# Hypothesis": _with_primary(context, request.criteria),
        "# Research Method": context.method,
        "# Experimental Design": _with_metrics(context),
    }
    for title, text in told.items():
        if text:
            yield f"{title}\n{text}"


def _with_primary(context: ResearchContext, criteria: str) -> str:
    name = context.primary_metric
    if not name or name in criteria or name in context.hypothesis or context.metrics[:1] == (name,):
        return context.hypothesis
    return f"{context.hypothesis}\nprimary_metric={name!r}".lstrip("\n")


def _with_metrics(context: ResearchContext) -> str:
    listed = str(list(context.metrics))
    if not context.metrics or all(metric in context.design for metric in context.metrics):
        return context.design
    return f"{context.design}\n- Evaluation Metrics: {listed}".lstrip("\n")


def _runs(context: ResearchContext, configs: Mapping[str, str]) -> Iterator[str]:
    by_id = {PurePosixPath(path).stem: text for path, text in configs.items()}
    known = {run.run_id for run in context.runs}
    extra = (Run(run_id=run_id) for run_id in by_id if run_id not in known)
    for run in (*context.runs, *extra):
        lines = [f"- Run ID: {run.run_id}"]
        for name in ("method", "model", "dataset"):
            if value := getattr(run, name):
                lines.append(f"  {name.title()}: {value}")
        config = by_id.get(run.run_id)
        if config is not None:
            fence = "~~~" if "```" in config else "```"
            lines += ["", "  Config Content:", f"  {fence}yaml", config.rstrip("\n"), f"  {fence}"]
        yield "\n".join(lines)
