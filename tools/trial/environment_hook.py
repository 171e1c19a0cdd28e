"""Asks a source distribution what its build needs beyond `[build-system]` (PEP 517); answers in JSON.

Runs inside a sandbox by the interpreter that will build it: it executes the package's setup code. Standard
library only. `python environment_hook.py ARCHIVE BUILD_SYSTEM_AS_JSON`.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from pathlib import Path


def main(archive: str, build_system: str) -> None:
    """Unpack the archive beside it, ask its backend, and write the answer as the last line."""
    shutil.unpack_archive(archive, "unpacked")
    (root,) = (path for path in Path("unpacked").iterdir() if path.is_dir())
    os.chdir(root)
    system = json.loads(build_system)
    sys.path[:0] = [str(Path(part).absolute()) for part in system.get("backend-path", [])]
    module, _, attribute = system.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    backend = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        backend = getattr(backend, name)
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    sys.stdout.write("\n" + json.dumps(list(ask({})) if ask else []) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
