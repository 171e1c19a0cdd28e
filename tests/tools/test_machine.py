"""The doctor's findings on the machine that runs the tests."""

from __future__ import annotations

from pathlib import Path

from tools.machine import Diagnosis, examine, sandbox_works


def test_everything_is_looked_at_and_said_how_to_get(tmp_path: Path) -> None:
    said: list[str] = []
    found = examine(tmp_path / "not" / "yet", contract=False, progress=said.append, env={})
    names = ["python", "git", "sandbox bwrap", "sandbox docker", "sandbox unsafe-local"]
    assert [item.name for item in found] == [*names, "pip", "uv", "cache", "disk", "model"]
    assert said[0] == "looking at the interpreter and git"
    assert all(item.detail for item in found)
    assert found[-1] == Diagnosis(
        name="model",
        status="optional",
        detail="none configured: repairs use codemods only",
        advice="set OPENAI_API_KEY, and OPENAI_BASE_URL for an endpoint of your own",
    )
    assert not (tmp_path / "not").exists(), "looking changes nothing"


def test_the_cache_is_measured(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "big").write_bytes(b"x" * 3 * 2**20)
    (tmp_path / "envs" / "link").hardlink_to(tmp_path / "envs" / "big")
    found = {item.name: item for item in examine(tmp_path, contract=False, env={})}
    assert found["cache"].detail == f"{tmp_path}, 3 MB"


def test_a_sandbox_without_walls_is_not_one_that_works() -> None:
    wall = Diagnosis(name="sandbox bwrap", status="works", detail="")
    open_air = Diagnosis(name="sandbox unsafe-local", status="works", detail="")
    assert sandbox_works((wall, open_air))
    assert not sandbox_works((open_air, wall.model_copy(update={"status": "missing"})))
