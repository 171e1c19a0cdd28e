"""What Hydra composes is predicted as hydra-core 1.3.2 does it; every case here was tried against it."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.hydra.composition import Cause, compose
from policies.hydra.entry import entries
from policies.hydra.examples import ENTRY
from policies.parsed import ParsedBundle
from policies.records import Bundle

REST = "mode: full\nresults_dir: x\n"
RUN = "run_id: a\nmodel:\n  name: x\n"


def composed(config: str, folder: str, source: str = f"{ENTRY}    print(cfg)\n") -> tuple[Cause, object]:
    """Cause and data of composing `config` for run `a` whose file lies in `folder`."""
    bundle = Bundle(
        files={"src/main.py": source, "config/config.yaml": config},
        run_configs={f"config/{folder}/a.yaml": RUN},
    )
    subject = ParsedBundle(bundle, STANDARD)
    result = compose(subject, entries(subject)[0], "a")
    return result.cause, result.data


@pytest.mark.parametrize(
    ("config", "folder", "expected"),
    [
        (f"{REST}run: null\n", "runs", {"mode": "trial", "results_dir": "results", "run": "a"}),
        (f"{REST}run: {{}}\n", "runs", {"mode": "trial", "results_dir": "results", "run": "a"}),
        (
            f"defaults:\n  - _self_\n  - run: null\n{REST}",
            "run",
            {"mode": "trial", "results_dir": "results", "run": {"run_id": "a", "model": {"name": "x"}}},
        ),
        (
            f"defaults:\n  - optional model: base\n{REST}run: null\n",
            "runs",
            {"mode": "trial", "results_dir": "results", "run": "a"},
        ),
    ],
)
def test_composes(config: str, folder: str, expected: dict[str, object]) -> None:
    assert composed(config, folder) == ("", expected)


@pytest.mark.parametrize(
    ("config", "folder", "cause"),
    [
        (f"{REST}run: null\n", "run", "group-shadowed"),
        (REST, "runs", "not-a-key"),
        (f"defaults:\n  - _self_\n  - runs: ${{run}}\n{REST}run: '??'\n", "runs", "interpolation"),
        (f"defaults:\n  - runs/${{run}}\n{REST}run: '???'\n", "runs", "interpolation"),
        (f"defaults:\n  - run: null\n{REST}", "runs", "missing-option"),
        (f"defaults:\n  - model: base\n{REST}run: null\n", "runs", "missing-option"),
        (f"hydra:\n  help: false\n{REST}run: null\n", "runs", "hydra-node"),
        ("a: b: c\n", "runs", "bad-yaml"),
    ],
)
def test_says_why_not(config: str, folder: str, cause: Cause) -> None:
    assert composed(config, folder) == (cause, None)


def test_entry_without_config_name() -> None:
    source = ENTRY.replace(', config_name="config"', "") + "    print(cfg)\n"
    assert composed(f"{REST}run: null\n", "runs", source) == ("no-config-name", None)
