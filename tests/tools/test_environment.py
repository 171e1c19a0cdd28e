"""Environments built for real, from tiny wheels in a local directory and without a network."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.errors import UsageError
from policies.records import Bundle, Failure
from tools.trial.base import Environment, EnvironmentResult
from tools.trial.environment import default_cache_root, install_rehearsal, resolve_environment
from tools.trial.environment_probe import named_environment

Resolve = Callable[[str], EnvironmentResult]


def bundle_of(pyproject: str) -> Bundle:
    return Bundle(files={"pyproject.toml": pyproject, "src/train.py": "import tinylib\nimport os\n"})


def project(*requirements: str) -> str:
    listed = ",\n".join(f'  "{r}"' for r in requirements)
    return f'[project]\nname = "x"\nversion = "0"\ndependencies = [\n{listed}\n]\n'


def make_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
    """A pure wheel with one module, which would leave a trace if it were imported."""
    info = f"{name}-{version}.dist-info"
    lines = [f"Requires-Dist: {r}" for r in requires]
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""])
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("links")
    for version in ("1.0", "2.0"):
        make_wheel(folder, "tinylib", version)
    make_wheel(folder, "needy", "1.0", ("tinylib<2",))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def resolve(links: Path, cache: Path) -> Resolve:
    pip_args = ("--no-index", "--find-links", str(links))
    return lambda text: resolve_environment("auto", bundle_of(text), cache_root=cache, pip_args=pip_args)


def built(result: EnvironmentResult) -> Environment:
    assert result.environment is not None, result.failure
    return result.environment


def versions(environment: Environment) -> dict[str, str]:
    return {k: v for k, v in environment.versions.items() if k not in ("pip", "setuptools")}


def test_a_declared_requirement_is_installed_once(resolve: Resolve) -> None:
    environment = built(resolve(project("tinylib>=1.0")))
    assert versions(environment) == {"tinylib": "2.0"}
    assert environment.built and environment.notes == ()
    assert environment.prefixes[-1:] != () and environment.site_packages[0].joinpath("tinylib.py").is_file()
    made = environment.python.stat(follow_symlinks=False).st_ctime_ns
    again = built(resolve('[project]\nname = "other"\nversion = "1"\ndependencies = ["TinyLib >= 1.0"]\n'))
    assert again == environment
    assert again.python.stat(follow_symlinks=False).st_ctime_ns == made
    printed = subprocess.run(
        [environment.python, "-c", "import tinylib; print(tinylib.VERSION)"], capture_output=True, check=True
    )
    assert printed.stdout == b"2.0\n"


def test_the_rehearsal_of_a_sound_pyproject_passes(resolve: Resolve) -> None:
    text = project("tinylib>=1.0")
    rehearsal = install_rehearsal(bundle_of(text), resolve(text), 1.5)
    assert (rehearsal.phase, rehearsal.run_id, rehearsal.status, rehearsal.wall_s) == (
        "install",
        "",
        "passed",
        1.5,
    )
    assert (rehearsal.failure, rehearsal.note) == (None, "")


def test_what_the_author_meant_is_installed_and_the_file_still_fails(resolve: Resolve) -> None:
    text = '[project]\nname = "x"\nversion = "0"\n[project.dependencies]\npython = "^3.9"\ntinylib = "^1.0"\n'
    result = resolve(text)
    assert versions(built(result)) == {"tinylib": "1.0"}
    rehearsal = install_rehearsal(bundle_of(text), result, 0.0)
    assert rehearsal.status == "failed" and rehearsal.failure is not None
    failure = rehearsal.failure
    assert (failure.exception, failure.file, failure.line) == ("InvalidPyproject", "pyproject.toml", 4)
    assert failure.message == "`project.dependencies` is a table, not a list of PEP 508 strings"


def test_an_impossible_requirement_is_a_failure_that_names_it(resolve: Resolve) -> None:
    text = project("needy", "tinylib>=3")
    result = resolve(text)
    assert result.environment is None and result.failure is not None
    shown = result.failure.model_copy(update={"tail": ""})
    assert shown == Failure(
        phase="install",
        exception="NoMatchingDistribution",
        message="no wheel satisfies `tinylib>=3`",
        file="pyproject.toml",
        line=6,
    )
    assert install_rehearsal(bundle_of(text), result, 0.0).failure == result.failure


def test_a_conflict_is_a_failure_that_names_both(resolve: Resolve) -> None:
    result = resolve(project("needy", "tinylib>=2"))
    assert result.failure is not None and result.failure.exception == "VersionConflict"
    assert "needy" in result.failure.message and "tinylib" in result.failure.message


def test_without_any_declaration_the_imports_decide(resolve: Resolve) -> None:
    environment = built(resolve("[tool.black]\nline-length = 100\n"))
    assert versions(environment) == {"tinylib": "2.0"}
    assert environment.notes == (
        "No requirements could be read; assumed those that the code imports: tinylib.",
    )


def test_a_half_built_environment_is_built_again(resolve: Resolve) -> None:
    environment = built(resolve(project("tinylib==1.0")))
    root = environment.python.parent.parent
    (root / ".complete").unlink()
    (root / "half").write_text("left by a killed build")
    assert built(resolve(project("tinylib==1.0"))) == environment
    assert not (root / "half").exists()


def test_source_only_is_built_without_a_network(tmp_path: Path, cache: Path) -> None:
    """The package's setup code runs inside the sandbox alone: there it sees no network and no host file."""
    marker = tmp_path / "ran-on-the-host"
    backend = (
        "import os, socket, zipfile\n"
        "METADATA = 'Metadata-Version: 2.1\\nName: onlysource\\nVersion: 1.5\\n'\n"
        "WHEEL = 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'\n"
        "up = [n for _, n in socket.if_nameindex() if n != 'lo']\n"
        f"try: open({str(marker)!r}, 'w')\n"
        "except OSError: pass\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    name = 'onlysource-1.5-py3-none-any.whl'\n"
        "    info = 'onlysource-1.5.dist-info/'\n"
        "    with zipfile.ZipFile(os.path.join(folder, name), 'w') as wheel:\n"
        "        wheel.writestr('onlysource.py', f'NETWORK = {up}')\n"
        "        for name_of, text in {'METADATA': METADATA, 'WHEEL': WHEEL, 'RECORD': ''}.items():\n"
        "            wheel.writestr(info + name_of, text)\n"
        "    return name\n"
    )
    system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    archive = tmp_path / "index" / "onlysource" / "onlysource-1.5.tar.gz"
    archive.parent.mkdir(parents=True)
    make_archive(archive, {"pyproject.toml": system, "backend.py": backend, "PKG-INFO": "Name: onlysource\n"})
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    link = f'<a href="{archive.name}#sha256={digest}">{archive.name}</a>'
    (archive.parent / "index.html").write_text(link)
    pip_args = ("--index-url", (tmp_path / "index").as_uri())
    bundle = bundle_of(project("onlysource>=1"))
    result = resolve_environment("auto", bundle, cache_root=cache, pip_args=pip_args)
    environment = built(result)
    assert versions(environment) == {"onlysource": "1.5"}
    assert (environment.site_packages[0] / "onlysource.py").read_text() == "NETWORK = []"
    assert not marker.exists()


