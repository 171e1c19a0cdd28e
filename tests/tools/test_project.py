"""Plain projects: what is read of a directory, and what their tests need installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from policies.errors import UsageError
from policies.python_tests import CONTRACT, is_editable, is_test_file
from policies.records import Bundle, Failure
from tools.intake import read_request
from tools.trial.project_requirements import located, project_bundle, project_failure, project_metadata


def put(root: Path, files: dict[str, bytes]) -> Path:
    """Write files below a directory."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def test_code_is_editable_and_the_rest_is_given(tmp_path: Path) -> None:
    root = put(
        tmp_path,
        {
            "pyproject.toml": b"",
            "stack/core.py": b"x = 1\r\n",
            "stack/data.json": b"{}",
            "tests/test_core.py": b"\xef\xbb\xbfx = 1\n",
            "tests/blob.bin": b"\xff\xfe",
            "conftest.py": b"",
            "setup.cfg": b"[tool:pytest]\n",
            ".git/config": b"",
            ".venv/lib/a.py": b"",
            "own-env/pyvenv.cfg": b"",
            "own-env/a.py": b"",
            "stack/__pycache__/core.pyc": b"",
            "build/lib/stack/core.py": b"",
            "stack.egg-info/PKG-INFO": b"",
        },
    )
    request = read_request(root, "tests")
    assert dict(request.bundle.files) == {"pyproject.toml": "", "stack/core.py": "x = 1\r\n"}
    assert dict(request.bundle.given) == {
        "stack/data.json": "{}",
        "tests/test_core.py": "\ufeffx = 1\n",
        "conftest.py": "",
        "setup.cfg": "[tool:pytest]\n",
    }
    assert request.bundle.blobs["tests/blob.bin"] == b"\xff\xfe"


def test_what_cannot_be_kept_is_left_out_aloud(tmp_path: Path) -> None:
    root = put(tmp_path / "p", {"a.py": b"", "big.csv": b"0" * 5_000_001})
    (root / "link.txt").symlink_to("/etc/hostname")
    (root / "gone.txt").symlink_to(root / "absent")
    request = read_request(root, "tests")
    assert list(request.bundle.tree) == ["a.py"]
    assert [note.partition(" was left out")[0] for note in request.notes] == [
        "big.csv",
        "gone.txt",
        "link.txt",
    ]


@pytest.mark.parametrize("name", ["absent", "tests/test_a.py", "."])
def test_a_project_is_a_directory_with_code(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"tests/test_a.py": b""})
    with pytest.raises(UsageError, match=r"a project is a directory|no Python code besides tests"):
        read_request(tmp_path / name, "tests")


@pytest.mark.parametrize(
    ("path", "test", "editable"),
    [
        ("pkg/core.py", False, True),
        ("tests/helpers.py", True, False),
        ("pkg/test_core.py", True, False),
        ("pkg/core_test.py", True, False),
        ("pkg/conftest.py", True, False),
        ("pkg/testing/fake.py", False, True),
        ("pkg/contest.py", False, True),
        ("pyproject.toml", False, True),
        ("setup.cfg", False, False),
        ("pkg/data.yaml", False, False),
    ],
)
def test_which_files_are_tests(path: str, test: bool, editable: bool) -> None:
    assert (is_test_file(path), is_editable(path)) == (test, editable)


def wanted(files: dict[str, str], given: dict[str, str] | None = None) -> list[str]:
    """What is installed for a project."""
    made = project_bundle(Bundle(files=files, given=given or {}), CONTRACT)
    listed: list[str] = tomllib.loads(made.files["pyproject.toml"])["project"]["dependencies"]
    return listed


def test_requirements_come_from_every_file_that_declares_them() -> None:
    pyproject = (
        '[project]\nname = "stack"\nversion = "1"\ndependencies = ["attrs>=22"]\n'
        '[project.optional-dependencies]\ntest = ["hypothesis", "stack[fast]"]\ndocs = ["sphinx"]\n'
        '[dependency-groups]\ndev = ["freezegun", {include-group = "x"}]\n'
    )
    given = {
        "requirements-dev.txt": "-r requirements.txt\ndill==0.3.8  # why\n# no\n",
        "setup.cfg": "[options]\ninstall_requires =\n    packaging>=20\n[options.extras_require]\ndocs = f\n",
        "docs/requirements.txt": "mkdocs\n",
    }
    files = {"pyproject.toml": pyproject, "setup.py": "setup(install_requires=['tomli'], tests_require=T)\n"}
    assert wanted(files, given) == [
        "attrs>=22",
        "dill==0.3.8",
        "freezegun",
        "hypothesis",
        "packaging>=20",
        "pytest",
        "tomli",
    ]


def test_well_known_imports_are_installed_even_undeclared() -> None:
    files = {"a.py": "import numpy\nimport b\nimport my_own_thing\n", "b.py": "import os\n"}
    tests = {"tests/test_a.py": "import hypothesis\nimport pytest\nimport a\n"}
    assert [line.partition(">")[0] for line in wanted(files, tests)] == ["hypothesis", "numpy", "pytest"]


def test_a_bad_declaration_is_a_failure_and_none_is_not() -> None:
    assert project_failure(Bundle(files={"a.py": ""})) is None
    assert project_failure(Bundle(files={"pyproject.toml": "[tool.black]\n"})) is None
    broken = project_failure(Bundle(files={"pyproject.toml": "[project\n"}))
    assert broken is not None and broken.exception == "InvalidPyproject"


def test_what_cannot_be_had_is_placed_where_it_is_declared() -> None:
    failure = Failure(
        phase="install", exception="NoMatchingDistribution", message="no wheel satisfies `zzz-lib`"
    )
    bundle = Bundle(files={"a.py": ""}, given={"requirements.txt": "attrs\nzzz-lib>=3\n"})
    placed = located(failure, bundle)
    assert (placed.file, placed.line) == ("requirements.txt", 2)


@pytest.mark.parametrize(
    ("files", "given", "expected"),
    [
        ({"pyproject.toml": '[project]\nname = "a-b"\nversion = "1.2"\n'}, {}, ("a-b", "1.2")),
        ({"pyproject.toml": '[project]\nname = "a"\ndynamic = ["version"]\n'}, {}, ("a", "0.0.0")),
        ({}, {"setup.cfg": "[metadata]\nname = a\nversion = attr: a.v\n"}, ("a", "0.0.0")),
        ({"setup.py": "setup(name='a', version='2')\n"}, {}, ("a", "0.0.0")),
        ({"pyproject.toml": '[project]\nname = "../a"\n'}, {}, ("", "0.0.0")),
        ({}, {}, ("", "0.0.0")),
    ],
)
def test_name_and_version(files: dict[str, str], given: dict[str, str], expected: tuple[str, str]) -> None:
    assert project_metadata(Bundle(files=files, given=given)) == expected
