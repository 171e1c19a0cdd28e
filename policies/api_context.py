"""What the checks on third-party names share for one bundle: its tables, classes, types and calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from policies.api_library import INSTANCES, Known, Library
from policies.api_signature import Signature
from policies.api_types import Types
from policies.api_usage import full_name
from policies.base import Evidence
from policies.kinds import of_kind
from policies.own_classes import OwnClasses
from policies.parsed import Module, ParsedBundle


@dataclass(frozen=True)
class Call:
    """A call of something third-party whose signature is known."""

    node: ast.Call
    shown: str
    """The callee as its package's users write it."""
    home: str
    signature: Signature
    on_class: bool
    """A method called on its class: what comes first is the instance."""


@dataclass
class ApiContext:
    """One bundle, judged by one set of tables."""

    subject: ParsedBundle
    evidence: Evidence
    kept: dict[str, Types] = field(default_factory=dict)
    calls: dict[str, tuple[Call, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.library = Library(self.evidence, self.subject)
        self.own = OwnClasses(self.subject, self.library)

    def types(self, module: Module) -> Types:
        """The types of a module's expressions."""
        if module.path not in self.kept:
            self.kept[module.path] = Types(module, self.library, self.own)
        return self.kept[module.path]

    def calls_in(self, module: Module) -> tuple[Call, ...]:
        """Every call that can be judged, in file order."""
        if module.path not in self.calls:
            found = (self._call(module, n) for n in of_kind(module, ast.Call))
            calls = (call for call in found if call is not None)
            self.calls[module.path] = tuple(sorted(calls, key=lambda c: (c.node.lineno, c.node.col_offset)))
        return self.calls[module.path]

    def _call(self, module: Module, node: ast.Call) -> Call | None:
        types = self.types(module)
        dotted = full_name(node.func, types.bound)
        if dotted:
            return self._named(node, dotted)
        if not isinstance(node.func, ast.Attribute):
            return None
        kind, method = types.of(node.func.value), node.func.attr
        if not kind or "|" in kind or "::" in kind:
            return None
        home = self.library.definer(kind, method)
        signature = self.library.signature(home) if home is not None else None
        if home is None or signature is None:
            return None
        return Call(node, f"{kind.rpartition('.')[2]}.{method}", home, signature, on_class=False)

    def _named(self, node: ast.Call, dotted: str) -> Call | None:
        found = self.library.find(dotted)
        signature = self.library.signature(found.home) if isinstance(found, Known) else None
        if not isinstance(found, Known) or signature is None:
            return None
        instance = any(dotted.startswith(f"{name}.") for name in INSTANCES)
        return Call(node, dotted, found.home, signature, on_class=signature.bound and not instance)


def api_context(subject: ParsedBundle, evidence: Evidence) -> ApiContext:
    """The context of a bundle, made once for each set of tables."""
    contexts: dict[int, ApiContext] = subject.memo("api-contexts", lambda _: {})
    key = id(evidence.installed) if evidence.installed else 0
    kept = contexts.get(key)
    if kept is None or (key and kept.evidence.installed is not evidence.installed):
        kept = contexts[key] = ApiContext(subject, evidence)
    return kept
