"""Composition and data flow of every entry point, for every run id and mode; computed once per bundle."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from policies.hydra.composition import Composition, compose, led_to_config, overrides_for
from policies.hydra.entry import Entry, entries
from policies.hydra.flow import Event, Flow
from policies.hydra.overrides import child_overrides
from policies.hydra.trace import Trace
from policies.hydra.values import UNKNOWN, Load, merge_data
from policies.parsed import ParsedBundle, parse_yaml


@dataclass(frozen=True)
class Launch:
    """One entry point started for one run id in one mode."""

    entry: Entry
    """As it is once its decorator names the config, a defect of its own."""
    start: Entry
    """As it is written."""
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
    starting.sort(key=lambda e: e.module.path != subject.contract.entry_file)
    found: list[Launch] = []
    for entry in starting:
        for run_id in run_ids(subject):
            for trial in (True, False):
                found.append(
                    _launch(subject, entry, run_id, trial, _passed(subject, found, entry, run_id, trial))
                )
    return tuple(sorted(found, key=lambda launch: starting.index(launch.start)))


def _passed(
    subject: ParsedBundle, parents: list[Launch], entry: Entry, run_id: str, trial: bool
) -> dict[str, object]:
    """Overrides that a parent process passes to `entry` beyond the contract's own; None where unknown."""
    own = set(overrides_for(subject, run_id, trial=trial))
    given: dict[str, object] = {}
    for parent in parents:
        if (parent.run_id, parent.trial) == (run_id, trial):
            for override in child_overrides(subject):
                place = (override.line, override.key)
                mine = override.target == entry.module.name and override.module is parent.entry.module
                if mine and override.key not in own and place in parent.trace.passed:
                    given[override.key] = parent.trace.passed[place]
    return given


def _with_overrides(config: dict[str, Any], given: dict[str, object]) -> dict[str, Any]:
    """The config with the parent's overrides; a value that is not known stays unknown."""
    changed = copy.deepcopy(config) if given else config
    for dotted, text in given.items():
        *parents, last = dotted.split(".")
        data = changed
        for part in parents:
            if not isinstance(data.get(part), dict):
                data[part] = {}
            data = data[part]
        document = parse_yaml("", f"value: {text}") if isinstance(text, str) else None
        data[last] = document.data["value"] if document is not None and document.data else UNKNOWN
    return changed


def _launch(
    subject: ParsedBundle, start: Entry, run_id: str, trial: bool, given: dict[str, object]
) -> Launch:
    entry = led_to_config(subject, start)
    composition = compose(subject, entry, run_id, trial=trial)
    if composition.config is None:
        return Launch(entry, start, run_id, trial, composition, ())
    config = _with_overrides(composition.config, given)
    run_data = subject.run_documents[run_id].data or {}
    flow = Flow(subject, run_id, trial, run_data)
    flow.run(entry, config)
    events, loads = flow.events, flow.loads
    if any(e.kind == "missing-key" and not e.has_run and has_path(run_data, e.path) for e in events):
        flow = Flow(subject, run_id, trial, run_data)
        flow.run(entry, _with_overrides(_merged(config, run_data), given), merged=True)
        known = {(e.module.path, e.line, e.path) for e in events}
        events += [e for e in flow.events if (e.module.path, e.line, e.path) not in known]
        loads += [load for load in flow.loads if load not in loads]
    return Launch(entry, start, run_id, trial, composition, tuple(events), tuple(loads), flow.trace)


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
