"""Counts what a bundle really does. Loaded by every Python process in the sandbox through PYTHONPATH.

Nothing is imported on the bundle's behalf: the counters attach when the bundle imports a library. A
probe that fails is dropped in silence, because the bundle must behave as if it were not there.
"""

# pathlib would be imported into every process that the bundle starts.
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

Module = Any
Hook = Callable[[Module], None]

OUT = os.environ.get("SUTURE_PROBE", "")
HERE = os.path.dirname(os.path.abspath(__file__))
FLUSH_S = 0.2
LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0", "::ffff:127.")
MAX_NAMES = 50


class Counters:
    """The counts of this process, written as one JSON line each time; the last line of a process counts."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start at zero; also what a forked child does."""
        self.lock = threading.RLock()
        self.key = f"{os.getpid()}-{time.time_ns()}"
        self.counts: dict[str, int] = {}
        self.names: dict[str, list[str]] = {}
        self.written = 0.0

    def add(self, name: str) -> None:
        """Count one event; the first of its kind is written at once, the rest at intervals."""
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1
            if self.counts[name] == 1 or time.monotonic() - self.written > FLUSH_S:
                self.flush()

    def note(self, name: str, value: str, *, once: bool) -> None:
        """Remember a value, in the order of appearance."""
        with self.lock:
            values = self.names.setdefault(name, [])
            if len(values) < MAX_NAMES and not (once and value in values):
                values.append(value)
                self.flush()

    def flush(self) -> None:
        """Append the present state; one small write, so that processes do not mix their lines."""
        self.written = time.monotonic()
        if not OUT or not (self.counts or self.names):
            return
        line = json.dumps({"process": self.key, "counts": self.counts, "names": self.names}) + "\n"
        with contextlib.suppress(OSError):
            fd = os.open(OUT, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, line.encode("utf-8", "replace"))
            finally:
                os.close(fd)


COUNTERS = Counters()


class Movement:
    """Watches a few elements of the parameters around a step, until one has been seen to change."""

    PARAMETERS = 8
    PATIENCE = 200

    def __init__(self) -> None:
        self.seen = False
        self.steps = 0
        self.watched: dict[int, list[tuple[Any, int, float]]] = {}

    def before(self, optimizer: Any) -> None:
        """Remember, for some parameters, the element with the largest gradient."""
        self.steps += 1
        if self.seen or (self.steps > self.PATIENCE and self.steps % self.PATIENCE):
            return
        self.watched[id(optimizer)] = []
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        graded = [p for p in parameters if p.grad is not None]
        for parameter in (graded or parameters)[: self.PARAMETERS]:
            with contextlib.suppress(Exception):
                index = largest(parameter)
                self.watched[id(optimizer)].append((parameter, index, element(parameter, index)))

    def after(self, optimizer: Any) -> bool:
        """Whether a watched element changed for the first time."""
        for parameter, index, value in self.watched.pop(id(optimizer), ()):
            with contextlib.suppress(Exception):
                if not self.seen and element(parameter, index) != value:
                    self.seen = True
                    self.watched.clear()
                    return True
        return False


def largest(parameter: Any) -> int:
    """The flat index of the element that a step is most likely to change."""
    gradient = parameter.grad
    if gradient is None:
        return 0
    gradient = gradient.detach()
    if gradient.is_sparse:
        gradient = gradient.to_dense()
    return int(gradient.abs().argmax())


def element(parameter: Any, index: int) -> float:
    """One element as a number, read through a view."""
    return float(parameter.detach().view(-1)[index])


def hook_torch(torch: Module) -> None:
    """Count optimizer steps that had gradients, backward passes, and see parameters move."""
    optimizer_module = sys.modules["torch.optim.optimizer"]
    movement = Movement()

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        with contextlib.suppress(Exception):
            movement.before(optimizer)

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        with contextlib.suppress(Exception):
            if any(p.grad is not None for group in optimizer.param_groups for p in group["params"]):
                COUNTERS.add("optimizer_steps")
            if movement.after(optimizer):
                COUNTERS.add("parameters_moved")

    optimizer_module.register_optimizer_step_pre_hook(before)
    optimizer_module.register_optimizer_step_post_hook(after)
    count_calls(torch.autograd, "backward", "backward_passes")


def hook_dataloader(module: Module) -> None:
    """Count the batches that any loader yields."""
    iterator = module._BaseDataLoaderIter
    original = iterator.__next__

    @functools.wraps(original)
    def counted(self: Any) -> Any:
        batch = original(self)
        COUNTERS.add("batches")
        return batch

    iterator.__next__ = counted


