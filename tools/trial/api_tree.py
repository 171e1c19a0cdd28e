"""One installed package as a tree of scanned modules: star imports, re-exports and bases are followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.trial.api_scan import Origin, Scan, overloaded, quick_exports, scan_module

MAX_DEPTH = 12
"""Re-exports followed before a name counts as unresolvable."""
NATIVE_SUFFIXES = (".so", ".pyd")


@dataclass
class PackageTree:
    """Lazily scanned modules below the given site-packages folders."""

    site_packages: Sequence[Path]
    scans: dict[str, Scan | None] = field(default_factory=dict)
    public: dict[str, tuple[frozenset[str], bool]] = field(default_factory=dict)
    servers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Lazy package -> name it serves -> module that defines the name."""

    def folder(self, module: str) -> Path | None:
        """The folder of a package, with or without `__init__.py`."""
        folders = (root.joinpath(*module.split(".")) for root in self.site_packages)
        return next((folder for folder in folders if folder.is_dir()), None)

    def file(self, module: str) -> Path | None:
        """The source or stub of a module."""
        for root in self.site_packages:
            stem = root.joinpath(*module.split("."))
            for path in (stem / "__init__.py", stem.with_name(stem.name + ".py"), stem / "__init__.pyi"):
                if path.is_file():
                    return path
            if stem.with_name(stem.name + ".pyi").is_file():
                return stem.with_name(stem.name + ".pyi")
        return None

    def scan(self, module: str) -> Scan | None:
        """The scan of a module; None when it has no readable source."""
        if module not in self.scans:
            path = self.file(module)
            text = _read(path) if path else None
            package = path is not None and path.stem == "__init__"
            self.scans[module] = None if text is None else scan_module(module, text, is_package=package)
        return self.scans[module]

    def submodules(self, module: str) -> frozenset[str]:
        """Names of everything importable directly below a package."""
        folder = self.folder(module)
        if folder is None:
            return frozenset()
        return frozenset(
            entry.name.partition(".")[0]
            for entry in folder.iterdir()
            if entry.suffix in (".py", ".pyi", *NATIVE_SUFFIXES)
            or (entry.is_dir() and entry.name.isidentifier())
        ) - {"__init__", "__pycache__"}

    def matching(self, pattern: str) -> list[str]:
        """Modules whose files match a pattern below the first folder that has any."""
        for root in self.site_packages:
            found = sorted(root.glob(pattern))
            if found:
                return [".".join(path.relative_to(root).with_suffix("").parts) for path in found]
        return []

    def shadowed(self, module: str) -> bool:
        """Whether the parent package binds the module's name to something else, as `evaluate` does."""
        parent, _, name = module.rpartition(".")
        scan = self.scan(parent) if parent else None
        if scan is None or scan.lazy:
            return False
        same = (Origin(), Origin(module=parent, name=name), Origin(module=module))
        return any(origin not in same for origin in scan.origins(name))

    def names(self, module: str) -> tuple[frozenset[str], bool]:
        """Every name of a module, and whether that is all of them."""
        if module not in self.public:
            self.public[module] = (frozenset(), False)  # a circular star import adds nothing new
            self.public[module] = self._names(module)
        return self.public[module]

    def _names(self, module: str) -> tuple[frozenset[str], bool]:
        scan = self.scan(module)
        if scan is None:
            return self.submodules(module), False
        found, complete = set(scan.names) | self.submodules(module), not scan.opaque
        for folder in scan.scanned_folders:
            found |= self._served(module, folder)
        for source in () if scan.lazy else scan.stars:
            names, whole = self._starred(source)
            found |= names
            complete &= whole
        return frozenset(found), complete

    def _starred(self, module: str) -> tuple[frozenset[str], bool]:
        """What `from module import *` brings."""
        scan = self.scan(module)
        if scan is not None and scan.exports is not None:
            return scan.exports, True
        names, complete = self.names(module)
        return frozenset(n for n in names if not n.startswith("_")), complete

    def _served(self, module: str, folder: str) -> frozenset[str]:
        """Names and subfolders that a lazy package serves from the `__all__` of every file below a folder."""
        base = self.folder(module)
        below = base / folder if base and folder else base
        if below is None or not below.is_dir():
            return frozenset()
        found = {entry.name for entry in below.iterdir() if entry.is_dir() and entry.name.isidentifier()}
        for path in below.rglob("*.py"):
            if path.name != "__init__.py":
                found |= quick_exports(_read(path) or "")
                found.add(path.stem)
        return frozenset(found)

    def first_source(self, module: str, name: str) -> str:
        """The module that a name is imported from at first hand, without reading that module."""
        scan = self.scan(module)
        origins = scan.origins(name) if scan else []
        if scan is not None and scan.lazy and not origins:
            return self._server(module, scan, name)
        return origins[0].module if origins else ""

    def _server(self, module: str, scan: Scan, name: str) -> str:
        """The module below a lazy package whose exports hold `name`; empty when none does."""
        if module not in self.servers:
            self.servers[module] = {}
            for folder in scan.scanned_folders:
                self._list_servers(module, folder)
        return self.servers[module].get(name, "")

    def _list_servers(self, module: str, folder: str) -> None:
        base = self.folder(module)
        below = base / folder if base and folder else base
        if base is None or below is None or not below.is_dir():
            return
        for path in sorted(below.rglob("*.py")):
            if path.name != "__init__.py":
                source = ".".join([module, *path.relative_to(base).with_suffix("").parts])
                for name in quick_exports(_read(path) or ""):
                    self.servers[module].setdefault(name, source)

    def resolve(self, module: str, name: str, depth: int = 0) -> tuple[str, Origin] | None:
        """The module that defines `name` and its definition, through re-exports and plain aliases."""
        scan = self.scan(module)
        if scan is None or depth > MAX_DEPTH:
            return None
        origins = scan.origins(name)
        if not origins:
            if scan.lazy:
                served = self._server(module, scan, name)
                return self.resolve(served, name, depth + 1) if served else None
            stars = scan.stars
            tries = (self.resolve(source, name, depth + 1) for source in stars)
            return next((found for found in tries if found), None)
        if len(origins) == 1:
            return self._follow(module, origins[0], depth)
        return (module, overloaded(origins)) if all(o.node for o in origins) else None

    def _follow(self, module: str, origin: Origin, depth: int) -> tuple[str, Origin] | None:
        if origin.node is not None:
            return module, origin
        if origin.name:
            return self.resolve(origin.module, origin.name, depth + 1)
        head, _, last = origin.dotted.rpartition(".")
        if not last:
            return None
        owner = self.module_named(module, head, depth) if head else module
        return self.resolve(owner, last, depth + 1) if owner else None

    def module_named(self, module: str, expression: str, depth: int) -> str | None:
        """The module that `a.b` means inside `module`."""
        scan = self.scan(module)
        head, *rest = expression.split(".")
        origins = scan.origins(head) if scan else []
        if len(origins) != 1 or not origins[0].module:
            return None
        current = ".".join(filter(None, (origins[0].module, origins[0].name)))
        for part in rest:
            inner = self.scan(current)
            bound = inner.origins(part) if inner else []
            imported = bound[0] if len(bound) == 1 and bound[0].module else None
            current = (
                ".".join(filter(None, (imported.module, imported.name))) if imported else f"{current}.{part}"
            )
        return current if self.file(current) else None

    def definition(self, module: str, expression: str, depth: int = 0) -> tuple[str, Origin] | None:
        """The definition that `a.b.C` means inside `module`, and the module that holds it."""
        head, _, last = expression.rpartition(".")
        if not last or depth > MAX_DEPTH:
            return None
        owner = self.module_named(module, head, depth) if head else module
        return self.resolve(owner, last, depth + 1) if owner else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
