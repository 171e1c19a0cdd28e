"""Tests claims about files: missing, extra, empty, not importable, not real."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import QUOTE, Case, Outcome, joined, size_of, verdict
from policies.imported import is_optional
from policies.kinds import of_kind
from policies.parsed import Module
from policies.tree import children

_ABSENT = (
    r"(?:not (?:provided|supplied|present|included|given|part of|in the|available)|missing|absent|lacking)"
)
_CLOSE = r"(?=\s*(?:[.,;:)–—-]|$|from\b|in\b|so\b|and\b|but\b|although\b|which\b|anywhere\b|at all\b))"
"""What may follow, so that `x.py is missing a method` is not read as `x.py is missing`."""
_IMPORT = re.compile(r"\bfrom\s+(\.+[\w.]*|[\w.]+)\s+import\s+(\w+(?:\s*,\s*\w+)*)")
_BARE_IMPORT = re.compile(r"\bimports?\s+[`'\"“]?(\.[\w.]+|src\.[\w.]+)")
_LACKS_IMPORT = r"(?:missing|misses|lacks?|without|forgot|no)\s+[`'\"“]?(?:the\s+)?(?:import|from)\b"
_EMPTY = (
    r"\b(?:files?|modules?)\b[^.]{0,60}?\b(?:are|is)\b[^.]{0,20}?\bempty\b(?! (?:list|dict|string|tuple|set))"
    r"|\.(?:py|toml|ya?ml)[`'\"]?\s+(?:is|are)\s+(?:\w+ )?empty\b(?! \w)|\babsent / empty\b"
)
_NEARLY = r"\b(?:effectively|essentially|practically|virtually|mostly|nearly|almost|basically) empty\b"
_STUB = r"\bonly (?:contains?|holds?|consists? of)\b[^.]*\b(?:stub|header|docstring|comment|placeholder)"
_TRANSPORT = (
    r"\bjson\b[^.;]*\b(?:instead of|physical|real|actual)\b[^.;]*\bfiles?\b"
    r"|\b(?:not|no) (?:an )?(?:actual|real|physical) files?\b|\bembedded in (?:the )?(?:code|json)\b"
)


def missing_import(case: Case) -> Iterator[Outcome]:
    """`x imports y, but y is not there`."""
    absent = case.says(_ABSENT + r"|does not exist|no (?:such )?(?:file|module)")
    told = absent or case.says(r"module ?not ?found|importerror|no module named")
    if not told or case.says(_LACKS_IMPORT):
        return
    other = r"\bcircular|\bcyclic|\bchdir|\bcwd\b|director(?:y|ies)|\bpath\b|installed"
    doubted = absent and not case.says(other)
    wanted = [(m[1], tuple(re.split(r"\s*,\s*", m[2]))) for m in _IMPORT.finditer(case.text)]
    wanted += [(m[1], ()) for m in _BARE_IMPORT.finditer(case.text)]
    for source, names in wanted:
        found = [(m, node) for m in case.modules for node in _imports(m, source)]
        outcomes = [o for module, node in found if (o := _resolved(case, module, node, names))]
        if outcomes and (doubted or outcomes[0].status == "confirmed"):
            yield outcomes[0]
        elif doubted and not found and case.all_parse and not list(case.places(source.strip("."))):
            yield Outcome("refuted", f"no file of the bundle imports from `{source}`")


def missing_file(case: Case) -> Iterator[Outcome]:
    """`file x is not provided`, for files that the claim names right beside these words."""
    held, failed = [], []
    for path in (*case.unknown_files, *case.files):
        name = re.escape(path.rpartition("/")[2])
        after = rf"{name}{QUOTE}(?:\s*\([^()]*\))?\s*(?:file\s+)?(?:is|are)\s+(?:\w+\s+)?{_ABSENT}\b{_CLOSE}"
        before = rf"\b(?:no|missing) (?:the )?(?:file:? |module:? ){QUOTE}(?:[\w-]+/)*{name}"
        before += rf"(?!{QUOTE}\s+[a-z]+s\b)"
        before += rf"|\bno (?:[\w-]+/)+{name}"
        if "__init__" in path or not case.says(f"{after}|{before}"):
            continue
        text = case.subject.bundle.tree.get(path)
        if text is None:
            held.append(f"the bundle has no {path}")
        elif text.strip():
            failed.append(f"{path} is in the bundle and {size_of(text)}")
    if outcome := verdict(held, failed):
        yield outcome


def package_marker(case: Case) -> Iterator[Outcome]:
    """`without src/__init__.py it cannot be imported`: folders are namespace packages."""
    about = r"__init__\.py|\bwithout (?:an? )?`?__init__\b(?!`?\()|\bto be a package\b"
    if not case.says(about) or not case.says(r"import|packages?\b|-m\b|python"):
        return
    if case.says(r"setuptools|hatch|\bbuild\b|\bwheel\b|\bpip\b|discover|pytest|\binstall"):
        return
    if case.says(r"\bextra\b|\bprovided although\b|__init__\.py`?\s+is (?:present|included|provided)"):
        return
    markers = [p for p in case.subject.bundle.files if p.endswith("__init__.py")]
    failures = [r.failure.message for r in case.evidence.rehearsals if r.failure]
    if markers or any("No module named 'src'" in message for message in failures):
        return
    missing = [
        o.evidence for m in case.modules for o in _relative_imports(case, m) if o.status == "confirmed"
    ]
    proof = "every relative import in src/ finds its file" if not missing else joined(missing)
    started = [r for r in case.evidence.rehearsals if r.phase == "trial" and r.status == "passed"]
    ran = f"; the trial of {started[0].run_id} ran so" if started else ""
    reason = "a folder without __init__.py is a namespace package (PEP 420): `python -m src.main` imports it"
    yield Outcome("refuted", f"{reason}; {proof}{ran}")


def empty_files(case: Case) -> Iterator[Outcome]:
    """`these files are empty` or hold only a stub."""
    stub = case.says(_STUB)
    if not stub and not case.says(_EMPTY):
        return
    held, failed = [], []
    named = case.files or (() if case.unknown_files else case.subject.contract.files)
    for path in named:
        text = case.subject.bundle.tree.get(path)
        if text is None:
            continue
        module = case.subject.modules.get(path)
        document = case.subject.documents.get(path)
        if not text.strip():
            held.append(f"{path} is empty")
        elif document is not None and document.data == {}:
            held.append(f"{path} has no key")
        elif module is not None and module.empty:
            held.append(f"{path} has no statement beyond a docstring")
        elif not stub and case.files and not case.says(_NEARLY):
            failed.append(f"{path} {size_of(text)}")
    if outcome := verdict(held, failed):
        yield outcome


def transport(case: Case) -> Iterator[Outcome]:
    """`there is only JSON, no real files`: the keys are how a bundle travels."""
    if not case.says(_TRANSPORT) or not (case.files or case.says(r"\bjson\b")):
        return
    empty = [p for p, text in case.subject.bundle.files.items() if not text.strip()]
    named = [p for p in case.files if p in case.subject.bundle.files] or list(case.subject.bundle.files)
    full = [p for p in named if p not in empty]
    if full:
        yield Outcome("refuted", f"the JSON keys are the transport format; they stand for {', '.join(full)}")


def run_configs(case: Case) -> Iterator[Outcome]:
    """`config/runs/*.yaml are missing`: they are given with the request."""
    pattern = r"config/runs?/\S*\.ya?ml`?\s+(?:files? )?(?:is|are) (?:\w+ )?" + _ABSENT
    bare = r"|\b(?:missing|no) (?:hydra )?run.config(?:uration)?s?(?: files?)?(?= (?:are|is|were)\b|[.,;)]|$)"
    if not case.says(pattern + bare):
        return
    given = list(case.subject.bundle.run_configs)
    if given:
        yield Outcome("refuted", f"run configs are given from outside, not judged: {joined(given)}")


def extra_files(case: Case) -> Iterator[Outcome]:
    """`file x is extra`."""
    if not case.says(r"\b(?:extra|additional|unexpected|forbidden|superfluous|disallowed)\b[^.]*\bfiles?\b"):
        return
    if case.says(r"\bforbids?\b"):
        yield from _forbidden(case)
        return
    if case.says(r"\bwould\b|\bcould\b|\bmust\b|\bif\b"):
        return
    extra = [p for p in case.subject.bundle.files if p not in case.subject.contract.files]
    named = [p for p in extra if p in case.files]
    if named or (extra and not case.files):
        yield Outcome("confirmed", f"not among the contract's files: {joined(named or extra)}")
    elif case.unknown_files and not extra:
        yield Outcome("refuted", f"the bundle has no {joined(case.unknown_files)}")


def _forbidden(case: Case) -> Iterator[Outcome]:
    """`requirement n forbids extra files`, by what the criteria say."""
    for criterion in case.subject.contract.criteria:
        for sentence in criterion.sentences:
            if re.search(
                r"\bno\b[^.]*\b(?:other|additional|extra)\b[^.]*\bfiles?\b", sentence, re.IGNORECASE
            ):
                yield Outcome("confirmed", f"criterion {criterion.number} says: {sentence}")
                return


def _imports(module: Module, source: str) -> Iterator[ast.ImportFrom]:
    """Imports that mean `source`, whether it is spelled absolute or relative."""
    wanted = absolute(module, source)
    for node in of_kind(module, ast.ImportFrom):
        spelled = "." * node.level + (node.module or "")
        if absolute(module, spelled) == wanted or spelled == source:
            yield node


def absolute(module: Module, source: str) -> str:
    """The absolute dotted name of what a module spells `source`."""
    level = len(source) - len(source.lstrip("."))
    if not level:
        return source
    package = module.name.split(".")[:-level]
    return ".".join([*package, *filter(None, [source.lstrip(".")])])


def _relative_imports(case: Case, module: Module) -> Iterator[Outcome]:
    for node in of_kind(module, ast.ImportFrom):
        if node.level and (o := _resolved(case, module, node, ())):
            yield o


def _resolved(case: Case, module: Module, node: ast.ImportFrom, names: tuple[str, ...]) -> Outcome | None:
    """Whether a first-party import finds its module and names; None for third-party ones."""
    target = absolute(module, "." * node.level + (node.module or ""))
    if target.partition(".")[0] not in {p.partition("/")[0] for p in case.subject.bundle.files if "/" in p}:
        return None
    base = target.replace(".", "/")
    place = f"{module.path}:{node.lineno} `{ast.unparse(node)}`"
    found = next((p for p in (f"{base}.py", f"{base}/__init__.py") if p in case.subject.modules), None)
    if found is None:
        if any(p.startswith(f"{base}/") for p in case.subject.bundle.files):
            return None
        top = not is_optional(module, node) and module.enclosing_function(node) is None
        kills, outside = (module.path if top else ""), f"{base}.py" not in case.subject.contract.files
        told = f"{place}; the bundle has no {base}.py"
        return Outcome("confirmed", told, 5 if outside else 0, kills, node.lineno)
    tree = case.subject.modules[found].tree
    if tree is None:
        return None
    missing = [n for n in names or [a.name for a in node.names] if n != "*" and n not in top_level(tree)]
    if missing and "*" not in top_level(tree):
        return Outcome("confirmed", f"{place}; {found} defines no {', '.join(missing)}")
    return Outcome("refuted", f"{place}; {found} is in the bundle and defines the names")


def top_level(tree: ast.Module) -> frozenset[str]:
    """Names that importing a module can see; `*` when a star import hides them."""
    names: set[str] = set()
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(a.asname or a.name.partition(".")[0] for a in node.names)
        stack.extend(children(node))
    return frozenset(names)
