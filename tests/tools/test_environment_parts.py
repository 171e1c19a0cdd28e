"""The parts of environment building that need no installer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from policies.errors import EnvironmentUnavailable
from policies.records import Bundle
from policies.requirements import parse_requirement
from tools.trial.environment_install import Outcome, classify
from tools.trial.environment_pins import key_of, plans, reference_pins
from tools.trial.environment_requirements import read_requirements
from tools.trial.environment_share import MIN_BYTES, share_files


def read(text: str, **files: str) -> tuple[list[str], tuple[str, ...]]:
    declared = read_requirements(Bundle(files={"pyproject.toml": text, **files}))
    return [str(r) for r in declared.requirements], declared.notes


def test_every_form_is_read() -> None:
    listed = (
        '[project]\nname = "x"\ndependencies = ["torch>=2", "peft^0.5", "!!", "x @ https://e.org/x.whl"]\n'
    )
    assert read(listed) == (
        ["torch>=2", "peft>=0.5"],
        (
            "Left out `!!`, which is no requirement.",
            "Left out `x @ https://e.org/x.whl`: direct references are not fetched.",
        ),
    )
    lines = 'python = "^3.10"\ntorch = "^2.1"\nwandb = {version = "*", extras = ["a"]}\n'
    poetry = f"[tool.poetry.dependencies]\n{lines}"
    assert read(poetry) == (["torch<3,>=2.1", "wandb[a]"], ())
    table = '[project]\nname = "x"\n[project.dependencies]\nnumpy = ">=1,<3"\n'
    assert read(table) == (["numpy<3,>=1"], ())
    assert read('[project]\nname = "x"\ndependencies = []\n', **{"src/a.py": "import torch"}) == ([], ())


def test_unreadable_declarations_fall_back_to_imports() -> None:
    code = "import os, sklearn.svm\nfrom src.model import f\nfrom . import g\ndef h():\n    import yaml\n"
    names, notes = read("[broken", **{"src/a.py": code, "src/model.py": "x = 1", "src/bad.py": "def"})
    assert [parse_requirement(n).name for n in names if parse_requirement(n)] == ["pyyaml", "scikit-learn"]  # type: ignore[union-attr]
    assert len(notes) == 1


def test_python_is_read_from_either_place() -> None:
    poetry = Bundle(files={"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.10"\n'})
    assert str(read_requirements(poetry).python) == "<4,>=3.10"
    nonsense = Bundle(files={"pyproject.toml": '[project]\nrequires-python = "three"\n'})
    assert str(read_requirements(nonsense).python) == ""


def test_pins_apply_only_where_admitted() -> None:
    requirements = [
        parse_requirement(t) for t in ("Torch>=2", "datasets<3", "unknown-thing>=1", "wandb[media]")
    ]
    strict, direct, loose = plans([r for r in requirements if r])
    pins = reference_pins()
    torch, wandb = (str(pins[n].specifier) for n in ("torch", "wandb"))
    assert strict.lines == ("datasets<3", f"torch{torch}", "unknown-thing>=1", f"wandb[media]{wandb}")
    assert direct.lines == strict.lines and direct.constraints == ()
    assert loose.lines == ("datasets<3", f"torch{torch}", "unknown-thing>=1", "wandb[media]")
    assert [c for c in strict.constraints if c.startswith(("torch", "datasets"))] == []
    assert any(c.startswith("numpy==") for c in strict.constraints)


def test_keys_depend_on_content_alone() -> None:
    first, second = (
        plans([r for t in texts if (r := parse_requirement(t))])[0]
        for texts in (
            ("torch>=2.0", "numpy"),
            ("NumPy>=1", "torch~=2.1"),
        )
    )
    assert key_of(first, "py") == key_of(second, "py")
    assert key_of(first, "py") != key_of(first, "other")


NETWORK = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': /simple/x/
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
NESTED = """ERROR: Cannot install hydra-core because these package versions have conflicting dependencies.

The conflict is caused by:
    hydra-core 1.3.2 depends on antlr4-python3-runtime==4.9.*

Additionally, some packages in these conflicts have no matching distributions available for your environment:
    antlr4-python3-runtime

ERROR: ResolutionImpossible: for help visit the documentation
"""


def test_the_machine_is_told_from_the_requirements() -> None:
    with pytest.raises(EnvironmentUnavailable, match="index cannot be reached"):
        classify(NETWORK)
    with pytest.raises(EnvironmentUnavailable, match="the disk is full"):
        classify("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n")
    with pytest.raises(EnvironmentUnavailable, match="the installer failed: something odd"):
        classify("something odd\n")


def test_missing_distributions_are_named_with_their_specifier() -> None:
    top = "ERROR: No matching distribution found for torch==99 (from x)\n"
    expected = Outcome("missing", "no wheel satisfies `torch==99`", ("torch==99",), top.strip())
    assert classify(top) == expected
    assert classify(NESTED).missing == ("antlr4-python3-runtime==4.9.*",)
    uv = (
        "  × No solution found when resolving dependencies:\n  ╰─▶ Because antlr4==4.9 has no usable wheels\n"
    )
    assert classify(uv).missing == ("antlr4==4.9",)
    gone = "error: No solution found\ncause: Because there is no version of six==99 and you require it.\n"
    assert classify(gone).missing == ("six==99",)


def test_a_conflict_is_told_in_one_line() -> None:
    uv = "error: No solution found\ncause: Because a==1 depends on b<1 and you require b>1\n"
    assert classify(uv).kind == "conflict"
    assert classify(uv).message == "Because a==1 depends on b<1 and you require b>1"


def test_large_files_are_kept_once(tmp_path: Path) -> None:
    big, other = b"a" * MIN_BYTES, b"b" * MIN_BYTES
    for env, content in (("one", big), ("two", big), ("three", other)):
        (tmp_path / env).mkdir()
        (tmp_path / env / "lib.so").write_bytes(content)
        (tmp_path / env / "small.py").write_bytes(b"x")
    saved = [share_files(tmp_path / env, tmp_path / "store") for env in ("one", "two", "three")]
    assert saved == [0, MIN_BYTES, 0]
    assert [(tmp_path / env / "lib.so").stat().st_nlink for env in ("one", "two", "three")] == [3, 3, 2]
    assert (tmp_path / "two" / "lib.so").read_bytes() == big
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["lib.so", "small.py"]
    assert share_files(tmp_path / "two", tmp_path / "store") == 0


HOST = """
import sys
from tools.progress import silent
from tools.trial.environment_install import run_installer
inner = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])"
run_installer([sys.executable, "-c", inner, sys.argv[1]], env={"PATH": "/usr/bin:/bin"}, progress=silent)
"""


def sleepers(marker: str) -> list[Path]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", marker.encode()]:
                found.append(path)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_installer_outlives_us(number: int) -> None:
    """Not even its grandchildren: they would write into an environment that is being built anew."""
    marker = f"63.{os.getpid()}{time.monotonic_ns() % 10**9}"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    owner = subprocess.Popen([sys.executable, "-c", HOST, marker], env=env, stderr=subprocess.DEVNULL)
    assert wait_for(lambda: len(sleepers(marker)) == 1)
    owner.send_signal(number)
    owner.wait(timeout=20)
    assert wait_for(lambda: sleepers(marker) == [])


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
