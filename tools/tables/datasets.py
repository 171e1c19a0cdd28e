"""Writes what data sets hold, from the hub double's catalogue: `python -m tools.tables.datasets CATALOG`.

Prints JSON for `policies/data/datasets.json`: id -> other names, configurations, their splits and columns.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def described(entry: dict[str, Any]) -> dict[str, Any]:
    """One data set of the catalogue: configurations that are alike share one description."""
    base = entry.get("base", {})
    configs = dict.fromkeys(entry.get("like", ()), base)
    configs |= {name: {**base, **said} for name, said in entry["configs"].items()}
    kinds: dict[tuple[str, str], list[str]] = {}
    for name, said in configs.items():
        described_as = (" ".join(said["splits"]), " ".join(sorted(said["columns"])))
        kinds.setdefault(described_as, []).append(name)
    schemas = [{"configs": names, "splits": s, "columns": c} for (s, c), names in kinds.items()]
    return {"names": entry.get("aliases", []), "schemas": schemas}


def table(catalog: Path) -> dict[str, Any]:
    """The whole table."""
    entries = [json.loads(path.read_text("utf-8")) for path in sorted(catalog.glob("*.json"))]
    return {name: described(said) for each in entries for name, said in sorted(each.items())}


def main() -> None:
    """Print the table."""
    sys.stdout.write(json.dumps(table(Path(sys.argv[1])), indent=1) + "\n")


if __name__ == "__main__":
    main()
