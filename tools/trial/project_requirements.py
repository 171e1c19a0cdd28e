"""What a plain project needs installed to run its tests, from every file that people declare it in."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from policies.contract import Contract
from policies.imported import known, module_distributions, third_party
from policies.parsed import ParsedBundle, parse_module
from policies.records import Bundle, Failure, Rehearsal
from policies.requirements import parse_requirement, with_floor
from tools.trial.base import EnvironmentResult
from tools.trial.environment import absent
from tools.trial.environment_requirements import PYPROJECT, pyproject_failure, read_requirements

TEST_EXTRA = re.compile(
    r"(?:unit|dev|all)?[-_]?(?:tests?|testing|dev|develop|development|ci)(?:[-_].*)?", re.I
)
REQUIREMENTS_FILE = re.compile(
    r"requirements/(?:base|main|dev|tests?|ci|requirements)\.txt"
    r"|(?:(?:dev|tests?|ci)[-_])?requirements(?:[-_.](?:base|main|dev|tests?|ci))?\.txt"
)
TEST_TOOLS = frozenset(
    {"hypothesis", "pytest-asyncio", "pytest-mock", "freezegun", "responses", "parameterized"}
)
"""Distributions that only tests import; what a suite imports of them is installed undeclared, too."""


def project_bundle(bundle: Bundle, contract: Contract) -> Bundle:
    """A bundle whose `pyproject.toml` lists everything that a project and its tests need, pytest too."""
    own = _project_name(bundle)
    found: dict[str, Requirement] = {}
    for requirement in (*_declared(bundle), *_imported(bundle, contract), Requirement("pytest")):
        name = canonicalize_name(requirement.name)
        if name != own and not requirement.url:
            found.setdefault(name, requirement)
    listed = json.dumps(sorted(map(str, found.values())))
    lines = ["[project]", 'name = "tested-project"', 'version = "0"']
    python = read_requirements(_only_pyproject(bundle)).python
    lines += [f"requires-python = {json.dumps(str(python))}"] if str(python) else []
    return Bundle(files={PYPROJECT: "\n".join([*lines, f"dependencies = {listed}", ""])})


def project_metadata(bundle: Bundle) -> tuple[str, str]:
    """Name and version of the project: no name when it states none, `0.0.0` for a version made by a build."""
    table = (_toml(bundle) or {}).get("project")
    stated = table if isinstance(table, dict) else {}
    parser = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error):
        parser.read_string(bundle.given.get("setup.cfg", ""))
    name = stated.get("name") or parser.get("metadata", "name", fallback="") or _setup_name(bundle)
    version = stated.get("version") or parser.get("metadata", "version", fallback="")
    plain = isinstance(version, str) and re.fullmatch(r"[0-9][\w.+!-]*", version)
    safe = isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][\w.-]*", name)
    return (str(name) if safe else ""), (str(version) if plain else "0.0.0")


def _setup_name(bundle: Bundle) -> str:
    for node in parse_module("setup.py", bundle.files.get("setup.py", "")).nodes:
        if isinstance(node, ast.keyword) and node.arg == "name" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return ""


def project_failure(bundle: Bundle) -> Failure | None:
    """Why an installer refuses what the project declares; None when it does not."""
    data = _toml(bundle)
    if data is not None and "project" not in data:
        return None
    return pyproject_failure(bundle) if PYPROJECT in bundle.files else None


def install_of_project(bundle: Bundle, wanted: Bundle, result: EnvironmentResult, wall_s: float) -> Rehearsal:
    """Whether what the project declares is valid, and whether it can be had with what its tests need."""
    failure = project_failure(bundle)
    if failure is None and result.failure is not None:
        failure = located(result.failure, bundle)
    environment = result.environment
    notes = [*environment.notes, *absent(wanted, environment)] if environment else []
    return Rehearsal(
        phase="install",
        run_id="",
        status="failed" if failure else "passed",
        wall_s=wall_s,
        failure=failure,
        note=" ".join(notes),
    )


def located(failure: Failure, bundle: Bundle) -> Failure:
    """A failed installation, placed in the file of the project that names what cannot be had."""
    names = re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]+", failure.message)
    for path in sorted(p for p in bundle.tree if _declares(p)):
        for number, line in enumerate(bundle.tree[path].splitlines(), start=1):
            if any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", line) for name in names):
                return failure.model_copy(update={"file": path, "line": number})
    return failure.model_copy(update={"file": PYPROJECT if PYPROJECT in bundle.files else "", "line": 0})


def _declares(path: str) -> bool:
    return path in (PYPROJECT, "setup.cfg", "setup.py") or bool(REQUIREMENTS_FILE.fullmatch(path))


def _declared(bundle: Bundle) -> Iterator[Requirement]:
    """Requirements of every file that declares some, those of `pyproject.toml` first."""
    yield from read_requirements(_only_pyproject(bundle)).requirements
    texts = [*_extras(_toml(bundle) or {})]
    for path, text in sorted(bundle.tree.items()):
        if REQUIREMENTS_FILE.fullmatch(path):
            texts += [line.partition(" #")[0].partition(" --")[0] for line in text.splitlines()]
        elif path == "setup.cfg":
            texts += _setup_cfg(text)
        elif path == "setup.py":
            texts += _setup_py(text)
    for text in texts:
        requirement = parse_requirement(text.strip())
        if requirement is not None:
            yield requirement


def _only_pyproject(bundle: Bundle) -> Bundle:
    return Bundle(files={p: t for p, t in bundle.files.items() if p == PYPROJECT})


def _toml(bundle: Bundle) -> dict[str, Any] | None:  # parsed TOML has no narrower type
    try:
        return tomllib.loads(bundle.files.get(PYPROJECT, ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _project_name(bundle: Bundle) -> str:
    project = (_toml(bundle) or {}).get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return canonicalize_name(name) if isinstance(name, str) else ""


def _extras(data: Mapping[str, Any]) -> Iterator[str]:
    """Entries of optional dependencies and dependency groups that are for testing."""
    project = data.get("project")
    poetry = (data.get("tool") or {}).get("poetry") if isinstance(data.get("tool"), dict) else None
    for groups in (
        project.get("optional-dependencies") if isinstance(project, dict) else None,
        data.get("dependency-groups"),
    ):
        for name, entries in groups.items() if isinstance(groups, dict) else ():
            if TEST_EXTRA.fullmatch(name) and isinstance(entries, list):
                yield from (entry for entry in entries if isinstance(entry, str))
    legacy = poetry.get("dev-dependencies") if isinstance(poetry, dict) else None
    groups = poetry.get("group") if isinstance(poetry, dict) else None
    tables = (
        [legacy, *(g.get("dependencies") for g in groups.values())] if isinstance(groups, dict) else [legacy]
    )
    for entries in tables:
        yield from (name for name in entries if name != "python") if isinstance(entries, dict) else ()


def _setup_cfg(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    yield from parser.get("options", "install_requires", fallback="").splitlines()
    yield from parser.get("options", "tests_require", fallback="").splitlines()
    if parser.has_section("options.extras_require"):
        for name, value in parser.items("options.extras_require"):
            yield from value.splitlines() if TEST_EXTRA.fullmatch(name) else ()


def _setup_py(text: str) -> Iterator[str]:
    """Requirements that a `setup.py` spells out; it is read, never run."""
    for node in parse_module("setup.py", text).nodes:
        if isinstance(node, ast.keyword) and node.arg in ("install_requires", "tests_require"):
            yield from _strings(node.value)
        elif (
            isinstance(node, ast.keyword)
            and node.arg == "extras_require"
            and isinstance(node.value, ast.Dict)
        ):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and TEST_EXTRA.fullmatch(str(key.value)):
                    yield from _strings(value)


def _strings(node: ast.expr) -> Iterable[str]:
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ()
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list | tuple) else ()


def _imported(bundle: Bundle, contract: Contract) -> Iterator[Requirement]:
    """Well-known distributions that code or tests import: that one is not declared is said elsewhere."""
    tests = {path: text for path, text in bundle.given.items() if path.endswith(".py")}
    whole = bundle.model_copy(update={"files": {**bundle.files, **tests}})
    for item in third_party(ParsedBundle(whole, contract)):
        name = module_distributions(item.module)[0]
        if known(name) or name in TEST_TOOLS:
            yield Requirement(with_floor(name))
