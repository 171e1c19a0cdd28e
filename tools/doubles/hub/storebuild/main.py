"""Reads the catalogue, builds what is asked for and the environment can make, and writes the index."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from .blobs import Blobs, revision
from .datarepos import DataRepos
from .modelrepos import ModelRepos
from .texts import corpus
from .tokenizerfiles import Tokenizers

FORMAT = 1
HERE = Path(__file__).resolve().parents[1]


def say(message: str) -> None:
    """Progress, one line each, on stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def read(path: Path) -> dict[str, Any]:
    """One file of the catalogue."""
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def missing(modules: tuple[str, ...]) -> list[str]:
    """Those of the modules that cannot be imported here."""
    return [m for m in modules if importlib.util.find_spec(m) is None]


class Build:
    """One store in the making."""

    def __init__(self, out: Path, catalogue: Path) -> None:
        self.out, self.catalogue = out, catalogue
        self.blobs = Blobs(out / "blobs")
        self.hub = read(catalogue / "hub.json")
        self.words = read(catalogue / "words.json")
        self.notes: list[str] = []
        self.repos: dict[str, dict[str, Any]] = {"models": {}, "datasets": {}, "spaces": {}}
        self.moved: dict[str, dict[str, str]] = {"models": {}, "datasets": {}, "spaces": {}}
        self.families: list[dict[str, str]] = []

    def skip(self, what: str, modules: list[str]) -> None:
        """Note that a half of the store is left out."""
        self.notes.append(f"the environment has no {', '.join(modules)}, so {what} are not served")
        say(self.notes[-1])

    def models(self, wanted: set[str] | None) -> None:
        """Model repositories of the wanted families."""
        families = [read(p) for p in sorted((self.catalogue / "models").glob("*.json"))]
        specs = {name: spec for f in families for name, spec in f["tokenizers"].items()}
        if absent := missing(("torch", "transformers", "tokenizers", "safetensors")):
            self.skip("models", absent)
            return
        makers = ModelRepos(self.blobs, Tokenizers(specs, corpus(self.words)), say)
        for family in families:
            if wanted is None or family["family"] in wanted:
                self.repos["models"].update(makers.family(family))
                self.moved["models"].update(family["moved"])
        order = self.hub["family_order"]
        for family in sorted(families, key=lambda f: order.index(f["family"])):
            self.families.append({"pattern": family["hint"], "id": family["stand_in"]})

    def datasets(self, wanted: set[str] | None) -> None:
        """Data set repositories of the wanted ids."""
        if absent := missing(("pyarrow",)):
            self.skip("data sets", absent)
            return
        makers = DataRepos(self.blobs, self.words, say)
        for path in sorted((self.catalogue / "datasets").glob("*.json")):
            for name, entry in read(path).items():
                if wanted is None or name in wanted or wanted & set(entry.get("aliases", ())):
                    self.repos["datasets"][name] = makers.repository(name, entry)
                    self.moved["datasets"].update(dict.fromkeys(entry.get("aliases", ()), name))

    def metrics(self) -> None:
        """Metric modules for `evaluate.load`."""
        for path in sorted((HERE / "metrics").glob("[a-z]*.py")):
            files = {path.name: path.read_bytes(), "README.md": b"A stand-in for rehearsals.\n"}
            found = revision(self.blobs, files)
            self.repos["spaces"][f"evaluate-metric/{path.stem}"] = {"revisions": {"main": found}}

    def write(self) -> None:
        """The index, last, so that a store with an index is whole."""
        index = {
            "format": FORMAT,
            "notes": self.notes,
            "repos": self.repos,
            "moved": self.moved,
            "families": self.families,
            "unserved": self.hub["unserved"],
            "official": self.hub["official"],
            "complete": self.hub["complete"],
        }
        (self.out / "index.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def main(argv: list[str] | None = None) -> None:
    """Build a store; without a choice, everything in the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--catalogue", type=Path, default=HERE / "catalog")
    parser.add_argument("--models", nargs="*", help="families")
    parser.add_argument("--datasets", nargs="*", help="ids")
    options = parser.parse_args(argv)
    build = Build(options.out, options.catalogue)
    build.datasets(None if options.datasets is None else set(options.datasets))
    build.models(None if options.models is None else set(options.models))
    build.metrics()
    build.write()
