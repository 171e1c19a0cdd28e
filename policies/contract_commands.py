"""Command lines in a criteria text: how training, trial and evaluation are started."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from policies.contract import STANDARD, ModeSwitch

_COMMAND = re.compile(r"\bpython3?((?:[ \t]+-[A-Za-z])*)[ \t]+-m[ \t]+([\w.]+)([^\n`]*)")
_HOLE = re.compile(r"\{[^{}\n]*\}|<[^<>\n]*>")
_TRIAL_FLAG = re.compile(r"\btrial_mode`?\s*(?:=|is\b)|cfg\.trial_mode")
_SLOTS = {
    "run": "{run_id}",
    "runs": "{run_id}",
    "run_id": "{run_id}",
    "results_dir": "{results_dir}",
    "run_ids": "{run_ids}",
}


class Commands(NamedTuple):
    """Argv templates and the switch between the two modes."""

    train: tuple[str, ...]
    trial: tuple[str, ...]
    evaluate: tuple[str, ...]
    mode: ModeSwitch


def read_commands(text: str) -> Commands:
    """The commands of the text; the standard's where it gives none."""
    found = list(_commands(text.replace("\\\n", " ")))
    evaluate = next((c for c in found if _evaluates(c)), STANDARD.evaluate)
    entries = [c for c in found if not _evaluates(c)]
    train = next((c for c in entries if not _trial_part(c)), None)
    trial = next((c for c in entries if _trial_part(c)), None)
    mode = _mode(text, train, trial)
    switch = f"{mode.key}={mode.trial}"
    if trial is None:
        trial = STANDARD.trial if train is None else (*_without(train, mode.key), switch)
        trial = trial if switch in trial else (*_without(trial, STANDARD.mode.key), switch)
    if train is None:
        full = (f"{mode.key}={mode.full}",) if mode.key == STANDARD.mode.key else ()
        train = (*_without(trial, mode.key), *full)
    return Commands(train, trial, evaluate, mode)


def _commands(text: str) -> Iterator[tuple[str, ...]]:
    """Every `python -m` command; one that offers both modes at once counts as two."""
    for match in _COMMAND.finditer(text):
        argv = ["python", *match[1].split(), "-m", match[2].rstrip(".")]
        rest = _HOLE.sub(lambda hole: re.sub(r"\s+", "_", hole[0]), match[3])
        yield from _variants([*argv, *_arguments(rest)])


def _arguments(rest: str) -> Iterator[str]:
    """The overrides and flags that follow the module, up to the first word of prose."""
    flag = ""
    for word in _words(rest):
        key, equals, _ = word.strip("[]").partition("=")
        slot = _SLOTS.get(key.lstrip("+~-").replace("-", "_"))
        if flag:
            yield _SLOTS.get(flag, word)
            flag = ""
        elif equals and re.fullmatch(r"[+~-]*[\w.@/-]+", key):
            yield f"{key}={slot}" if slot else word
        elif key.startswith("--") and slot:
            flag = key.lstrip("-").replace("-", "_")
            yield word
        else:
            return


def _words(rest: str) -> list[str]:
    """Shell words; prose after the command may hold an odd quote."""
    try:
        return shlex.split(rest)
    except ValueError:
        return rest.split()


def _variants(argv: list[str]) -> Iterator[tuple[str, ...]]:
    """Both readings of `mode=trial|full` and of an optional `[trial_mode=true]`."""
    part = _trial_part(tuple(argv))
    if part.startswith("["):
        yield tuple(p for p in argv if p != part)
        yield tuple(p.strip("[]") for p in argv)
    elif "full" in part:
        key = part.partition("=")[0]
        for value in ("full", "trial"):
            yield tuple(f"{key}={value}" if p == part else p for p in argv)
    else:
        yield tuple(argv)


def _trial_part(command: tuple[str, ...]) -> str:
    return next((p for p in command[1:] if "=" in p and "trial" in p.lower()), "")


def _evaluates(command: tuple[str, ...]) -> bool:
    module = command[command.index("-m") + 1]
    return "eval" in module.rpartition(".")[2] or "run_ids={run_ids}" in command


def _without(command: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(p for p in command if not p.startswith(f"{key}="))


def _mode(text: str, train: tuple[str, ...] | None, trial: tuple[str, ...] | None) -> ModeSwitch:
    """The override that the trial command has and the full one lacks, or what the prose says."""
    key, _, value = (_trial_part(trial) if trial else "").lstrip("+").partition("=")
    if not key:
        key, value = ("trial_mode", "true") if _TRIAL_FLAG.search(text) else ("mode", "trial")
    same = (p.partition("=")[2] for p in train or () if p.startswith(f"{key}="))
    return ModeSwitch(key=key, trial=value, full=next(same, "full" if value == "trial" else "false"))