def hook_wandb(wandb: Module) -> None:
    """Note the mode of every run that is started, whether or not it then starts."""
    original = wandb.init

    @functools.wraps(original)
    def noted(*args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(Exception):
            COUNTERS.note("wandb_modes", wandb_mode(kwargs), once=False)
        return original(*args, **kwargs)

    wandb.init = noted


def wandb_mode(kwargs: dict[str, Any]) -> str:
    """The mode that `wandb.init` will take, by its own order of precedence."""
    settings = kwargs.get("settings")
    from_settings = settings.get("mode") if isinstance(settings, dict) else getattr(settings, "mode", None)
    disabled = os.environ.get("WANDB_DISABLED", "").lower() in ("true", "1")
    fallback = "disabled" if disabled else os.environ.get("WANDB_MODE") or "online"
    return str(kwargs.get("mode") or from_settings or fallback)


def hook_optuna(study: Module) -> None:
    """Count the trials that a study hands out."""
    count_calls(study.Study, "ask", "optuna_trials")


def hook_subprocess(subprocess: Module) -> None:
    """Keep the probes and the doubles in sight of children that get an environment of their own making."""
    original = subprocess.Popen.__init__
    position = 10

    @functools.wraps(original)
    def started(self: Any, *args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(Exception):
            if len(args) > position:
                args = (*args[:position], child_environment(args[position]), *args[position + 1 :])
            else:
                kwargs["env"] = child_environment(kwargs.get("env"))
        original(self, *args, **kwargs)

    subprocess.Popen.__init__ = started


def child_environment(env: Any | None) -> Any | None:
    """The environment that a child gets: as asked for, with what the rehearsal needs put back."""
    given = os.environ if env is None else env
    if any(not isinstance(key, str) or not isinstance(value, str) for key, value in given.items()):
        return env
    paths = [p for p in given.get("PYTHONPATH", "").split(os.pathsep) if p]
    missing = {k: v for k, v in KEPT.items() if k not in given}
    if HERE in paths and not missing:
        return env
    rest = [p for p in paths if p != HERE]
    return {**given, **missing, "PYTHONPATH": os.pathsep.join([HERE, *rest])}


def count_calls(owner: Any, name: str, counter: str) -> None:
    """Replace a function by one that counts its calls and is otherwise the same."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def counted(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        COUNTERS.add(counter)
        return result

    setattr(owner, name, counted)


HOOKS: dict[str, Hook] = {
    "torch": hook_torch,
    "torch.utils.data.dataloader": hook_dataloader,
    "wandb": hook_wandb,
    "optuna.study.study": hook_optuna,
    "subprocess": hook_subprocess,
}


class Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the others find, and calls the hook when the module has been executed."""

    def __init__(self) -> None:
        self.busy = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: Any | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the other finders, with its loader asked to call back."""
        if name not in HOOKS or getattr(self.busy, "name", None) == name:
            return None
        self.busy.name = name
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy.name = None
        if spec is not None and spec.loader is not None:
            with contextlib.suppress(Exception):
                call_back(spec.loader, HOOKS[name])
        return spec


def call_back(loader: Any, hook: Hook) -> None:
    """Make the loader call `hook` after it has executed the module; it stays the same loader."""
    original = loader.exec_module

    def exec_module(module: Module) -> None:
        del loader.exec_module
        original(module)
        with contextlib.suppress(Exception):
            hook(module)

    loader.exec_module = exec_module


def audit(event: str, args: tuple[Any, ...]) -> None:
    """Note every attempt to reach a host that is not this one."""
    if event == "socket.connect":
        address = args[1]
        host, port = (address[0], address[1]) if isinstance(address, tuple) and len(address) > 1 else ("", "")
    elif event == "socket.getaddrinfo":
        host, port = args[0], args[1]
    else:
        return
    with contextlib.suppress(Exception):
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        # Libraries derive names such as `datasets-server.127.0.0.1` from the double's address.
        local = name.startswith(LOOPBACK) or name.endswith(".127.0.0.1") or name == os.uname().nodename
        if name and not local:
            COUNTERS.note("network_refused", f"{name}:{port}", once=True)


def leave(original: Callable[[int], Any]) -> Callable[[int], Any]:
    """`os._exit`, which runs no exit handlers, with the counts written first."""

    @functools.wraps(original)
    def left(status: int) -> Any:
        with contextlib.suppress(Exception):
            COUNTERS.flush()
        return original(status)

    return left


def dump_before_the_limit() -> None:
    """Have the stack printed shortly before the time limit, so that a hang has a place."""
    deadline = float(os.environ.get("SUTURE_DEADLINE", "0"))
    if deadline:
        import faulthandler

        faulthandler.dump_traceback_later(max(deadline - time.time(), 0.1), exit=False)


def run_shadowed() -> None:
    """Run the `sitecustomize` that this one hides, if the environment has one."""
    others = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def install() -> None:
    """Attach everything; called once per process."""
    atexit.register(COUNTERS.flush)
    os.register_at_fork(after_in_child=COUNTERS.reset)
    os._exit = leave(os._exit)  # type: ignore[assignment]  # the wrapper leaves too
    sys.addaudithook(audit)
    sys.meta_path.insert(0, Finder())
    loaded = sys.modules.get("subprocess")
    if loaded is not None:
        hook_subprocess(loaded)
    dump_before_the_limit()


KEPT = {k: os.environ[k] for k in os.environ.get("SUTURE_KEEP", "").split(",") if k in os.environ}

if OUT:
    with contextlib.suppress(Exception):
        install()
run_shadowed()
