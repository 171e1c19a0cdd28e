"""Rewriting a `pyproject.toml` into PEP 621, line by line, so that order and comments stay."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policies.edit import edit_toml, replace_lines, split_lines
from policies.requirements import constraint, from_poetry, is_environment_spec, name_of, parse_requirement
from policies.toml_lines import Statement, section, statements

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

DEFAULT_NAME = "experiment"
DEFAULT_VERSION = "0.1.0"


def toml_string(value: str) -> str:
    """`value` as a TOML basic string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def set_project_key(text: str, key: str, code: str) -> str:
    """State `key = code` in `[project]`: in its place, or after the last key; a missing table is made."""
    for statement in statements(text):
        if statement.path == ("project", key) and not statement.header:
            return replace_lines(text, statement.first, statement.last, f"{key} = {code}")
    table = section(text, "project")
    if table:
        return replace_lines(text, table.last + 1, table.last, f"{key} = {code}")
    first = next((s.first for s in statements(text) if s.path[:1] == ("project",)), None)
    if first is None:
        return f"[project]\n{key} = {code}\n" + ("\n" + text if text.strip() else "")
    return replace_lines(text, first, first - 1, f"[project]\n{key} = {code}\n\n")


def remove_statement(text: str, statement: Statement) -> str:
    """Take out lines; blank lines that then meet are joined."""
    lines = split_lines(text)
    head, tail = lines[: statement.first - 1], lines[statement.last :]
    while head and tail and not head[-1].strip() and not tail[0].strip():
        tail.pop(0)
    if not "".join(tail).strip():
        tail = []
        while head and not head[-1].strip():
            head.pop()
    return "".join(head + tail)


def dependency_table_to_list(text: str, *path: str) -> str | None:
    """Turn the table `path` of `name = constraint` lines into the list `project.dependencies`.

    None when a line has no PEP 508 form.
    """
    table = section(text, *path)
    if table is None:
        return None
    lines, python = _entries(split_lines(text)[table.first : table.last], indent="  ")
    if lines is None:
        return None
    text = remove_statement(text, table)
    text = set_project_key(text, "dependencies", "\n".join(["[", *lines, "]"]) if lines else "[]")
    return _set_python(text, python)


def _set_python(text: str, python: str) -> str:
    """Say `requires-python` unless it is said already."""
    stated = any(s.path == ("project", "requires-python") for s in statements(text))
    specifier = constraint(python)
    return (
        text if stated or not specifier else set_project_key(text, "requires-python", toml_string(specifier))
    )


def _entries(lines: list[str], *, indent: str) -> tuple[list[str] | None, str]:
    """The lines of a dependency table as lines of a list, and what it says about `python`."""
    text = "".join(lines)
    kept = {s.first: s for s in statements(text)}
    result: list[str] = []
    python, at = "", 1
    while at <= len(lines):
        statement = kept.get(at)
        if statement is None:
            result.append(indent + lines[at - 1].strip() if lines[at - 1].strip() else "")
            at += 1
            continue
        source = "".join(lines[at - 1 : statement.last])
        name, value = next(iter(tomllib.loads(source).items()))
        if is_environment_spec(name):
            python = value if isinstance(value, str) else ""
        else:
            requirement = from_poetry(name, value)
            if requirement is None:
                return None, ""
            result.append(f"{indent}{toml_string(requirement)},{_comment(source)}")
        at = statement.last + 1
    return result, python


def _comment(source: str) -> str:
    """The comment at the end of a statement, with two blanks before it; quotes cannot mislead it."""
    for start in (match.start() for match in re.finditer("#", source)):
        try:
            tomllib.loads(source[:start])
        except tomllib.TOMLDecodeError:
            continue
        return "  " + source[start:].strip()
    return ""


def list_of(requirements: list[str]) -> str:
    """A multi-line TOML array of strings."""
    return "\n".join(["[", *(f"  {toml_string(r)}," for r in requirements), "]"]) if requirements else "[]"


def requirements_in(value: object) -> list[str] | None:
    """A string or table in the place of the list, as PEP 508 strings; None when it cannot be read."""
    if isinstance(value, str):
        parts = [p.strip() for p in re.split(r"\n|,(?=\s*[A-Za-z])", value) if p.strip()]
        return parts if all(parse_requirement(p) for p in parts) else None
    if isinstance(value, Mapping):
        read = [from_poetry(k, v) for k, v in value.items() if not is_environment_spec(k)]
        return None if None in read else [r for r in read if r is not None]
    if isinstance(value, list):
        read = [_entry(entry) for entry in value]
        return None if None in read else [r for r in read if r is not None]
    return None


