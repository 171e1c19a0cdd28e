"""What a tester of claims sees, and how it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from policies.base import Evidence
from policies.parsed import Module, ParsedBundle
from policies.records import Claim, Finding

_FILE = re.compile(r"(?<![\w/.\-*{])((?:[\w-]+/)*[\w-]+\.(?:py|ya?ml|toml))\b")
_DOTTED_MODULE = re.compile(r"\bsrc\.(\w+)\b")
_HEADING = re.compile(r"(?:[^:`\"“]{1,70}:\s+)+")
_FOLLOWS = re.compile(
    r"(?:so|therefore|thus|hence|consequently|as a result)\b"
    r"|because of (?:this|that|these|#|issue|point|\(?\d)"
    r"|(?:this|that|these|it|which)\b(?: [\w-]+){0,4}? "
    r"(?:causes?|breaks?|violates?|contradicts?|prevents?|means|makes|leads?|results?|raises?|will|would|is|are|gives?|crash(?:es)?|fails?)\b"
    r"|causes\b|current call\b|attribute access\b"
    r"|(?:making|causing|breaking|violating|corrupting|producing|preventing|leading to|resulting in|"
    r"invalidating|stopping|contradicting|hampering|violates?|breaks?|contradicts?)\b"
    r"|(?:any|execution|the module)\b[^.]*\b(?:will|would) (?:raise|crash|fail)\b"
    r"|(?:run-?time )?\w*(?:Error|Exception)\b",
    re.IGNORECASE,
)
"""How a statement begins that draws a conclusion from the one before."""
_PRAISE = re.compile(r"(?:all|everything)\b[^.]*\b(?:else|others?|remaining|core|checks)\b", re.IGNORECASE)
_POINTS_AT = re.compile(r"^because of (?:issue |point |item )?[#(]?(\d{1,2})\)?", re.IGNORECASE)
_CODE = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_NAME = re.compile(r"\w*[a-z0-9]_\w+|_\w+|[A-Za-z]+[a-z][A-Z]\w*|[a-z_]\w*(?:\.\w+)+")
QUOTE = "[`'\"“”‘’]?"
"""Any quotation mark that a reviewer may put around a name."""
SKIP = frozenset(
    {
        "it",
        "this",
        "that",
        "which",
        "what",
        "name",
        "names",
        "variable",
        "module",
        "function",
        "class",
        "method",
    }
    | {
        "file",
        "code",
        "value",
        "import",
        "imports",
        "never",
        "not",
        "is",
        "are",
        "used",
        "any",
        "all",
        "the",
        "a",
    }
    | {"an", "and", "or", "but", "in", "from", "before"}
)
"""Words of prose that stand where a name might."""


class Outcome(NamedTuple):
    """What one test showed about a claim. `partly`: some of it holds and some does not."""

    status: Literal["confirmed", "refuted", "partly"]
    evidence: str
    criterion: int = 0
    """The standard criterion that a confirmed defect breaks; 0 when the test does not know."""
    kills: str = ""
    """Path of the module whose import fails by a confirmed defect."""
    line: int = 0
    """The line of `kills` that fails."""
    fact: str = ""
    """What a claim that follows may rest on, e.g. `lacks labels`."""


class Tested(NamedTuple):
    """An earlier claim of the same rejection: what it says and what testing it showed."""

    case: Case
    claim: Claim
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Case:
    """One claim and everything it can be held against."""

    text: str
    subject: ParsedBundle
    findings: Sequence[Finding]
    evidence: Evidence
    earlier: tuple[Tested, ...] = ()
    """The claims before it, in order."""
    item: int = -1
    """The list item or paragraph that it stands in; -1 when unknown."""
    number: str = ""
    """The number of its point in the rejection."""

    @cached_property
    def body(self) -> str:
        """The claim without the headings it stands under."""
        head = _HEADING.match(self.text)
        return self.text[head.end() :] if head else self.text

    @property
    def follows(self) -> bool:
        """Whether the claim states what follows from another."""
        return _FOLLOWS.match(self.body) is not None

    @property
    def mates(self) -> tuple[Tested, ...]:
        """The earlier claims of the same list item or paragraph."""
        return tuple(t for t in self.earlier if t.case.item == self.item != -1)

    @cached_property
    def base(self) -> Tested | None:
        """The claim that this one follows from: the one it points at, or the nearest that stands alone."""
        if match := _POINTS_AT.search(self.body):
            return next((t for t in self.earlier if t.case.number == match[1]), None)
        same = [t for t in self.mates if not _PRAISE.match(t.case.body)]
        return next((t for t in reversed(same) if not t.case.follows), None) if self.follows else None

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        """Paths as the claim spells them, without those inside quoted code with a colon or a call."""
        dotted = [f"src/{name}.py" for name in _DOTTED_MODULE.findall(self.text)]
        return tuple(dict.fromkeys([*_FILE.findall(self.text), *dotted]))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Files of the bundle that the claim names."""
        return tuple(dict.fromkeys(p for name in self._paths if (p := self.resolve(name))))

    @cached_property
    def unknown_files(self) -> tuple[str, ...]:
        """Files that the claim names and the bundle lacks."""
        return tuple(name for name in self._paths if self.resolve(name) is None)

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The Python files that the claim is about: those it names, else all."""
        named = [self.subject.modules[p] for p in self.files if p in self.subject.modules]
        return tuple(named or self.subject.modules.values())

    @property
    def names_module(self) -> bool:
        """Whether the claim names a Python file of the bundle."""
        return any(path in self.subject.modules for path in self.files)

    @property
    def all_parse(self) -> bool:
        """Whether every module that the claim is about has a tree."""
        return all(module.tree is not None for module in self.modules)

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        """Names of code in the claim: in backticks, or spelled as only code is."""
        coded = [word for span in _CODE.findall(self.text) for word in _WORD.findall(span)]
        spelled = [word for word in _WORD.findall(self.text) if _NAME.fullmatch(word)]
        names = (word.rstrip(".") for word in (*coded, *spelled))
        return tuple(dict.fromkeys(n for n in names if not n.endswith((".py", ".yaml", ".yml", ".toml"))))

    def resolve(self, name: str) -> str | None:
        """The path of a file that is named in full or by its last part."""
        paths = list(self.subject.bundle.tree)
        if name in paths:
            return name
        last = name.rpartition("/")[2].lower()
        same = [p for p in paths if p.rpartition("/")[2].lower() == last]
        fits = [p for p in same if "/" not in name or p.endswith(f"/{name}")]
        return fits[0] if len(fits) == 1 else None

    def says(self, pattern: str) -> bool:
        """Whether the claim matches a pattern, case ignored."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None

    def places(self, needle: str) -> Iterator[str]:
        """`file:line` of the first line that holds `needle`, file by file."""
        for path, text in self.subject.bundle.tree.items():
            number = next((n for n, line in enumerate(text.splitlines(), 1) if needle in line), None)
            if number is not None:
                yield f"{path}:{number}"


def size_of(text: str) -> str:
    """How much a file holds, for evidence."""
    if not text.strip():
        return "is empty"
    lines = len(text.splitlines())
    return f"has {lines} line" if lines == 1 else f"has {lines} lines"


def joined(parts: Sequence[str], limit: int = 4) -> str:
    """Evidence of several parts as one line."""
    given = list(dict.fromkeys(part for part in parts if part))
    unique = [part for part in given if not any(part in other and part != other for other in given)]
    more = f"; and {len(unique) - limit} more" if len(unique) > limit else ""
    return "; ".join(unique[:limit]) + more


def verdict(held: Sequence[str], failed: Sequence[str]) -> Outcome | None:
    """Confirmed when all parts hold, refuted when none does, partly when mixed."""
    if held and failed:
        return Outcome("partly", f"holds: {joined(held)}. Does not hold: {joined(failed)}")
    if held:
        return Outcome("confirmed", joined(held))
    return Outcome("refuted", joined(failed)) if failed else None
