"""What lies between two bundles, for people and for the formatter."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from policies.records import Bundle


@dataclass(frozen=True)
class DiffSize:
    """How much a person has to read."""

    files: int
    added_lines: int
    removed_lines: int

    def __str__(self) -> str:
        return f"{self.files} files, +{self.added_lines} -{self.removed_lines} lines"


def diff_text(base: Bundle, changed: Bundle) -> str:
    """A unified diff of everything that differs, as git would name the files; empty when nothing does."""
    return "".join(_file_diff(base, changed, path) for path in base.changed_paths(changed))


def _file_diff(base: Bundle, changed: Bundle, path: str) -> str:
    old, new = base.tree.get(path), changed.tree.get(path)
    lines = unified_diff(
        (old or "").splitlines(keepends=True),
        (new or "").splitlines(keepends=True),
        "/dev/null" if old is None else f"a/{path}",
        "/dev/null" if new is None else f"b/{path}",
    )
    return "".join(x if x.endswith("\n") else f"{x}\n\\ No newline at end of file\n" for x in lines)


def diff_size(base: Bundle, changed: Bundle) -> DiffSize:
    """How many files and lines differ."""
    paths = base.changed_paths(changed)
    blocks = [block for p in paths for block in _blocks(base.tree.get(p, ""), changed.tree.get(p, ""))]
    return DiffSize(len(paths), sum(b[3] - b[2] for b in blocks), sum(b[1] - b[0] for b in blocks))


def changed_ranges(before: str, after: str) -> tuple[tuple[int, int], ...]:
    """The lines of `after` that `before` does not have: 1-based, both ends included."""
    return tuple((start + 1, end) for _, _, start, end in _blocks(before, after) if end > start)


def _blocks(before: str, after: str) -> list[tuple[int, int, int, int]]:
    """Half-open line ranges in both texts that differ."""
    matcher = SequenceMatcher(None, _lines(before), _lines(after), autojunk=False)
    return [(a, b, c, d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def _lines(text: str) -> list[str]:
    """Lines as Python counts them: a form feed ends none."""
    return text.removesuffix("\n").split("\n") if text else []
