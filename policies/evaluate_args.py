"""How the evaluation script reads its command line, and whether `key=value` arguments arrive."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from policies.api_usage import bindings, full_name
from policies.contract import Contract
from policies.kinds import of_kind
from policies.parsed import Module
from policies.tree import walk

Reader = Literal["argparse", "argv", "hydra", "function", "none"]
SPLITTERS = frozenset(
    {
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "find",
        "index",
        "removeprefix",
        "replace",
        "startswith",
        "lstrip",
        "match",
        "search",
        "fullmatch",
        "sub",
    }
)
TOLERANT = frozenset({"omegaconf.OmegaConf.from_cli", "omegaconf.OmegaConf.from_dotlist"})
OTHER_INPUTS = frozenset({"argv", "environ", "getenv", "input", "stdin", "initialize", "compose"})
PARSERS = frozenset(("absl", "argh", "cappa", "click", "clize", "defopt", "docopt", "fire", "getopt", "gin"))
PARSERS |= frozenset(("jsonargparse", "optparse", "plac", "simple_parsing", "sys", "tap", "typer", "tyro"))
RUNNERS = frozenset({"fire.Fire", "typer.run", "typer.Typer", "click.command"})


@dataclass(frozen=True)
class Argument:
    """One `add_argument` call."""

    flags: tuple[str, ...]
    """As written: `results_dir` for a positional, `--results_dir` for an option."""
    nargs: str
    """Source text of `nargs`; empty when absent."""
    node: ast.Call

    @property
    def name(self) -> str:
        """The attribute that holds the value."""
        for keyword in self.node.keywords:
            if keyword.arg == "dest" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        long = next((flag for flag in self.flags if flag.startswith("--")), self.flags[0])
        return long.lstrip("-").replace("-", "_")

    @property
    def prefix(self) -> str:
        """What goes before a value on the command line; empty for a positional."""
        option = next((flag for flag in self.flags if flag.startswith("--")), "")
        return f"{option}=" if option else ""


@dataclass(frozen=True)
class CommandLine:
    """What the script does with its arguments. `node` is where it reads them."""

    reader: Reader
    node: ast.AST | None = None
    arguments: tuple[Argument, ...] = ()


def wanted_keys(contract: Contract) -> tuple[str, ...]:
    """Keys of the contract's `key=value` arguments; empty when it passes none that way."""
    tail = contract.evaluate[contract.evaluate.index("-m") + 2 :] if "-m" in contract.evaluate else ()
    return tuple(token.partition("=")[0] for token in tail if "=" in token and not token.startswith("-"))


def evaluate_path(contract: Contract) -> str:
    """Path of the evaluation module; empty when the contract runs none."""
    argv = contract.evaluate
    return argv[argv.index("-m") + 1].replace(".", "/") + ".py" if "-m" in argv else ""


def read_command_line(module: Module, keys: Sequence[str]) -> CommandLine | None:
    """How the module reads arguments; None when it splits `key=value` itself, or cannot be judged."""
    bound = bindings(module)
    called = {full_name(n.func, bound): n for n in of_kind(module, ast.Call)}
    if called.keys() & TOLERANT or any(splits_keys(module, keys)):
        return None
    if hydra := next((n for name, n in called.items() if name == "hydra.main"), None):
        return CommandLine("hydra", hydra)
    parses = tuple(parse_calls(module))
    if parses:
        ours = next((call for call in parses if reads_argv(call)), None)
        simple = ours is not None and len(parses) == 1 and len(_parsers(module, bound)) == 1
        return CommandLine("argparse", ours, tuple(arguments(module))) if simple else None
    if runner := next((n for name, n in called.items() if name in RUNNERS), None):
        return CommandLine("function", runner)
    return _plain(module)


def _plain(module: Module) -> CommandLine | None:
    """Reading `sys.argv[1]` and the like, or nothing at all."""
    for node in of_kind(module, ast.Attribute):
        if ast.unparse(node) == "sys.argv":
            parent = module.parents.get(node)
            indexed = isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant)
            return CommandLine("argv", node) if indexed else None
    names = {n.id for n in of_kind(module, ast.Name)}
    names |= {n.attr for n in of_kind(module, ast.Attribute)}
    return None if names & OTHER_INPUTS or _imports_parser(module) else CommandLine("none")


def _imports_parser(module: Module) -> bool:
    """Whether arguments may be read elsewhere: in a module of the bundle or by another library."""
    for node in module.nodes:
        match node:
            case ast.ImportFrom(level=level, module=source) if level or (source or "").startswith("src"):
                return True
            case ast.ImportFrom(module=str(source)) if source.partition(".")[0] in PARSERS:
                return True
            case ast.Import(names=aliases) if any(a.name.partition(".")[0] in PARSERS for a in aliases):
                return True
            case _:
                pass
    return False


