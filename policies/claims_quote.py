"""Tests claims that say no more than that some code is there: `f calls x.y()`, `built with a = b`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from policies.claims_base import Case, Outcome, joined
from policies.claims_names import Function
from policies.parsed import Module

_SPAN = re.compile(r"`([^`\n]+)`")
_CODE = "\1"
_PLACE = r"(?:in|inside|within)\s+(?:the\s+)?[\w./`()]+,?\s*"
_STATES = re.compile(
    rf"(?:{_PLACE})?(?:[\w./ -]+?\s+)?(?:{_CODE}\s+)?"
    rf"(?:access(?:es)?|reads?|references?|uses?|calls?|does|is (?:registered on|set to|initiali[sz]ed with)|"
    rf"(?:is|are) (?:updated|built|computed|created|constructed|called|written|made|formed) "
    rf"(?:via|with|by|through|as))"
    rf"\s+{_CODE}(?:\s*(?:/|,|and)\s*{_CODE})*\s*(?:\([^()]*\))?\s*\.?",
    re.IGNORECASE,
)
"""A subject, a verb that only says that code is there, the code, and at most an aside."""
_MORE = re.compile(
    r"\b(?:not|never|wrong\w*|instead|only|deprecated|removed|invalid|undefined|missing)\b", re.IGNORECASE
)


def code_is_there(case: Case) -> Iterator[Outcome]:
    """Confirmed by the lines that hold the quoted code; never refuted, for quotes may be loose."""
    spans = _SPAN.findall(case.body)
    shape = _SPAN.sub(_CODE, case.body)
    if not spans or not _STATES.fullmatch(shape.strip()) or _MORE.search(shape):
        return
    quoted = spans[1:] if re.match(_CODE, shape.strip()) and len(spans) > 1 else spans
    places = [_find(case, code) for code in quoted]
    if all(places):
        yield Outcome("confirmed", joined([p for p in places if p]))


def _find(case: Case, code: str) -> str:
    """Where all the parts of a quoted fragment stand in one file; empty when they do not."""
    wanted = _parsed(code)
    functions = [
        n.rpartition(".")[2].strip("()") for n in re.findall(r"\b\w+_\w+\b", _SPAN.sub("", case.body))
    ]
    for module in case.modules if wanted else ():
        lines = [_line(module, node, functions) for node in wanted]
        if all(lines):
            return "; ".join(f"{module.path}:{n} `{module.line(n)}`" for n in dict.fromkeys(lines))
    return ""


@lru_cache(maxsize=256)
def _parsed(code: str) -> tuple[ast.AST, ...]:
    """The statements or the expression that a fragment is; empty when it is no code worth looking for."""
    try:
        tree = ast.parse(code.strip())
    except (SyntaxError, ValueError):
        return ()
    body = [n.value if isinstance(n, ast.Expr) else n for n in tree.body]
    plain = (ast.Name, ast.Constant)
    return () if any(isinstance(n, plain) for n in body) else tuple(body)


def _line(module: Module, wanted: ast.AST, functions: list[str]) -> int:
    """The first line that holds a node equal to `wanted`, in one of the functions if the module has them."""
    dumped = ast.dump(wanted)
    own = [f for f in functions if any(isinstance(n, Function) and n.name == f for n in module.nodes)]
    for node in module.nodes:
        if type(node) is type(wanted) and _equal(node, dumped):
            around = module.enclosing_function(node)
            if not own or (around is not None and around.name in own):
                return getattr(node, "lineno", 0)
    return 0


def _equal(node: ast.AST, dumped: str) -> bool:
    return ast.dump(node).replace("ctx=Store()", "ctx=Load()") == dumped.replace("ctx=Store()", "ctx=Load()")
