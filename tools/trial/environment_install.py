"""Runs pip or uv to its end, says what it is doing, and tells whose fault a failure is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from policies.errors import EnvironmentUnavailable
from tools.progress import Progress
from tools.sandbox import launch

Installer = Literal["pip", "uv"]
WALL_S = 3600.0
_SAY_EVERY_S = 5.0
_END_WITHIN_S = 10.0
_KEPT_LINES = 50_000
_UNWANTED = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_BINARY", "PIP_REQUIRE_VIRTUALENV")
_DISK = re.compile(r"No space left on device|Disk quota exceeded|os error 28|Errno 28", re.I)
_NETWORK = re.compile(
    r"Retrying \(Retry|Max retries exceeded|NewConnectionError|connection broken|Name or service not known"
    r"|Temporary failure in name resolution|Network is unreachable|Connection refused|ReadTimeoutError"
    r"|ProxyError|CERTIFICATE_VERIFY_FAILED|error sending request|dns error|Read timed out",
    re.I,
)
_REASON = re.compile(r"\[Errno -?\d+\] ([^'\"()]+)")
_NO_MATCH = re.compile(r"No matching distribution found for (.+?)(?: \(from .*\))?$", re.M)
_NONE_AVAILABLE = re.compile(
    r"have no matching distributions available for your environment:\n((?: +\S+\n)+)"
)
_UV_MISSING = re.compile(
    r"[Bb]ecause (?:only )?(\S+) (?:has|have) no (?:usable )?wheels|there is no version of (\S+)"
    r"|[Bb]ecause (\S+) was not found in the package registry"
)
_UV_PIP = {
    "UV_INDEX": "PIP_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
}
"""uv's names of the settings that a user has made for pip."""
_CONFLICT = re.compile(r"conflicting dependencies|ResolutionImpossible|No solution found", re.I)
_PYTHON = re.compile(r"requires a different Python|Requires-Python", re.I)
_SAYS = re.compile(r"^\s*(Collecting|Downloading|Installing collected packages:|Processing)\s+(\S+)")


@dataclass(frozen=True)
class Outcome:
    """How an installation ended."""

    kind: Literal["done", "missing", "conflict"]
    message: str = ""
    """One line that names the requirement."""
    missing: tuple[str, ...] = ()
    """Requirements that no wheel satisfies."""
    tail: str = ""


def install(
    argv: Sequence[str | Path], *, env: Mapping[str, str], progress: Progress, wall_s: float = WALL_S
) -> Outcome:
    """Run an installer.

    Raises:
        EnvironmentUnavailable: the network, the disk or the installer failed, not the requirements.
    """
    output, code = run_installer(argv, env=env, progress=progress, wall_s=wall_s)
    return Outcome("done") if code == 0 else classify(output)


def classify(output: str) -> Outcome:
    """What a failed installer's output means. Raises EnvironmentUnavailable as `install` does."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = (
        [line for line in lines if line.lower().startswith(("error", "×"))] or lines[-3:] or ["no output"]
    )
    if _DISK.search(output):
        raise EnvironmentUnavailable(
            f"the disk is full: {errors[0]}. Free space, or set SUTURE_CACHE elsewhere"
        )
    if match := _NETWORK.search(output):
        where = next(line for line in lines if match[0] in line)
        reason = said[1].strip() if (said := _REASON.search(where)) else where[:300]
        raise EnvironmentUnavailable(
            f"the package index cannot be reached: {reason}. Retry online, or name an interpreter with --env"
        )
    missing = _missing(output)
    tail = "\n".join(lines[-30:])
    if missing:
        return Outcome("missing", f"no wheel satisfies `{'`, `'.join(missing)}`", missing, tail)
    if _CONFLICT.search(output) or _PYTHON.search(output):
        because = (line[line.index("Because ") :] for line in lines if "Because " in line)
        conflict = next((line for line in errors if _CONFLICT.search(line)), errors[0])
        return Outcome("conflict", next(because, re.sub(r"^ERROR: ", "", conflict)), (), tail)
    raise EnvironmentUnavailable(f"the installer failed: {errors[0][:300]}")


def installer_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The host's environment, which carries the user's index settings, without what would misdirect pip."""
    unwanted = {*_UNWANTED, "VIRTUAL_ENV", "UV_PYTHON", "CONDA_PREFIX"}
    kept = {k: v for k, v in os.environ.items() if k not in unwanted and not k.startswith("PYTHON")}
    for name, source in _UV_PIP.items():
        if source in kept:
            kept.setdefault(name, kept[source])
    return {
        **kept,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "NO_COLOR": "1",
        **(extra or {}),
    }


def uv_links() -> tuple[str, ...]:
    """Options for uv with the directories of wheels that the user has set for either installer.

    uv forgets those of the environment as soon as one is given on the command line.
    """
    links = os.environ.get("UV_FIND_LINKS", "").split(",") + os.environ.get("PIP_FIND_LINKS", "").split()
    return tuple(part for link in links if link for part in ("--find-links", link))


def _missing(output: str) -> tuple[str, ...]:
    found = [m.strip() for m in _NO_MATCH.findall(output)]
    for block in _NONE_AVAILABLE.findall(output):
        found += (_wanted(name, output) for name in block.split())
    found = found or ["".join(groups) for groups in _UV_MISSING.findall(output)]
    return tuple(dict.fromkeys(found))


def _wanted(name: str, output: str) -> str:
    """A bare name with the specifier that pip's explanation gives it."""
    match = re.search(rf"(?:depends on|requested) ({re.escape(name)}[^\n;(]*)", output, re.I)
    return match[1].strip() if match else name


def run_installer(
    argv: Sequence[str | Path], *, env: Mapping[str, str], progress: Progress, wall_s: float = WALL_S
) -> tuple[str, int]:
    """Output and exit status; the whole process group is gone when this returns."""
    process = _spawn(argv, env)
    assert process.stdout is not None
    timer = threading.Timer(wall_s, _kill, (process,))
    timer.daemon = True
    timer.start()
    began = time.monotonic()
    try:
        kept = _follow(process.stdout, progress)
        code = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
        process.stdout.close()
    if code != 0 and time.monotonic() - began >= wall_s:
        raise EnvironmentUnavailable(f"installing took longer than {wall_s:.0f} s")
    return kept, code


def _spawn(argv: Sequence[str | Path], env: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the installer below a reaper, which ends all of it when it is told to or when we die."""
    with Path(os.devnull).open("wb") as status:
        reaper = (sys.executable, "-I", "-S", launch.__file__, "reap", str(status.fileno()), "{}")
        return subprocess.Popen(
            [*reaper, *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(env),
            start_new_session=True,
            pass_fds=(status.fileno(),),
        )


def _kill(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _follow(stream: Iterable[str], progress: Progress) -> str:
    """Collect the output while a ticker reports what was last seen to be happening."""
    current = ["resolving the requirements"]
    stop = threading.Event()
    began = time.monotonic()

    def tick() -> None:
        while not stop.wait(_SAY_EVERY_S):
            progress(f"{current[0]} ({time.monotonic() - began:.0f} s)")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        for line in stream:
            kept.append(line)
            current[0] = _activity(line) or current[0]
    finally:
        stop.set()
        ticker.join()
    return "".join(kept)


def _activity(line: str) -> str:
    match = _SAYS.match(line)
    if not match:
        return ""
    if match[1].startswith("Installing"):
        return f"installing {line.count(',') + 1} packages"
    verb = "downloading" if match[1] == "Downloading" else "resolving"
    return f"{verb} {match[2].rsplit('/', 1)[-1].split('-', 1)[0]}"