def make_archive(path: Path, files: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"onlysource-1.5/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def test_a_named_interpreter_or_venv_is_taken(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    by_folder = named_environment(str(tmp_path / "venv"))
    assert by_folder == named_environment(str(tmp_path / "venv" / "bin" / "python"))
    assert by_folder.python == tmp_path / "venv" / "bin" / "python"
    assert (by_folder.versions, by_folder.built) == ({}, False)
    assert tmp_path / "venv" in by_folder.prefixes
    assert any(Path(sys.base_prefix).is_relative_to(p) for p in by_folder.prefixes)


def test_what_a_named_interpreter_lacks_is_a_note() -> None:
    text = project("packaging>=1", "pytest<1", "no-such-distribution", "other; python_version < '3'")
    result = EnvironmentResult(named_environment(sys.executable))
    rehearsal = install_rehearsal(bundle_of(text), result, 0.0)
    have = built(result).versions["pytest"]
    assert rehearsal.status == "passed"
    assert rehearsal.note == f"Not in the given interpreter: pytest<1 (it has {have}), no-such-distribution."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "there is no interpreter"),
        (lambda p: p.mkdir(), "a directory without bin/python"),
        (lambda p: p.write_text("#!/bin/sh\necho broken >&2\nexit 3\n") and p.chmod(0o755), "broken"),
        (lambda p: p.write_text("text"), "does not run as a Python interpreter"),
    ],
)
def test_an_unusable_interpreter_is_a_usage_error(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "given")
    with pytest.raises(UsageError, match=message):
        resolve_environment(str(tmp_path / "given"), bundle_of(""), cache_root=tmp_path)


def test_uv_must_be_there_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError, match="uv was asked for"):
        resolve_environment("auto", bundle_of(project()), cache_root=tmp_path, installer="uv")


@pytest.mark.parametrize(
    ("text", "exception", "line"),
    [
        (None, "MissingPyproject", 0),
        ("[project\n", "InvalidPyproject", 1),
        ("[tool.poetry]\nname = 'x'\n", "InvalidPyproject", 1),
        (project("torch>=2", "peft^0.5"), "InvalidRequirement", 6),
    ],
)
def test_a_bad_pyproject_fails_with_its_line(text: str | None, exception: str, line: int) -> None:
    bundle = Bundle(files={} if text is None else {"pyproject.toml": text})
    rehearsal = install_rehearsal(bundle, EnvironmentResult(None), 0.0)
    assert rehearsal.failure is not None
    assert (rehearsal.failure.exception, rehearsal.failure.line) == (exception, line)


def test_cache_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/cache")
    monkeypatch.delenv("SUTURE_CACHE", raising=False)
    assert default_cache_root() == Path("/x/cache/suture")
    monkeypatch.setenv("SUTURE_CACHE", "/y")
    assert default_cache_root() == Path("/y")
    monkeypatch.delenv("SUTURE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache_root() == Path.home() / ".cache" / "suture"
