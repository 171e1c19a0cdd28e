"""Editing helpers keep what they do not change."""

from __future__ import annotations

import libcst as cst
import tomlkit
from ruamel.yaml.comments import CommentedMap

from policies.edit import edit_toml, edit_yaml, replace_lines, rewrite, transform
from policies.records import Bundle

YAML_TEXT = """\
# top
defaults:
  - _self_
  - run: null   # later

a:   True
rate: 1e-4
none: ~
flow: {x: 1,  y: 2}
quoted: "q"

hydra:
    job:
        chdir: False  # no
"""


class Rename(cst.CSTTransformer):
    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value="b") if updated_node.value == "a" else updated_node


def add_run_dir(data: CommentedMap) -> None:
    data["hydra"]["run"] = {"dir": "."}
    data["last"] = None


def test_rewrite_offers_only_changes() -> None:
    bundle = Bundle(files={"a.py": "x = 1\n"})
    assert rewrite(bundle, "a.py", "x = 1\n") is None
    assert rewrite(bundle, "a.py", None) is None
    assert rewrite(bundle, "a.py", "x = 2\n") == Bundle(files={"a.py": "x = 2\n"})


def test_replace_lines_counts_lines_as_python_does() -> None:
    text = "a = 1\x0c\nb = 2\nc = 3"
    assert replace_lines(text, 2, 2, "B = 2") == "a = 1\x0c\nB = 2\nc = 3"
    assert replace_lines(text, 2, 1, "new = 0") == "a = 1\x0c\nnew = 0\nb = 2\nc = 3"
    assert replace_lines(text, 2, 3, "") == "a = 1\x0c\n"
    assert replace_lines(text, 4, 3, "d = 4") == text + "\nd = 4\n"


def test_transform_keeps_comments_and_refuses_broken_code() -> None:
    assert transform("a = 1  # keep\n", Rename()) == "b = 1  # keep\n"
    assert transform("a = (\n", Rename()) is None


def test_toml_keeps_comments_and_order() -> None:
    def edit(document: tomlkit.TOMLDocument) -> None:
        document["project"]["version"] = "2"

    text = '[project]\nname = "x"  # the name\nversion = "1"\n\n# tail\n'
    assert edit_toml(text, edit) == text.replace('"1"', '"2"')
    assert edit_toml("[project\n", edit) is None


def test_yaml_touches_only_what_changes() -> None:
    assert edit_yaml(YAML_TEXT, add_run_dir) == YAML_TEXT + "    run:\n        dir: .\nlast: null\n"


def test_yaml_follows_sequence_indentation() -> None:
    def edit(data: CommentedMap) -> None:
        data["defaults"].append("new")

    assert edit_yaml("defaults:\n- a  # x\nb: 1", edit) == "defaults:\n- a  # x\n- new\nb: 1\n"
    assert edit_yaml("defaults:\n  - a  # x\nb: 1\n", edit) == "defaults:\n  - a  # x\n  - new\nb: 1\n"


def test_yaml_that_does_not_parse_is_refused() -> None:
    assert edit_yaml("a: 1\na: 2\n", add_run_dir) is None
    assert edit_yaml("- 1\n- 2\n", add_run_dir) is None