def _entry(entry: object) -> str | None:
    """One entry of a list: a string as it is, `{name = "torch", version = "^2"}` translated."""
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, Mapping):
        return None
    if len(entry) == 1 and "name" not in entry:
        return from_poetry(*next(iter(entry.items())))
    name = entry.get("name")
    return from_poetry(name, entry) if isinstance(name, str) and name_of(name) else None


def poetry_to_project(text: str) -> str | None:
    """Give a file that only Poetry understands a `[project]` table in the place of Poetry's own."""
    data = tomllib.loads(text)
    poetry = data.get("tool", {}).get("poetry", {})
    head = [f"name = {toml_string(project_name(str(poetry.get('name', DEFAULT_NAME))))}"]
    head.append(f"version = {toml_string(str(poetry.get('version', DEFAULT_VERSION)))}")
    if isinstance(poetry.get("description"), str):
        head.append(f"description = {toml_string(poetry['description'])}")
    authors = authors_code(poetry.get("authors"))
    if authors:
        head.append(f"authors = {authors}")
    table = section(text, "tool", "poetry")
    block = "\n".join(["[project]", *head])
    text = replace_lines(text, table.first, table.last, block) if table else block + "\n\n" + text
    if section(text, "tool", "poetry", "dependencies") is None:
        return text
    return dependency_table_to_list(text, "tool", "poetry", "dependencies")


def project_name(name: str) -> str:
    """A name that PEP 508 allows, as close to `name` as it gets."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-") or DEFAULT_NAME


def authors_code(authors: object) -> str | None:
    """`["A B <a@b.c>"]` as the inline tables that PEP 621 wants; None when there is nothing to say."""
    if not isinstance(authors, list) or not authors or not all(isinstance(a, str) for a in authors):
        return None
    tables = []
    for author in authors:
        match = re.fullmatch(r"\s*(.*?)\s*<([^<>]+)>\s*", author)
        name, email = (match[1], match[2]) if match else (author.strip(), "")
        fields = [f"name = {toml_string(name)}"] if name else []
        fields += [f"email = {toml_string(email)}"] if "@" in email else []
        tables.append("{ " + ", ".join(fields) + " }")
    return "[" + ", ".join(tables) + "]"


def replace_requirement(text: str, old: str, new: str | None) -> str | None:
    """Write `new` for the entry `old` of `project.dependencies`, or take the entry out."""
    for statement in statements(text):
        if statement.path == ("project", "dependencies") and not statement.header:
            lines = split_lines(text)
            source = "".join(lines[statement.first - 1 : statement.last])
            edited = _replace_literal(source, old, new)
            return edited and "".join(lines[: statement.first - 1]) + edited + "".join(
                lines[statement.last :]
            )
    return None


def _replace_literal(source: str, old: str, new: str | None) -> str | None:
    """The array's source with one string literal changed; without a literal its comma goes, too."""
    literal = "|".join(re.escape(quoted) for quoted in (f'"{old}"', f"'{old}'", toml_string(old)))
    if new is not None:
        code = toml_string(new)
        edited, count = re.subn(literal, lambda _: code, source, count=1)
        return edited if count else None
    own_line = rf"(?m)^[ \t]*(?:{literal})[ \t]*,?[ \t]*(?:#.*)?\n"
    for pattern in (own_line, rf"(?:{literal})\s*,\s*", rf",\s*(?:{literal})", literal):
        edited, count = re.subn(pattern, "", source, count=1)
        if count:
            return edited
    return None


def append_requirement(text: str, requirement: str) -> str | None:
    """Add an entry to the end of `project.dependencies`, laid out like the others."""
    for statement in statements(text):
        if statement.path == ("project", "dependencies") and not statement.header:
            return edit_toml(text, lambda document: _append(document, requirement))
    return set_project_key(text, "dependencies", list_of([requirement]))


def _append(document: TOMLDocument, requirement: str) -> None:
    array: Any = document["project"]["dependencies"]
    source = array.as_string()
    if "\n" not in source:
        array.append(requirement)
        return
    indent = re.search(r"\n([ \t]+)[\"']", source)
    array.add_line(requirement, indent=indent[1] if indent else "  ")
