"""A bundle parsed once per file version; every check shares the result."""

from __future__ import annotations

import ast
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from ruamel.yaml.error import YAMLError

from policies.contract import Contract
from policies.records import Bundle, ResearchContext
from policies.tree import children
from policies.yaml_text import line_of, load_yaml, yaml_error

if TYPE_CHECKING:
    import libcst as cst

T = TypeVar("T")
MAX_SOURCE_CHARS = 1_000_000
"""A larger source file is a finding, not something to parse."""


@dataclass(frozen=True, eq=False)
class Module:
    """One Python file. `tree` is None when it does not parse; `error` then says why.

    Compared by identity: hashing the text takes longer than most of what is looked up by module.
    """

    path: str
    text: str
    tree: ast.Module | None
    error: str = ""
    error_line: int = 0
    memory: dict[str, Any] = field(default_factory=dict, repr=False)
    """Results that several checks share, by name; see `memo`. They are gone with the module."""

    @property
    def name(self) -> str:
        """Dotted name, e.g. `src.train`."""
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def empty(self) -> bool:
        """No statement beyond a docstring."""
        return self.tree is not None and all(
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in self.tree.body
        )

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree but its contexts, in `ast.walk` order; empty when unparsable."""
        return self._walked[0]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Child node -> parent node."""
        return self._walked[1]

    @cached_property
    def _walked(self) -> tuple[tuple[ast.AST, ...], dict[ast.AST, ast.AST]]:
        nodes: list[ast.AST] = [self.tree] if self.tree else []
        parents: dict[ast.AST, ast.AST] = {}
        for node in nodes:  # grows meanwhile
            below = children(node)
            nodes += below
            for child in below:
                parents[child] = node
        return tuple(nodes), parents

    @property
    def cst(self) -> cst.Module:
        """The concrete tree, for codemods. Raises nothing for a file whose `tree` is set."""
        return parse_cst(self.text)

    def memo(self, name: str, compute: Callable[[Module], T]) -> T:
        """`compute(self)`, done once per module and shared under `name`."""
        if name not in self.memory:
            self.memory[name] = compute(self)
        value: T = self.memory[name]
        return value

    def line(self, number: int) -> str:
        """The stripped text of a 1-based line; empty when out of range."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def enclosing_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function around `node`."""
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]  # loop variable
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return None


def per_module(compute: Callable[[Module], T]) -> Callable[[Module], T]:
    """A function of a module, done once for each; what it gives is kept as long as the module, not longer."""
    name = f"{compute.__module__}.{compute.__qualname__}"

    @wraps(compute)
    def kept(module: Module) -> T:
        return module.memo(name, compute)

    return kept


@dataclass(frozen=True)
class Document:
    """A YAML or TOML file as plain data. `data` is None when it does not parse or is empty."""

    path: str
    text: str
    data: dict[str, Any] | None  # parsed data has no narrower type
    error: str = ""
    error_line: int = 0


@lru_cache(maxsize=32)
def parse_cst(text: str) -> cst.Module:
    """Parse to a concrete syntax tree, once per text."""
    import libcst as cst  # takes longer to import than a review takes, and only repairs need it

    return cst.parse_module(text)


@lru_cache(maxsize=256)
def parse_module(path: str, text: str) -> Module:
    """Parse Python; a syntax error is a value."""
    if len(text) > MAX_SOURCE_CHARS:
        return Module(path, text, None, f"the file is larger than {MAX_SOURCE_CHARS:,} characters", 1)
    if "\0" in text:
        return Module(path, text, None, "it holds a null byte", line_of(text, text.index("\0")))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes and the like, which are not ours to print
            return Module(path, text, ast.parse(text, filename=path))
    except SyntaxError as error:
        return Module(path, text, None, error.msg, error.lineno or 1)
    except (ValueError, RecursionError, MemoryError) as error:
        return Module(path, text, None, str(error) or type(error).__name__, 1)


@lru_cache(maxsize=512)
def parse_toml(path: str, text: str) -> Document:
    """Parse TOML; an error is a value."""
    try:
        return Document(path, text, tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        return Document(path, text, None, str(error), getattr(error, "lineno", 1) or 1)


@lru_cache(maxsize=512)
def parse_yaml(path: str, text: str) -> Document:
    """Parse one YAML document as OmegaConf would: strings like `1e-4` are floats, duplicate keys an error."""
    try:
        data = load_yaml(text)
    except (YAMLError, RecursionError, ValueError) as error:
        return Document(path, text, None, *yaml_error(error, text))
    if data is None:
        return Document(path, text, {})
    if not isinstance(data, dict):
        return Document(path, text, None, f"the top level is a {type(data).__name__}, not a mapping", 1)
    return Document(path, text, data)


@dataclass(frozen=True)
class ParsedBundle:
    """The bundle, its contract and context, with parsed files on demand."""

    bundle: Bundle
    contract: Contract
    context: ResearchContext = field(default_factory=ResearchContext)
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Results that several checks share, by name; see `memo`."""

    def memo(self, name: str, compute: Callable[[ParsedBundle], T]) -> T:
        """`compute(self)`, done once per bundle and shared under `name`."""
        if name not in self.memory:
            self.memory[name] = compute(self)
        value: T = self.memory[name]
        return value

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """Path -> module, for every `.py` file."""
        return {p: parse_module(p, t) for p, t in sorted(self.bundle.files.items()) if p.endswith(".py")}

    @cached_property
    def parsable(self) -> tuple[Module, ...]:
        """The modules that have a tree."""
        return tuple(m for m in self.modules.values() if m.tree is not None)

    @cached_property
    def pyproject(self) -> Document | None:
        """`pyproject.toml`, when the bundle has one."""
        text = self.bundle.files.get("pyproject.toml")
        return None if text is None else parse_toml("pyproject.toml", text)

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """Path -> document, for every YAML file of the bundle (run configs excluded)."""
        return {
            p: parse_yaml(p, t) for p, t in sorted(self.bundle.files.items()) if p.endswith((".yaml", ".yml"))
        }

    @cached_property
    def run_documents(self) -> Mapping[str, Document]:
        """Run id -> its run config."""
        return {
            p.rsplit("/", 1)[-1].removesuffix(".yaml"): parse_yaml(p, t)
            for p, t in sorted(self.bundle.run_configs.items())
        }

    @cached_property
    def import_roots(self) -> tuple[str, ...]:
        """Folders that imports start from, as prefixes of paths; a project may keep its code in `src/`."""
        layout = self.contract.kind == "tests" and "src/__init__.py" not in self.bundle.tree
        return ("", "src/") if layout and any(p.startswith("src/") for p in self.bundle.files) else ("",)

    def replace(self, bundle: Bundle) -> ParsedBundle:
        """The same contract and context around another bundle."""
        return ParsedBundle(bundle, self.contract, self.context)

    def walk(self) -> Iterator[tuple[Module, ast.AST]]:
        """Every node of every parsable module."""
        for module in self.parsable:
            for node in module.nodes:
                yield module, node
