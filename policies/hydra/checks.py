"""What the checks on data-flow events share: one finding per place, and set_struct as the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.hydra.analysis import Launch, has_path, launches
from policies.hydra.flow import Event, EventKind
from policies.hydra.insert import before_line
from policies.imports import add_import
from policies.parsed import ParsedBundle, parse_module


def events_of(subject: ParsedBundle, kind: EventKind) -> Iterator[tuple[Launch, Event, tuple[str, ...]]]:
    """The first event of every place and path, with all the run ids it concerns."""
    grouped: dict[tuple[str, int, str], list[tuple[Launch, Event]]] = {}
    for launch in launches(subject):
        for event in launch.events:
            if event.kind == kind:
                key = (event.module.path, event.line, event.path)
                grouped.setdefault(key, []).append((launch, event))
    for key in sorted(grouped):
        launch, event = grouped[key][0]
        yield launch, event, tuple(dict.fromkeys(e.run_id for _, e in grouped[key]))


def folded(
    found: Iterable[tuple[Launch, Event, tuple[str, ...]]],
) -> Iterator[tuple[Launch, Event, tuple[str, ...], tuple[int, ...]]]:
    """One event for every file and path, with the lines of all."""
    grouped: dict[tuple[str, str], list[tuple[Launch, Event, tuple[str, ...]]]] = {}
    for one in found:
        grouped.setdefault((one[1].module.path, one[1].path), []).append(one)
    for group in grouped.values():
        launch, event, _ = group[0]
        runs = tuple(dict.fromkeys(run for one in group for run in one[2]))
        yield launch, event, runs, tuple(dict.fromkeys(one[1].line for one in group))


def also(lines: tuple[int, ...]) -> str:
    """The other lines of a folded finding, as a tail of its evidence."""
    rest = ", ".join(str(line) for line in lines[1:])
    return f"; also line{'s' if len(lines) > 2 else ''} {rest}" if rest else ""


def is_run_key(subject: ParsedBundle, launch: Launch, event: Event) -> bool:
    """Whether a missing key is in the run config, which was not merged where the code reads it."""
    return not event.has_run and has_path(subject.run_documents[launch.run_id].data, event.path)


def runs_text(subject: ParsedBundle, run_ids: tuple[str, ...]) -> str:
    """`every run` or the run ids concerned."""
    return "every run" if len(run_ids) == len(subject.run_documents) else ", ".join(run_ids)


def open_struct(text: str, path: str, line: int, variable: str) -> str | None:
    """Switch struct mode off for `variable` before the statement at `line`."""
    module = parse_module(path, text)
    if module.tree is None:
        return None
    changed = before_line(module, line, f"OmegaConf.set_struct({variable}, False)")
    return add_import(changed, "from omegaconf import OmegaConf")
