"""Composes configs by the real `@hydra.main`, for many runs in one process: `python compose.py JOB.json`.

The decorator is given the arguments that the bundle's own decorator has, and a task function that claims
to come from the bundle's file; so Hydra searches, composes and reports as it does for the bundle, while
nothing of the bundle is imported.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Task = Callable[[Any], None]
TASK = "def task(cfg):\n    seen(cfg)\n"
MAX_KEYS = 20


def decorator_arguments(module: dict[str, Any], path: str) -> dict[str, Any]:
    """The values of the decorator's arguments. They are expressions such as `str(ROOT / "config")`."""
    scope: dict[str, Any] = {"__file__": path, "__name__": "__main__", "os": os, "Path": Path}
    scope.update(pathlib=pathlib, sys=sys)
    for constant in module["constants"]:
        with contextlib.suppress(Exception):
            exec(constant, scope)
    values = {name: eval(source, scope) for name, source in module["arguments"].items()}
    return {k: str(v) if isinstance(v, pathlib.PurePath) else v for k, v in values.items()}


def task_from(path: str, seen: Task) -> Any:
    """A task function whose source file is the bundle's, which is where Hydra looks for `config_path`."""
    scope: dict[str, Any] = {"seen": seen, "__name__": "__main__"}
    exec(compile(TASK, path, "exec"), scope)
    return scope["task"]


def compose(module: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Compose once; an error of Hydra's is part of the answer."""
    path = str(Path(module["path"]).resolve())
    try:
        arguments = decorator_arguments(module, path)
    except Exception as error:  # noqa: BLE001  (a decorator that cannot be read is a fact)
        return {"status": "unknown", "message": f"{type(error).__name__}: {error}"}
    facts: dict[str, Any] = {}
    start = Path.cwd()

    def seen(cfg: Any) -> None:
        facts.update(missing=[], unresolved=[], directory=os.path.relpath(Path.cwd(), start))
        with contextlib.suppress(Exception):
            facts.update(inspect(cfg))

    sys.argv = [path, *overrides]
    stderr = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(stderr):
            warnings.simplefilter("ignore")
            import hydra  # type: ignore[import-not-found]  # the bundle's environment has it

            hydra.main(**arguments)(task_from(path, seen))()
    except BaseException as error:  # noqa: BLE001  (whatever ends Hydra is the answer)
        return failure(error, stderr.getvalue(), f"{start}/")
    finally:
        os.chdir(start)
    if not facts:
        return {"status": "unknown", "message": "Hydra ended without composing: " + stderr.getvalue()[-500:]}
    return {"status": "composed", **facts}


def failure(error: BaseException, stderr: str, root: str) -> dict[str, Any]:
    """An exception as data, with the error that it was raised from, which often names the key."""
    cause = error.__cause__ or error.__context__
    message = str(error) if not isinstance(error, SystemExit) else stderr or str(error)
    return {
        "status": "failed",
        "exception": type(error).__name__,
        "message": message.replace(root, ""),
        "cause": f"{type(cause).__name__}: {cause}".replace(root, "") if cause is not None else "",
    }


def inspect(cfg: Any) -> dict[str, list[str]]:
    """Keys that are still `???`, and interpolations that cannot be resolved."""
    missing, unresolved = [], []
    for key, node in walk(cfg, ""):
        if node._is_missing():
            missing.append(key)
        elif node._is_interpolation():
            try:
                node._dereference_node()
            except Exception as error:  # noqa: BLE001  (resolvers are arbitrary code)
                unresolved.append(f"{key}: {first_line(error)}")
    return {"missing": missing[:MAX_KEYS], "unresolved": unresolved[:MAX_KEYS]}


def first_line(error: Exception) -> str:
    """The first line of an error's message."""
    return str(error).split("\n")[0]


def walk(cfg: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every node of a config with its dotted path."""
    from omegaconf import DictConfig, ListConfig  # type: ignore[import-not-found]  # the same

    if (
        not isinstance(cfg, (DictConfig, ListConfig))
        or cfg._is_none()
        or cfg._is_missing()
        or cfg._is_interpolation()
    ):
        return
    for key in cfg.keys() if isinstance(cfg, DictConfig) else range(len(cfg)):
        node = cfg._get_node(key)
        path = f"{prefix}.{key}" if prefix else str(key)
        yield path, node
        yield from walk(node, path)


def timed(module: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Compose once, and say how long it took."""
    start = time.monotonic()
    answer = compose(module, overrides)
    return {**answer, "wall_s": time.monotonic() - start}


def main(path: str) -> int:
    """Compose every module for every run and write the answers beside the job."""
    job = json.loads(Path(path).read_text("utf-8"))
    out = Path(job["out"]).absolute()
    os.chdir(job["root"])
    sys.path[0] = str(Path.cwd())
    answers = [
        {"module": module["path"], "run_id": run["run_id"], **timed(module, list(run["overrides"]))}
        for run in job["runs"]
        for module in job["modules"]
    ]
    out.write_text(json.dumps(answers), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
