"""Composition and data flow of every entry point, for every run id and mode; computed once per bundle."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from policies.hydra.composition import Composition, compose, led_to_config
from policies.hydra.entry import Entry, entries
from policies.hydra.flow import Event, Flow
from policies.hydra.trace import Trace
from policies.hydra.values import Load, merge_data
from policies.parsed import ParsedBundle


@dataclass(frozen=True)
class Launch:
    """One entry point started for one run id in one mode."""

    entry: Entry
    """As it is once its decorator names the config, a defect of its own."""
    run_id: str
    trial: bool
    composition: Composition
    events: tuple[Event, ...]
    loads: tuple[Load, ...] = ()
    trace: Trace = field(default_factory=Trace, compare=False)


def run_ids(subject: ParsedBundle) -> tuple[str, ...]:
    """The run ids that have a run config, in the order of the context, others after."""
    listed = [r.run_id for r in subject.context.runs if r.run_id in subject.run_documents]
    return (*listed, *(r for r in subject.run_documents if r not in listed))


def launches(subject: ParsedBundle) -> tuple[Launch, ...]:
    """Every launch that the contract's training commands cause, `evaluate.py` left out."""
    return subject.memo("hydra.launches", _launches)


def _launches(subject: ParsedBundle) -> tuple[Launch, ...]:
    evaluate = subject.contract.evaluate[subject.contract.evaluate.index("-m") + 1]
    starting = [e for e in entries(subject) if e.module.name != evaluate]
    return tuple(
        _launch(subject, entry, run_id, trial)
        for entry in starting
        for run_id in run_ids(subject)
        for trial in (True, False)
    )


def _launch(subject: ParsedBundle, entry: Entry, run_id: str, trial: bool) -> Launch:
    entry = led_to_config(subject, entry)
    composition = compose(subject, entry, run_id, trial=trial)
    if composition.config is None:
        return Launch(entry, run_id, trial, composition, ())
    run_data = subject.run_documents[run_id].data or {}
    flow = Flow(subject, run_id, trial, run_data)
    flow.run(entry, composition.config)
    events, loads = flow.events, flow.loads
    if any(e.kind == "missing-key" and not e.has_run and has_path(run_data, e.path) for e in events):
        flow = Flow(subject, run_id, trial, run_data)
        flow.run(entry, _merged(composition.config, run_data), merged=True)
        known = {(e.module.path, e.line, e.path) for e in events}
        events += [e for e in flow.events if (e.module.path, e.line, e.path) not in known]
        loads += [load for load in flow.loads if load not in loads]
    return Launch(entry, run_id, trial, composition, tuple(events), tuple(loads), flow.trace)


def has_path(data: object, dotted: str) -> bool:
    """Whether nested mappings have a dotted key."""
    for part in dotted.split("."):
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def _merged(config: dict[str, Any], run_data: dict[str, Any]) -> dict[str, Any]:
    """The config once the run config is merged at its top, the certain repair where code reads it there."""
    merged = copy.deepcopy(config)
    merge_data(merged, run_data)
    return merged
