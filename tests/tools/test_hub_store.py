"""Building and caching the store, with an interpreter that lacks the libraries and one that cannot build."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from policies.errors import EnvironmentUnavailable
from tools.doubles.hub.store import ensure_store, hub_env, store_key
from tools.trial.base import Environment


def environment(python: str, **versions: str) -> Environment:
    return Environment(Path(python), (), (), versions, "key", built=False)


def test_hub_env() -> None:
    assert hub_env(4321, home="~/hub") == {
        "HF_ENDPOINT": "http://127.0.0.1:4321",
        "HF_HOME": "~/hub",
        "HF_TOKEN": "hf_0000000000000000000000000000000000",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_the_key_follows_the_libraries_that_matter() -> None:
    base = store_key({"torch": "2.13.0", "rich": "1"})
    assert base == store_key({"torch": "2.13.0", "rich": "2"})
    assert base != store_key({"torch": "2.12.0"})


def test_an_environment_without_the_libraries_gets_a_store_that_says_so(tmp_path: Path) -> None:
    # -S keeps installed packages out of sight.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        stores = list(
            pool.map(lambda _: ensure_store(environment(str(bare)), tmp_path, said.append), range(2))
        )
    assert stores[0] == stores[1]
    index = json.loads((stores[0] / "index.json").read_text("utf-8"))
    assert index["notes"] == [
        "the environment has no pyarrow, so data sets are not served",
        "the environment has no torch, transformers, tokenizers, safetensors, so models are not served",
    ]
    assert "evaluate-metric/accuracy" in index["repos"]["spaces"]
    assert sum(s.startswith("building") for s in said) == 1
    assert [p.name for p in stores[0].parent.iterdir() if p.is_dir()] == [stores[0].name]
    said.clear()
    assert ensure_store(environment(str(bare)), tmp_path, said.append) == stores[0]
    assert said == []


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such luck' >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(EnvironmentUnavailable, match="exit 3, no such luck"):
        ensure_store(environment(str(broken)), tmp_path, lambda message, /: None)
    assert [p.suffix for p in (tmp_path / "hub").iterdir()] == [".lock"]
