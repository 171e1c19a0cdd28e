"""The contract's command lines, filled in so that Hydra reads the values as they are meant."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from policies.contract import Contract

RESULTS_DIR = "results"
"""Given to the bundle as `results_dir`; lies in the checkout and is fresh in every rehearsal."""
PLAIN = re.compile(r"[A-Za-z_./\-][\w./\-+@]*|\d[\w./\-+@]*[A-Za-z_/\-][\w./\-+@]*")
"""What Hydra's override grammar takes for a string without quotes."""
NOT_TEXT = re.compile(r"(?i)null|true|false|nan|[+-]?inf|[+-]?[\d_.]+(e[+-]?\d+)?")
"""What it takes for something else than a string."""


def trial_command(contract: Contract, run_id: str, python: str) -> tuple[str, ...]:
    """The trial command of a run, started by `python`."""
    return filled(contract.trial, run_id, (run_id,), python)


def overrides(contract: Contract, run_id: str) -> tuple[str, ...]:
    """The arguments that the trial command gives to the entry module."""
    command = trial_command(contract, run_id, "python")
    return command[command.index("-m") + 2 :]


def filled(template: Sequence[str], run_id: str, run_ids: Sequence[str], python: str) -> tuple[str, ...]:
    """A command template with its values, and with the interpreter in place of `python`."""
    values = {
        "{run_id}": quoted(run_id),
        "{results_dir}": RESULTS_DIR,
        "{run_ids}": json.dumps(list(run_ids)),
    }
    parts = []
    for part in template:
        for name, value in values.items():
            part = part.replace(name, value)
        parts.append(part)
    if parts and re.fullmatch(r"python(3(\.\d+)?)?", parts[0]):
        parts[0] = python
    return tuple(parts)


def quoted(value: str) -> str:
    """A value for Hydra's override grammar: quoted when it would not be read as this very string."""
    if PLAIN.fullmatch(value) and not NOT_TEXT.fullmatch(value):
        return value
    escaped = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return "'" + escaped + "\\" * trailing + "'"
