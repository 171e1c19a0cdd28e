"""Where statements lie in TOML, and edits that keep the rest of the file."""

from __future__ import annotations

from policies.pyproject_edit import append_requirement, replace_requirement, requirements_in, set_project_key
from policies.toml_lines import Statement, line_of, line_of_string, section, statements

TEXT = """\
# head
[project]
name = "x"  # the name
dependencies = [
  "a",  # first
  "b",
]

[[tool.x]]
k = { v = 1 }
[tool.y.z]
"""


def test_statements() -> None:
    assert statements(TEXT) == (
        Statement(("project",), True, 2, 2),
        Statement(("project", "name"), False, 3, 3),
        Statement(("project", "dependencies"), False, 4, 7),
        Statement(("tool", "x"), True, 9, 9),
        Statement(("tool", "x", "k"), False, 10, 10),
        Statement(("tool", "y", "z"), True, 11, 11),
    )
    assert section(TEXT, "project") == Statement(("project",), True, 2, 7)
    assert section(TEXT, "missing") is None
    assert line_of(TEXT, "project", "dependencies") == 4
    assert line_of(TEXT, "project", "missing") == 2
    assert line_of(TEXT, "missing") == 1
    assert line_of_string(TEXT, "b") == 6


def test_set_project_key() -> None:
    assert set_project_key(TEXT, "name", '"y"') == TEXT.replace('name = "x"  # the name', 'name = "y"')
    assert set_project_key(TEXT, "version", '"1"') == TEXT.replace("]\n\n[[", ']\nversion = "1"\n\n[[')
    assert set_project_key("", "name", '"y"') == '[project]\nname = "y"\n'
    assert set_project_key("[project.urls]\na = 1\n", "name", '"y"') == (
        '[project]\nname = "y"\n\n[project.urls]\na = 1\n'
    )


def test_requirements_are_replaced_in_place() -> None:
    assert replace_requirement(TEXT, "a", "c>=1") == TEXT.replace('"a"', '"c>=1"')
    assert replace_requirement(TEXT, "a", None) == TEXT.replace('  "a",  # first\n', "")
    assert replace_requirement(TEXT, "z", "c") is None
    one_line = '[project]\ndependencies = ["a", "b"]\n'
    assert replace_requirement(one_line, "b", None) == '[project]\ndependencies = ["a"]\n'


def test_requirements_are_appended_in_the_same_layout() -> None:
    assert append_requirement(TEXT, "c") == TEXT.replace('  "b",\n', '  "b",\n  "c",\n')
    assert (
        append_requirement('[project]\ndependencies = ["a"]\n', "c")
        == '[project]\ndependencies = ["a", "c"]\n'
    )
    assert (
        append_requirement('[project]\nname = "x"\n', "c")
        == '[project]\nname = "x"\ndependencies = [\n  "c",\n]\n'
    )


def test_lists_in_other_clothes() -> None:
    assert requirements_in("a>=1,<2\nb") == ["a>=1,<2", "b"]
    assert requirements_in("a>=1,<2, b") == ["a>=1,<2", "b"]
    assert requirements_in({"a": "^1", "python": "^3.10"}) == ["a>=1,<2"]
    assert requirements_in([{"name": "a", "version": "^1"}, {"b": "*"}, "c"]) == ["a>=1,<2", "b", "c"]
    assert requirements_in([{"version": "^1", "extra": 1}]) is None
