"""Tests claims about code: syntax, undefined names, missing members."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import QUOTE, SKIP, Case, Outcome, joined, verdict
from policies.claims_names import (
    Function,
    bindings,
    has_star_import,
    is_builtin,
    is_local_annotation,
    read_before_bound,
    runs_at_import,
    uses,
)
from policies.kinds import of_kind
from policies.parsed import Module
from policies.tree import walk

_SYNTAX = r"\bsyntax ?errors?\b|\bnot valid python\b|\binvalid (?:python )?syntax\b|\bindentationerror\b"
_NO_PARSE = (
    r"(?:\.py[`'\"]?|\b(?:files?|modules?|code|scripts?|sources?|it))\s+(?:\w+ly |itself |therefore )?"
    r"(?:cannot be (?:parsed|compiled)|(?:does|do|will|can)(?:n't| not|not) (?:parse|compile)"
    r"|won't (?:parse|compile)|is (?:therefore )?(?:non-?|un)pars[e]?able)"
    r"(?=\s*(?:[.,;:()–—]|$|because\b|since\b|under\b|at all\b|and\b))"
    r"|\b(?:mak|render)(?:es|s|ing) (?:the |this )?(?:file|module|code|script|it) (?:non-?|un)pars[e]?able"
)
_OTHER_SYNTAX = (
    r"\bhydra\b|\bya?ml\b|\btoml\b|\bshell\b|\boverrides?\b|\bregex|\bsql\b|\bjson\b"
    r"|python\s*[<≤=]*\s*[23]\.\d"
)
"""Languages other than the Python that runs here."""
_AT_IMPORT = (
    r"\bon import\b|\b(?:when|as soon as)\b[^.;]*\bis imported\b|\bat import(?: time)?\b|\bimport-time\b"
)
_EAGER = r"\beager|\b(?:at|during) (?:run-?time|definition)\b"
_ARTEFACT = re.compile(
    r"-?\\+u003[ce]|-\\+>|-?&[lg]t;|[-−‐‑–][›→]|[−‐‑–]>|\\+u0026|\\+u0027|&(?:amp|quot|#39);", re.IGNORECASE
)
_UNDEFINED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:missing|misses|lacks?|no|without|omits?|forgets?)\s+"
        rf"{QUOTE}(?:the\s+)?from\s+[\w.]+\s+import\s+([\w, ]+)",
        r"(?:missing|lacks?|no|omits?|forgets?)\s+(?:an?\s+|the\s+)?imports?\s+"
        rf"(?:of\s+|for\s+|statement for\s+)?{QUOTE}(?!of\b|for\b|from\b)([\w.]+)",
        rf"{QUOTE}\b(\w[\w.]*){QUOTE}\s+(?:is|are|gets)\s+(?:used|referenced|accessed|called)\b[^.;]*?"
        r"\b(?:never|not|without being)\s+(?:\w+\s+)?(?:imported|defined)",
        rf"(?:never|not|doesn't|without)\s+import(?:s|ed|ing)?\s+{QUOTE}(\w+)",
        rf"\bNameError:?\s+(?:for\s+|on\s+)?(?:name\s+)?{QUOTE}(\w+){QUOTE}\s+(?:is|was)\b",
        rf"\bundefined\s+(?:name|variable|symbol|identifier)\s+{QUOTE}(\w+)",
        rf"{QUOTE}\b(\w+){QUOTE}\s+is\s+(?:not|never)\s+imported\b",
    )
)
_BEFORE = (
    r"\bbefore\b[^.;]*\b(?:import|assign|defin|declar|creat|bound|initiali)|\bunboundlocalerror\b"
    r"|\bbefore the (?:local )?`?import"
)
_READ = re.compile(rf"{QUOTE}\b(\w+){QUOTE}\s+(?:is|are|gets)\s+(?:used|referenced|accessed|called|read)")
_PLAIN_BASES = frozenset({"object", "Module", "Dataset", "IterableDataset", "ABC", "Protocol", "Function"})
_MEMBER = re.compile(
    rf"{QUOTE}\b([A-Z]\w*[a-z]\w*){QUOTE}\s+(?:class\s+)?"
    r"(?:ha(?:s|ve) no|lacks?|misses|is missing|does(?: not|n't) (?:define|implement|have)|never defines)\s+"
    rf"(?:an?\s+|the\s+|any\s+)?{QUOTE}(\w+){QUOTE}(\(\))?{QUOTE}\s*"
    r"(?:(method|function|attribute|property|field|member)\b)?"
)
_NO_MEMBER = re.compile(
    rf"\b[Nn]o\s+{QUOTE}(\w+)\(\){QUOTE}\s*(?:method\s+)?(?:in|on|for)\s+(?:class\s+)?{QUOTE}([A-Z]\w+)"
)


def syntax(case: Case) -> Iterator[Outcome]:
    """`the file has a syntax error`: it parses or it does not."""
    artefact = _ARTEFACT.search(case.text)
    if not _about_syntax(case, artefact is not None):
        return
    broken = [f"{m.path}:{m.error_line} does not parse: {m.error}" for m in case.modules if m.tree is None]
    sound = [m for m in case.modules if m.tree is not None and m.text.strip()]
    if broken:
        first = next(m for m in case.modules if m.tree is None)
        yield Outcome("confirmed", joined(broken), 1, first.path, first.error_line)
    elif sound:
        parsed = (
            f"{', '.join(m.path for m in sound)} {'parses' if len(sound) == 1 else 'parse'} without error"
        )
        yield Outcome("refuted", f"{_artefact(case, artefact[0], sound)}{parsed}" if artefact else parsed)


def undefined_name(case: Case) -> Iterator[Outcome]:
    """`NAME is used but never imported`."""
    held, failed = [], []
    kills, killing = "", 0
    for name in _claimed_names(case.text):
        for module in case.modules:
            lines = uses(module, name)
            if module.tree is None or not lines or has_star_import(module) or is_builtin(name):
                continue
            bound = bindings(module, name)
            place = f"{module.path}:{lines[0]} uses `{name}`"
            if not bound:
                held.append(f"{place}; nothing in the file binds it")
                kills, killing = import_line(module, name) or (kills, killing)
            elif case.names_module and (line := _bound_above(module, bound, lines[0])):
                failed.append(f"{place}; line {line} binds it at module level")
    if case.says(_BEFORE):
        failed = []
    if case.says(_AT_IMPORT):
        return
    if outcome := verdict(held, failed):
        yield outcome._replace(kills=kills, line=killing)


def name_at_import(case: Case) -> Iterator[Outcome]:
    """`NameError when the module is imported`: only names that importing evaluates can raise it."""
    if not case.says(r"\bNameError\b") or not case.says(_AT_IMPORT):
        return
    spelled = [n for n in case.identifiers if n.isidentifier() and not n.endswith("Error")]
    told = _claimed_names(case.text) or spelled
    if not told and case.base is not None:
        told = re.findall(r"uses `(\w+)`; nothing in the file binds it", case.base.claim.evidence)
    modules = case.modules if case.names_module or case.base is None else case.base.case.modules
    for name in told:
        for module in modules:
            if (
                not uses(module, name)
                or bindings(module, name)
                or has_star_import(module)
                or is_builtin(name)
            ):
                continue
            if found := import_line(module, name):
                why = f"{module.path}:{found[1]} evaluates `{name}` on import; nothing in the file binds it"
                yield Outcome("confirmed", why, kills=module.path, line=found[1])
            else:
                yield Outcome("refuted", _not_at_import(module, name))
            return


def eager_annotations(case: Case) -> Iterator[Outcome]:
    """`annotations are evaluated eagerly since Python x`: right for signatures, up to 3.13."""
    if case.says(r"\bNameError\b"):
        return
    if case.says(r"\bannotations? (?:are|is) (?:evaluated )?(?:eager|evaluated)") and case.says(_EAGER):
        told = "evaluated with the `def` in every Python 3 up to 3.13, on request from 3.14 (PEP 649)"
        yield Outcome(
            "partly", f"annotations of parameters and returns are {told}; those of local variables never"
        )


def import_line(module: Module, name: str) -> tuple[str, int] | None:
    """The path of a module and the line where importing it evaluates a name; None when that never happens."""
    named = [n for n in of_kind(module, ast.Name) if n.id == name and isinstance(n.ctx, ast.Load)]
    lines = [n.lineno for n in named if runs_at_import(module, n)]
    return (module.path, min(lines)) if lines else None


def _not_at_import(module: Module, name: str) -> str:
    """Why importing a module does not evaluate a name."""
    named = [n for n in of_kind(module, ast.Name) if n.id == name and isinstance(n.ctx, ast.Load)]
    line = named[0].lineno
    if all(is_local_annotation(module, node) for node in named):
        told = "an annotation of a local variable, which Python never evaluates"
    else:
        told = "no code that importing runs"
    return f"{module.path}:{line} `{module.line(line)}`: `{name}` stands in {told}"


def used_before_bound(case: Case) -> Iterator[Outcome]:
    """`NAME is used before it is assigned or imported`; never refuted, for control flow decides."""
    if not case.says(_BEFORE):
        return
    imported = re.findall(r"\bimport\s+(\w+)", case.text)
    for name in dict.fromkeys(
        [*_READ.findall(case.text), *imported, *(i.partition(".")[0] for i in case.identifiers)]
    ):
        for module in case.modules:
            for function, read, bound in read_before_bound(module, name):
                evidence = f"{module.path}:{read} {function}() reads `{name}`, first bound in line {bound}"
                yield Outcome("confirmed", evidence)
                return


_FAILS = r"NotImplementedError|\b(?:raises?|fails?|crash(?:es)?|stops?|cannot|can't)\b"
"""What a missing `forward` leads to only where an instance is called, and then a finding says so."""


def missing_member(case: Case) -> Iterator[Outcome]:
    """`class X has no method y`."""
    pairs = [(m[1], m[2]) for m in _MEMBER.finditer(case.text) if m[3] or m[4] or f"`{m[2]}" in case.text]
    pairs += [(m[2], m[1]) for m in _NO_MEMBER.finditer(case.text)]
    for owner, member in pairs:
        for module in case.subject.parsable:
            for node in of_kind(module, ast.ClassDef):
                if node.name == owner and not (member == "forward" and case.says(_FAILS)):
                    yield from _member(module, node, member)


def _about_syntax(case: Case, artefact: bool) -> bool:
    """Whether a claim is about Python that does not parse, in files that are there."""
    if case.unknown_files and not case.names_module:
        return False
    if artefact and case.says(_SYNTAX + r"|\bpython\b|\bsyntax|\bsignature|type.hints?"):
        return True
    return case.says(f"{_SYNTAX}|{_NO_PARSE}") and not case.says(_OTHER_SYNTAX)


def _artefact(case: Case, spelled: str, sound: list[Module]) -> str:
    """What the escaped text really is, with a line that shows it."""
    wanted = re.search(r"\bdef\s+(\w+)", case.text)
    arrows = [
        (module, node)
        for module in sound
        for node in module.nodes
        if isinstance(node, Function) and node.returns is not None
    ]
    arrows.sort(key=lambda pair: not (wanted and pair[1].name == wanted[1]))
    if not arrows:
        return f"`{spelled}` is an escape from the way the text was passed on, not in the file; "
    module, node = arrows[0]
    first = next(
        (n for n in range(node.lineno, (node.end_lineno or 0) + 1) if "->" in module.line(n)), node.lineno
    )
    shows = f"{module.path}:{first} reads `{module.line(first)}`"
    return f"`{spelled}` is how `->` was escaped on the way to the reviewer: {shows}; "


def _bound_above(module: Module, bound: list[ast.AST], before: int) -> int:
    """The line above `before` that binds a name for the whole module; 0 when there is none."""
    top = (n for n in bound if not isinstance(n, ast.arg) and module.enclosing_function(n) is None)
    return next((line for n in top if 0 < (line := getattr(n, "lineno", 0)) < before), 0)


def _claimed_names(text: str) -> list[str]:
    """Names that a claim calls undefined."""
    found = [part for p in _UNDEFINED for m in p.finditer(text) for part in re.split(r"[,\s]+", m[1])]
    names = (name.partition(".")[0].strip() for name in found)
    return [n for n in dict.fromkeys(names) if n.isidentifier() and n not in SKIP]


def _member(module: Module, node: ast.ClassDef, member: str) -> Iterator[Outcome]:
    """Whether a class has a member, as far as its own body tells."""
    place = f"{module.path}:{node.lineno} class {node.name}"
    own = {n.name for n in node.body if isinstance(n, Function)}
    stores = [
        n for n in walk(node) if isinstance(n, ast.Attribute | ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    own |= {n.attr for n in stores if isinstance(n, ast.Attribute)}
    around = module.enclosing_function(node)
    own |= {n.id for n in stores if isinstance(n, ast.Name) and module.enclosing_function(n) is around}
    bases = {ast.unparse(b).rpartition(".")[2] for b in node.bases}
    if member in own:
        yield Outcome("refuted", f"{place} has {member}")
    elif bases <= _PLAIN_BASES and not {"__getattr__", "__getattribute__"} & own:
        yield Outcome("confirmed", f"{place} has no {member}; it has {', '.join(sorted(own)) or 'nothing'}")
