"""Content-addressed files, and repositories made of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

Files = dict[str, bytes]


class Blobs:
    """A folder of files named by the SHA-256 of their content; equal contents are kept once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> tuple[str, int]:
        """Keep the data. Returns its name and size."""
        name = hashlib.sha256(data).hexdigest()
        path = self.folder / name
        if not path.exists():
            path.write_bytes(data)
        return name, len(data)


def revision(blobs: Blobs, files: Files) -> dict[str, Any]:
    """One revision for the index; its commit id follows the content."""
    entries = {path: blobs.put(data) for path, data in sorted(files.items())}
    listing = "".join(f"{path} {name}\n" for path, (name, _) in entries.items())
    return {"commit": hashlib.sha1(listing.encode()).hexdigest(), "files": entries}
