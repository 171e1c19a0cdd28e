"""What a damaged text may have been before; whether it was is for the parser to say."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from policies.edit import split_lines
from policies.unmangle_yaml import single_quoted, without_contained_keys

_FENCE = re.compile(r"\A\s*(?:```|~~~)[\w+-]*[ \t]*\n(.*?)\n?(?:```|~~~)\s*\Z", re.DOTALL)
_OPEN_FENCE = re.compile(r"\A\s*(?:```|~~~)[\w+-]*[ \t]*\n(.*)\Z", re.DOTALL)
_CLOSE_FENCE = re.compile(r"\A(.*)\n(?:```|~~~)\s*\Z", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_ESCAPED = re.compile(r"\\u00(3c|3e|26|27|22)", re.IGNORECASE)
_TYPOGRAPHIC = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u200b": ""})


def candidates(path: str, text: str, error_line: int) -> Iterator[str]:
    """Texts that differ from `text` in one kind of damage, the likeliest first, and then in all kinds."""
    clean = _CONTROL.sub("", text.lstrip("\ufeff"))
    yield clean
    for fence in (_FENCE, _OPEN_FENCE, _CLOSE_FENCE):
        match = fence.match(clean)
        if match:
            clean = match[1].rstrip("\n") + "\n"
            yield clean
            break
    if path.endswith((".yaml", ".yml")):
        yield _leading_tabs(clean)
        yield from _without_repetition(clean, error_line)
        clean = single_quoted(_leading_tabs(clean))
        yield clean
        yield without_contained_keys(clean)
    yield _unescaped(clean)
    yield html.unescape(clean)
    yield clean.translate(_TYPOGRAPHIC)
    yield html.unescape(_unescaped(clean)).translate(_TYPOGRAPHIC)


def _unescaped(text: str) -> str:
    """JSON's spelling of `<`, `>`, `&` and quotes, decoded."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _leading_tabs(text: str) -> str:
    """Two blanks for every tab that indents a line."""
    return re.sub(r"(?m)^[ ]*\t[ \t]*", lambda match: match[0].replace("\t", "  "), text)


def _without_repetition(text: str, line: int) -> Iterator[str]:
    """The text without a `key: value` line that an earlier line says already, at the same depth."""
    lines = split_lines(text)
    if not 0 < line <= len(lines):
        return
    said = lines[line - 1].partition(" #")[0].rstrip()
    earlier = (other.partition(" #")[0].rstrip() for other in lines[: line - 1])
    if re.match(r"\s*[\w.-]+:\s+\S", said) and said in earlier:
        yield "".join(lines[: line - 1] + lines[line:])
