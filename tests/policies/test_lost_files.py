"""A check that says "nothing does it" waits until everything can be read."""

from __future__ import annotations

import pytest

from policies.base import Evidence
from policies.contract import STANDARD
from policies.lost_files import lost_parts
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.registry import check_by_id
from policies.run_check import findings_of

TRAIN = "import wandb\n\n\ndef main(cfg):\n    wandb.init(mode=cfg.wandb.mode)\n"
CONFIG = "wandb:\n  mode: online\n"


def bundle(entry: str, config: str = CONFIG) -> ParsedBundle:
    """A bundle with this entry and this config."""
    files = {"src/main.py": entry, "src/train.py": TRAIN, "config/config.yaml": config}
    return ParsedBundle(Bundle(files=files), STANDARD)


@pytest.mark.parametrize(
    ("entry", "config", "parts"),
    [
        ("x = 1\n", CONFIG, set()),
        ("", CONFIG, {"code", "entry"}),
        ("def f(:\n", CONFIG, {"code", "entry"}),
        ("x = 1\n", "", {"config"}),
        ("x = 1\n", "a: [\n", {"config"}),
    ],
)
def test_what_cannot_be_read_is_told(entry: str, config: str, parts: set[str]) -> None:
    assert lost_parts(bundle(entry, config)) == parts


def test_a_file_that_is_not_of_the_contract_may_be_empty() -> None:
    given = bundle("x = 1\n")
    files = {**given.bundle.files, "src/__init__.py": ""}
    assert lost_parts(given.replace(given.bundle.model_copy(update={"files": files}))) == set()


@pytest.mark.parametrize(("entry", "lines"), [("x = 1\n", [5]), ("", []), ("def f(:\n", [])])
def test_no_check_guesses_what_a_lost_file_said(entry: str, lines: list[int]) -> None:
    check = check_by_id("wandb-not-disabled")
    assert check is not None
    assert [f.line for f in findings_of(check, bundle(entry), Evidence())] == lines
