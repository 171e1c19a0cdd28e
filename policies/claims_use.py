"""Tests claims about what code leaves undone: never used, only a stub, admitted in a comment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import QUOTE, SKIP, Case, Outcome, joined
from policies.claims_names import Function, words
from policies.config_use import read_whole
from policies.parsed import ParsedBundle

_STUB = re.compile(
    rf"{QUOTE}\b([A-Za-z_][\w.]*)(?:\(\))?{QUOTE}\s+(?:is|are)\s+"
    r"(?:just |only |merely )?(?:an? )?(?:empty )?(?:stub|no-op)\b"
)
_QUOTED_COMMENT = re.compile(r"\bcomments?\b[^\"“`]{0,40}[\"“`](#?[^\"”`\n]{12,200})[\"”`]", re.IGNORECASE)
_ADMITS = r"not implement|placeholder|dummy|brevity|\bomit|\bskip|simplif|\bstub\b|\btodo\b"
_PASSIVE = (
    r"(?:is|are|was|were)\s+(?:therefore |simply |silently |thus |completely )?(?:ignored|unused|dropped"
    r"|(?:never|not)\s+(?:\w+/)?(?:used|read|consulted|honou?red|referenced|accessed|applied|consumed|respected|"
    r"evaluated|implemented|created)(?:/\w+)?)"
)
_ACTIVE = re.compile(
    r"(?:ignores?|never (?:uses?|reads?|consults?|references?|accesses)"
    r"|does(?:n't| not) (?:use|read|reference|access))"
    rf"\s+(?:the\s+)?{QUOTE}([\w.]+_\w+|[\w]+\.[\w.]+\w)",
    re.IGNORECASE,
)


def unused(case: Case) -> Iterator[Outcome]:
    """`X is never used` or `X is ignored`: confirmed when no code mentions it, never refuted."""
    named = [n.rpartition(".")[2] for n in _unused_names(case.text)]
    if not named:
        return
    spoken = case.subject.memo("claims.words", _words)
    known = set().union(*spoken.values(), _config_keys(case))
    wanted = [n for n in dict.fromkeys(named) if n in known and n.lower() not in SKIP]
    if not wanted:
        return
    mentioned = [n for n in wanted if any(n in spoken[m.path] for m in case.modules)]
    if not mentioned and not any(_comes_with_section(case.subject, name) for name in wanted):
        scope = ", ".join(m.path for m in case.modules) if case.names_module else "the bundle's code"
        given = joined([place for n in wanted for place in case.places(f"{n}:")][:2])
        defined = f" (set at {given})" if given else ""
        yield Outcome("confirmed", f"{', '.join(f'`{n}`' for n in wanted)}{defined}: no mention in {scope}")


def _comes_with_section(subject: ParsedBundle, name: str) -> bool:
    """Whether code takes the section around a config key whole, as in `generate(**cfg.generation)`."""
    paths = subject.memo("claims.config paths", _config_paths).get(name, ())
    return any("." in path and read_whole(subject, path) for path in paths)


def _config_paths(subject: ParsedBundle) -> dict[str, list[str]]:
    """Key -> the dotted paths that end in it, over all configs."""
    found: dict[str, list[str]] = {}
    documents = [*subject.documents.values(), *subject.run_documents.values()]
    stack: list[tuple[str, object]] = [("", document.data) for document in documents]
    while stack:
        prefix, value = stack.pop()
        for key, inner in value.items() if isinstance(value, dict) else ():
            found.setdefault(str(key), []).append(f"{prefix}{key}")
            stack.append((f"{prefix}{key}.", inner))
    return found


def _words(subject: ParsedBundle) -> dict[str, set[str]]:
    """Path -> every word that the code of a module mentions."""
    return {path: words(module) for path, module in subject.modules.items()}


def stub(case: Case) -> Iterator[Outcome]:
    """`f is a stub`; confirmed by a body that does nothing, never refuted."""
    for match in _STUB.finditer(case.text):
        name = match[1].rpartition(".")[2]
        for module in case.modules:
            for node in module.nodes:
                if isinstance(node, Function) and node.name == name and all(map(_idle, node.body)):
                    yield Outcome("confirmed", f"{module.path}:{node.lineno} {name}() does nothing", 1)
                    return


def quoted_comment(case: Case) -> Iterator[Outcome]:
    """`a comment says "..."`; confirmed where the words stand."""
    for match in _QUOTED_COMMENT.finditer(case.text):
        wanted = " ".join(match[1].strip("# .…").split()).lower()
        for module in case.modules:
            for number, line in enumerate(module.text.splitlines(), 1):
                if wanted in " ".join(line.split()).lower():
                    criterion = 1 if re.search(_ADMITS, line, re.IGNORECASE) else 0
                    yield Outcome("confirmed", f"{module.path}:{number} `{line.strip()}`", criterion)
                    return


def _unused_names(text: str) -> list[str]:
    """Names before a passive phrase in the same clause, or after an active one."""
    names: list[str] = []
    for match in re.finditer(_PASSIVE, text, re.IGNORECASE):
        clause = re.split(r"[;:]|\.\s|\bbut\b", text[: match.start()])[-1]
        names += re.findall(r"\b[a-z]\w*(?:[._]\w+)+\b|(?<=`)\w+(?=`)", clause)
    names += _ACTIVE.findall(text)
    return [n for n in names if not n.endswith((".py", ".yaml", ".toml"))]


def _config_keys(case: Case) -> set[str]:
    """Every key of the configs, and the keys of the contract's command lines."""
    keys = {
        part.partition("=")[0] for part in (*case.subject.contract.trial, *case.subject.contract.evaluate)
    }
    documents = [*case.subject.documents.values(), *case.subject.run_documents.values()]
    stack: list[object] = [document.data for document in documents]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            keys.update(str(key) for key in value)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return keys


def _idle(node: ast.stmt) -> bool:
    """A statement without effect."""
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
