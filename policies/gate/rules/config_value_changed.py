"""Values in the bundle's own config files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from policies.gate.base import Change, GateRule, Objection, Pair, asked, change, code
from policies.parsed import Document, ParsedBundle

Scalar = str | float | bool

_CONFIG = code("""
    defaults:
      - _self_
    run: null
    mode: full
    results_dir: ./results
    wandb:
      project: demo
      mode: online
    training:
      learning_rate: 1e-4
      epochs: 3
      seed: 42
    model: {}
    optuna:
      n_trials: 20
      choices: [8, 16]
""")
_PLUMBING = re.compile(
    r"(hydra|defaults)(\..*)?|run|runs|run_id|run_ids|mode|trial_mode|(.*\.)?\w*(dir|path|file|cache|device|workers|verbose)"
)
_PATH = "config/config.yaml"


class ConfigValueChanged(GateRule):
    """A value in the config is part of the experiment like one in code; only wiring may change around it."""

    ID = "config-value-changed"
    REFUSED = (
        change(_CONFIG, _CONFIG.replace("1e-4", "1e-3"), _PATH),
        change(_CONFIG, _CONFIG.replace("epochs: 3", "epochs: 1"), _PATH),
        change(_CONFIG, _CONFIG.replace("mode: online", "mode: disabled"), _PATH),
        change(_CONFIG, _CONFIG.replace("n_trials: 20", "n_trials: 0"), _PATH),
        change(_CONFIG, _CONFIG.replace("  seed: 42\n", ""), _PATH),
        change(_CONFIG, _CONFIG.replace("[8, 16]", "[8]"), _PATH),
        change(_CONFIG + "  choices: [1]\n", _CONFIG.replace("1e-4", "1e-3"), _PATH),
    )
    ACCEPTED = (
        change(
            _CONFIG,
            _CONFIG.replace("  - _self_", "  - _self_\n  - runs@run: null").replace("run: null\n", ""),
            _PATH,
        ),
        change(_CONFIG, _CONFIG.replace("1e-4", "0.0001  # a number"), _PATH),
        change(
            _CONFIG, _CONFIG.replace("  seed: 42\n", "").replace("model: {}", "model:\n  seed: 42"), _PATH
        ),
        change(_CONFIG + "  choices: [8, 16]\n", _CONFIG, _PATH),
        change(_CONFIG, _CONFIG + "hydra:\n  run:\n    dir: .\n", _PATH),
        change(
            _CONFIG,
            _CONFIG.replace("seed: 42", "seed: 43"),
            _PATH,
            findings=(asked("the design names another seed", file=_PATH, evidence="training.seed is 42"),),
        ),
        Change(
            {_PATH: _CONFIG},
            {_PATH: _CONFIG.replace("  epochs: 3\n", "")},
            run_configs={"config/runs/a.yaml": "training:\n  epochs: 5\n"},
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every value that is another one now, or is nowhere any more."""
        attempt = pair.attempt.subject
        for path, document in pair.base.subject.documents.items():
            after = attempt.documents.get(path)
            if after is None:
                continue
            new = dict(_read(after))
            for key, value in _read(document):
                said = _difference(key, value, new, attempt)
                if said and not _PLUMBING.fullmatch(key):
                    yield _objection(document, key, value, said)


def _difference(key: str, value: Scalar, new: Mapping[str, Scalar], attempt: ParsedBundle) -> str:
    """What happened to a value; empty when it is as it was, moved, or overridden by every run anyway."""
    if key in new:
        # Full mode is online by contract, so setting it is wiring.
        return "" if _equal(new[key], value) or new[key] == "online" else f"is now {new[key]!r}"
    name = key.rsplit(".", 1)[-1]
    if any(k.rsplit(".", 1)[-1] == name and _equal(v, value) for k, v in new.items()):
        return ""
    return "" if _every_run_has(name, attempt) else "was removed"


def _every_run_has(name: str, attempt: ParsedBundle) -> bool:
    documents = list(attempt.run_documents.values())
    return bool(documents) and all(
        any(key.rsplit(".", 1)[-1] == name for key, _ in _leaves(d.data or {})) for d in documents
    )


def _objection(document: Document, key: str, value: Scalar, said: str) -> Objection:
    name = key.rsplit(".", 1)[-1]
    lines = [
        n
        for n, text in enumerate(document.text.splitlines(), 1)
        if re.match(rf"\s*{re.escape(name)}\s*:", text)
    ]
    where = range(lines[0], lines[-1] + 1) if lines else range(0)
    values = (value,) if isinstance(value, str) else ()
    return Objection(f"{key} was {value!r} and {said}", document.path, where, keys=(key, name), values=values)


def _read(document: Document) -> Iterator[tuple[str, Scalar]]:
    """The values of a document, parsed or not."""
    return _leaves_of_text(document.text) if document.data is None else _leaves(document.data)


def _leaves(node: object, prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    """Dotted key -> scalar; a list of scalars is one value, and what is empty or `???` is none."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(node, list):
        if any(isinstance(item, Mapping | list) for item in node):
            for number, item in enumerate(node):
                yield from _leaves(item, f"{prefix}.{number}")
        elif node:
            yield prefix, ", ".join(str(_number(item)) for item in node)
    elif isinstance(node, bool | int | float) or (isinstance(node, str) and node not in ("", "???")):
        yield prefix, node


def _leaves_of_text(text: str) -> Iterator[tuple[str, Scalar]]:
    """The same for a document that does not parse, line by line."""
    open_keys: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"( *)([\w.\-]+):(?: +([^#{\[&*|>]*?))?(?: +#.*)?$", line)
        if match is None:
            continue
        indent, name, value = len(match[1]), match[2], (match[3] or "").strip("'\" ")
        open_keys = [(at, key) for at, key in open_keys if at < indent] + [(indent, name)]
        if value and value not in ("null", "~", "???"):
            yield ".".join(key for _, key in open_keys), value


def _equal(one: Scalar, other: Scalar) -> bool:
    return _number(one) == _number(other)


def _number(value: object) -> object:
    """Numbers as floats, also those that YAML takes for text, such as `1e-4`; truth values as text."""
    try:
        return float(str(value))
    except ValueError:
        return str(value).lower() if isinstance(value, bool) or value in ("True", "False") else value
