"""Text-to-text editing that keeps comments and layout: Python through libcst, TOML, YAML, plain lines.

Every function returns the new text, or None when the text does not parse; none of them judges.
"""

from __future__ import annotations

import difflib
import io
import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from policies.parsed import parse_cst
from policies.records import Bundle

if TYPE_CHECKING:
    import libcst as cst
    from tomlkit import TOMLDocument


def rewrite(bundle: Bundle, path: str, text: str | None) -> Bundle | None:
    """The bundle with `text` in `path`; None when there is no text or it changes nothing.

    Made for the last line of a `fix`: a codemod that had nothing to do has nothing to offer.
    """
    if text is None or bundle.files.get(path) == text:
        return None
    return bundle.with_file(path, text)


def split_lines(text: str) -> list[str]:
    """The lines with their ends, counted as Python counts them (a form feed ends no line)."""
    return list(io.StringIO(text, newline=""))


def replace_lines(text: str, first: int, last: int, new: str) -> str:
    """Put `new` in the place of the 1-based lines `first` to `last`; `last < first` inserts before."""
    lines = split_lines(text)
    if new and not new.endswith("\n"):
        new += "\n"
    head = "".join(lines[: first - 1])
    if head and new and not head.endswith(("\n", "\r")):
        head += "\n"
    return head + new + "".join(lines[max(last, first - 1) :])


def transform(text: str, transformer: cst.CSTTransformer) -> str | None:
    """Apply a libcst transformer; metadata it depends on is resolved."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper

    try:
        module = parse_cst(text)
    except (cst.ParserSyntaxError, RecursionError):
        return None
    if transformer.get_inherited_dependencies():
        return MetadataWrapper(module).visit(transformer).code
    return module.visit(transformer).code


def edit_toml(text: str, edit: Callable[[TOMLDocument], None]) -> str | None:
    """Let `edit` change the parsed document in place."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        edit(document)
        return tomlkit.dumps(document)
    except (TOMLKitError, RecursionError):
        return None


def edit_yaml(text: str, edit: Callable[[CommentedMap], None]) -> str | None:
    """Let `edit` change the parsed mapping in place; lines that it does not touch stay as they are."""
    yaml = _yaml(text)
    try:
        data: Any = yaml.load(text)  # ruamel.yaml has no narrower type
        data = CommentedMap() if data is None else data
        if not isinstance(data, CommentedMap):
            return None
        before = _dump(yaml, data)
        edit(data)
        after = _dump(yaml, data)
        replayed = _replay(text, before, after)
        return replayed if _same(replayed, after) else after
    except (YAMLError, RecursionError, ValueError):
        return None


def _yaml(text: str) -> YAML:
    """A round-trip parser that indents the way `text` does."""
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.allow_unicode = True
    lines = text.splitlines()
    mapping, offset = _mapping_indent(lines), 2 if _indents_sequences(lines) else 0
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    yaml.representer.add_representer(type(None), _write_null)
    return yaml


def _mapping_indent(lines: Sequence[str]) -> int:
    """How much deeper the first nested mapping lies than its key; 2 when there is none."""
    for above, line in itertools.pairwise(line for line in lines if _code(line)):
        deeper = _depth(line) - _depth(above)
        if _code(above).endswith(":") and deeper > 0 and not line.lstrip().startswith("-"):
            return deeper
    return 2


def _indents_sequences(lines: Sequence[str]) -> bool:
    """Whether the first block sequence under a key is indented deeper than its key."""
    for above, line in itertools.pairwise(line for line in lines if _code(line)):
        if line.lstrip().startswith("- ") and _code(above).endswith(":"):
            return _depth(line) > _depth(above)
    return False


def _code(line: str) -> str:
    """The line without its comment and surrounding blanks; good enough to see where a key ends."""
    return line.partition("#")[0].strip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _write_null(representer: Any, _: None) -> Any:  # ruamel.yaml types neither
    """Write `null`, not an empty value: people read an empty value as a mistake."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _dump(yaml: YAML, data: CommentedMap) -> str:
    out = io.StringIO()
    yaml.dump(data, out)
    return "" if out.getvalue().strip() == "{}" else out.getvalue()


def _same(one: str, other: str) -> bool:
    """Whether two texts mean the same; a text that does not parse means nothing."""
    safe = YAML(typ="safe", pure=True)
    try:
        return bool(safe.load(one) == safe.load(other))
    except YAMLError:
        return False


def _replay(text: str, before: str, after: str) -> str:
    """Do to `text` what turns `before` (its normal form) into `after`.

    The writer normalises spacing and spelling; when it kept the lines apart, only real changes are taken.
    """
    if before == after:
        return text
    lines, old, new = split_lines(text), split_lines(before), split_lines(after)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if len(lines) != len(old) or any(a.split()[:1] != b.split()[:1] for a, b in zip(lines, old, strict=True)):
        return after
    result: list[str] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        result += lines[i1:i2] if tag == "equal" else new[j1:j2]
    return "".join(result)