def splits_keys(module: Module, keys: Sequence[str]) -> Iterator[ast.AST]:
    """Expressions that take a `key=` off an argument, in code that deals with arguments."""
    prefixes = tuple(f"{key}=" for key in keys)
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr=verb), args=args) if verb in SPLITTERS:
                texts = [a.value for a in args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            case ast.Compare(left=ast.Constant(value=str(text)), ops=[ast.In() | ast.NotIn()]):
                texts = [text]
            case _:
                continue
        ours = any(text.startswith(prefixes) for text in texts)
        if ours or (any("=" in text for text in texts) and _deals_with_arguments(module, node, keys)):
            yield node


def _deals_with_arguments(module: Module, node: ast.AST, keys: Sequence[str]) -> bool:
    """Whether the parser calls the code around `node`, or its function or statement speaks of arguments."""
    if _called_by_parser(module, node):
        return True
    scope: ast.AST = module.enclosing_function(node) or node
    while not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) and scope in module.parents:
        if isinstance(module.parents[scope], ast.Module):
            break
        scope = module.parents[scope]
    words = {n.id for n in walk(scope) if isinstance(n, ast.Name)}
    words |= {n.attr for n in walk(scope) if isinstance(n, ast.Attribute)}
    words |= {n.arg for n in walk(scope) if isinstance(n, ast.arg)}
    words |= {scope.name} if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) else set()
    hints = ("arg", "cli", "token", "override", *keys)
    return any(hint in word.lower() for word in words for hint in hints)


def _called_by_parser(module: Module, node: ast.AST) -> bool:
    """Whether the parser runs the code around `node`: it is an argument's own `type` or `action`."""
    around = {up.name for up in _up(module, node) if isinstance(up, ast.FunctionDef | ast.ClassDef)}
    given = [k.value for argument in arguments(module) for k in argument.node.keywords]
    return any(isinstance(value, ast.Name) and value.id in around for value in given)


def _parsers(module: Module, bound: Mapping[str, str]) -> list[ast.Call]:
    calls = of_kind(module, ast.Call)
    return [n for n in calls if full_name(n.func, bound) == "argparse.ArgumentParser"]


def parse_calls(module: Module) -> Iterator[ast.Call]:
    """Calls of `parse_args` and its kin."""
    for node in module.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "parse_args"
        ):
            yield node


def reads_argv(call: ast.Call) -> bool:
    """Whether the call parses the process's own arguments, unchanged."""
    if call.keywords:
        return False
    given = [ast.unparse(arg) for arg in call.args]
    return given in ([], ["None"], ["sys.argv[1:]"])


def arguments(module: Module) -> Iterator[Argument]:
    """Every `add_argument` with literal flags, in order."""
    calls = [n for n in of_kind(module, ast.Call) if isinstance(n.func, ast.Attribute)]
    for call in sorted(calls, key=lambda n: (n.lineno, n.col_offset)):
        assert isinstance(call.func, ast.Attribute)
        flags = tuple(a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
        if call.func.attr == "add_argument" and flags:
            nargs = next((ast.unparse(k.value) for k in call.keywords if k.arg == "nargs"), "")
            yield Argument(flags, nargs, call)


def decoded_keys(module: Module, keys: Sequence[str]) -> Iterator[ast.Call]:
    """Calls `json.loads(cfg.key)` on an argument that nothing tests for being text."""
    for node in module.nodes:
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "json.loads" or len(node.args) != 1:
            continue
        value = node.args[0]
        tested = any(
            isinstance(up, ast.If | ast.IfExp) and "isinstance" in ast.unparse(up.test)
            for up in _up(module, node)
        )
        if isinstance(value, ast.Attribute) and value.attr in keys and not tested:
            yield node


def _up(module: Module, node: ast.AST) -> Iterator[ast.AST]:
    """The nodes around `node`, innermost first."""
    while (parent := module.parents.get(node)) is not None:
        yield (node := parent)


HELPER = '''def _key_value_argv(argv):
    """Let the parser take `key=value` arguments, in any order, beside its own form."""
    prefixes = {prefixes}
    pairs = dict(token.split("=", 1) for token in argv if "=" in token and token.split("=", 1)[0] in prefixes)
    others = [token for token in argv if token.split("=", 1)[0] not in pairs]
    return [prefix + pairs[key] for key, prefix in prefixes.items() if key in pairs] + others
'''


def helper_source(chosen: Sequence[Argument], keys: Sequence[str]) -> str:
    """The function that turns `key=value` tokens into the form that these arguments expect."""
    ordered = [argument for argument in chosen if argument.name in keys]
    pairs = ", ".join(f"{json.dumps(a.name)}: {json.dumps(a.prefix)}" for a in ordered)
    return HELPER.replace("{prefixes}", "{" + pairs + "}")
