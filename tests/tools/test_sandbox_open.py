from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from policies.errors import SandboxUnavailable
from tools.sandbox import bwrap
from tools.sandbox.base import Limits, Mount, SandboxSpec
from tools.sandbox.bwrap import BwrapSandbox
from tools.sandbox.open import available_backends, open_sandbox


def test_backends_are_listed_with_reasons() -> None:
    found = available_backends()
    assert sorted(found) == ["bwrap", "docker", "unsafe-local"]
    assert found["unsafe-local"] == ""
    assert found["docker"] == "this version has no such backend"


def test_auto_isolates() -> None:
    with open_sandbox("auto", SandboxSpec()) as sandbox:
        assert sandbox.backend == "bwrap"


def test_a_backend_that_does_not_work_names_those_that_do() -> None:
    with pytest.raises(
        SandboxUnavailable, match=r"'docker' does not work here: .*Working here: bwrap, unsafe-local"
    ):
        open_sandbox("docker", SandboxSpec())


def test_missing_bubblewrap_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailable, match="bubblewrap is not installed"):
        bwrap.find_bwrap()


def test_a_failing_start_is_unavailable(tmp_path: Path) -> None:
    spec = SandboxSpec(mounts=[Mount(tmp_path / "missing", PurePosixPath("/data"))])
    with BwrapSandbox(spec) as sandbox, pytest.raises(SandboxUnavailable, match="missing"):
        sandbox.run(["true"], timeout_s=10)


def test_mounts_are_read_only_and_move(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("given")
    mount = Mount(tmp_path, PurePosixPath("/data/given"))
    with BwrapSandbox(SandboxSpec(mounts=[mount])) as sandbox:
        assert sandbox.path_inside(mount) == PurePosixPath("/data/given")
        result = sandbox.run(
            ["sh", "-c", "cat /data/given/file; touch /data/given/new || echo no"], timeout_s=10
        )
        assert result.stdout == b"givenno\n"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_mount_under_work_moves_the_workdir(tmp_path: Path) -> None:
    mount = Mount(tmp_path, PurePosixPath("/work/env"))
    with BwrapSandbox(SandboxSpec(mounts=[mount])) as sandbox:
        assert sandbox.workdir == PurePosixPath("/bundle")
        assert sandbox.run(["pwd"], timeout_s=10).stdout == b"/bundle\n"
        assert sandbox.list_files() == ()


def test_environment_layers() -> None:
    spec = SandboxSpec(env={"A": "spec", "B": "spec", "OMP_NUM_THREADS": "2"})
    with BwrapSandbox(spec) as sandbox:
        command = ["sh", "-c", 'echo "$A $B $OMP_NUM_THREADS $MPLBACKEND"']
        assert sandbox.run(command, timeout_s=10, env={"B": "run"}).stdout == b"spec run 2 Agg\n"


def test_peak_memory_is_told() -> None:
    with BwrapSandbox(SandboxSpec(limits=Limits())) as sandbox:
        source = "x = bytearray(100 * 2**20); import time; time.sleep(0.5)"
        result = sandbox.run(["/usr/bin/env", "python3", "-c", source], timeout_s=10)
        if result.returncode == 127:
            pytest.skip("the system has no python3")
        assert 100 * 2**20 < result.peak_memory_bytes < 200 * 2**20
