"""The store on the host: built once per catalogue and library versions, and shared by all bundles.

Also names the environment variables that send the client libraries to the double.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from policies.errors import EnvironmentUnavailable
from tools.progress import Progress
from tools.trial.base import Environment

HERE = Path(__file__).resolve().parent
SERVER = HERE / "server.py"
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "sentencepiece", "protobuf", "pyarrow")
BUILD_LIMIT_S = 900.0


def hub_env(port: int, *, home: str = "~/.cache/huggingface") -> dict[str, str]:
    """The variables under which unmodified libraries talk to the double on a port.

    Args:
        home: The libraries' cache, inside the sandbox; `~` is expanded there by the libraries themselves.
    """
    return {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": home,
        "HF_TOKEN": "hf_" + "0" * 34,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def ensure_store(environment: Environment, cache_root: Path, progress: Progress) -> Path:
    """The store for an environment, built now if it is not there.

    Raises:
        EnvironmentUnavailable: The environment's interpreter cannot build it.
    """
    target = cache_root / "hub" / store_key(environment.versions)
    if _whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock"), progress):
        if not _whole(target):
            _build(environment, target, progress)
    return target


def store_key(versions: Mapping[str, str]) -> str:
    """Equal keys are interchangeable stores: same catalogue, same scripts, same library versions."""
    hasher = hashlib.sha256()
    for path in sorted(_sources()):
        hasher.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for name in LIBRARIES:
        hasher.update(f"{name}={versions.get(name, '')}\n".encode())
    return hasher.hexdigest()[:20]


def _sources() -> Iterator[Path]:
    yield HERE / "make_store.py"
    for pattern in ("catalog/**/*.json", "storebuild/*.py", "metrics/*.py"):
        yield from HERE.glob(pattern)


def _whole(store: Path) -> bool:
    return (store / "index.json").is_file()


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock file, so that a store is built by one process while others wait."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that builds the hub double's store")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(environment: Environment, target: Path, progress: Progress) -> None:
    progress("building the hub double's models and data sets (once per set of library versions)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        made = Path(folder) / "store"
        failure = _run(environment.python, made, Path(folder), progress)
        if failure or not _whole(made):
            raise EnvironmentUnavailable(
                f"{environment.python} cannot build the models and data sets of the hub double: {failure}; "
                "name another interpreter with --env or use --hub real"
            )
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)


def _run(python: Path, made: Path, scratch: Path, progress: Progress) -> str:
    """Run the build offline. Returns the last words of a failure, or nothing."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(scratch / "hf"), "HOME": str(scratch)}
    quiet = {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [str(python), "-u", str(HERE / "make_store.py"), "--out", str(made)],
        env={
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            **offline,
            **quiet,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert process.stderr is not None
    last = ""
    try:
        for line in process.stderr:
            last = line.strip() or last
            if line.startswith(("models", "data sets")):
                progress(f"hub double: {last}")
        code = process.wait(BUILD_LIMIT_S)
    finally:
        process.kill()
    return f"exit {code}, {last}" if code else ""
