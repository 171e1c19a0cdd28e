"""Folders that are computed from the place of the module."""

from __future__ import annotations

import ast

import pytest

from policies.contract import STANDARD
from policies.hydra.entry import entries
from policies.hydra.places import place_of
from policies.parsed import ParsedBundle, parse_module
from policies.records import Bundle

HEAD = "import os\nfrom pathlib import Path\n\nHERE = Path(__file__).resolve().parent\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("str(HERE.parent / 'config')", "config"),
        ("str(Path(__file__).parents[1].joinpath('config'))", "config"),
        ("os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'config')", "config"),
        ("os.path.abspath(os.path.dirname(__file__))", "src"),
        ("str(Path.cwd() / 'config')", None),
        ("str(HERE.parent.parent.parent)", None),
        ("str(HERE / '/etc')", None),
        ("os.path.join(HERE, NAME)", None),
    ],
)
def test_place_follows_from_the_file(text: str, place: str | None) -> None:
    module = parse_module("src/main.py", HEAD + f"X = {text}\n")
    assert module.tree is not None
    last = module.tree.body[-1]
    assert isinstance(last, ast.Assign)
    assert place_of(module, last.value) == place


def test_entry_with_a_computed_folder_has_a_config_file() -> None:
    source = (
        f"import hydra\n{HEAD}\n\n"
        "@hydra.main(config_path=str(HERE.parent / 'config'), config_name='config')\n"
        "def main(cfg): ...\n"
    )
    subject = ParsedBundle(Bundle(files={"src/main.py": source}), STANDARD)
    assert [entry.config_file for entry in entries(subject)] == ["config/config.yaml"]
