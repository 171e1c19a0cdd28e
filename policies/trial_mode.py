"""What the code does to keep W&B and Optuna out of a trial, and how to make it do so."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache

from policies.contract import ModeSwitch
from policies.edit import replace_lines
from policies.evaluate_args import evaluate_path
from policies.gates import Function, gates, tests_mode
from policies.hydra.entry import Entry, entries
from policies.hydra.insert import at_start, before_line
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.tree import walk


def training_modules(subject: ParsedBundle) -> tuple[Module, ...]:
    """The modules that a training command may run."""
    return tuple(m for m in subject.parsable if m.path != evaluate_path(subject.contract))


def calls_of(subject: ParsedBundle, name: str) -> Iterator[tuple[Module, ast.Call]]:
    """Every call of a third-party function in the training modules."""
    for module in training_modules(subject):
        for node in of_kind(module, ast.Call):
            if origin(module, node.func) == name:
                yield module, node


def launched(subject: ParsedBundle) -> str:
    """Path of the module that the entry file starts as a child process; empty when it starts none."""
    entry = subject.modules.get(subject.contract.entry_file)
    names = {module.name: module.path for module in subject.modules.values()}
    for node in entry.nodes if entry is not None else ():
        if isinstance(node, ast.Constant) and node.value in names and node.value != entry_name(subject):
            parent = entry.parents.get(node) if entry is not None else None
            if isinstance(parent, ast.List | ast.Tuple) or (
                isinstance(parent, ast.Call) and not _only_names(parent)
            ):
                return names[node.value]
    return ""


def _only_names(call: ast.Call) -> bool:
    """Whether a call with a module's name runs it in no process of its own, and not as `__main__`."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "run_module":
        return all(
            k.arg != "run_name" or (isinstance(k.value, ast.Constant) and k.value.value != "__main__")
            for k in call.keywords
        )
    return name in ("import_module", "__import__", "reload", "find_spec", "getLogger", "get_logger")


def entry_name(subject: ParsedBundle) -> str:
    """Dotted name of the entry module."""
    return subject.contract.entry_module


def override_texts(module: Module) -> Iterator[str]:
    """Texts such as `wandb.mode=disabled` or `wandb.mode={}` that a module writes for a command line."""
    for node in module.nodes:
        match node:
            case ast.JoinedStr(values=parts):
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
            case ast.Constant(value=str(text)):
                yield text
            case _:
                pass


def mentions_environment(subject: ParsedBundle) -> bool:
    """Whether the code uses W&B's environment switches, other than to repeat what the config says."""
    for module in training_modules(subject):
        for node in of_kind(module, ast.Constant):
            if node.value in ("WANDB_MODE", "WANDB_DISABLED"):
                tests = list(gates(subject, module, node))
                repeats = any("wandb" in ast.unparse(test).lower() for test in tests)
                if not repeats or tests_mode(tests, subject.contract.mode):
                    return True
    return False


def sets(subject: ParsedBundle, path: str, value: str) -> bool:
    """Whether the process that trains sees `path` (such as `wandb.mode`) set to `value` somewhere.

    Code inside an Optuna objective does not count: it runs in full mode only. What the entry file sets in its
    own process counts only when it tells the child on the command line. A module that cannot be read may.
    """
    unread = (m.path for m in subject.modules.values() if m.tree is None)
    if any(path != evaluate_path(subject.contract) for path in unread):
        return True
    child, overrides = launched(subject), re.compile(
        rf"^\+{{0,2}}{re.escape(path)}=({re.escape(value)}|\{{\}})$"
    )
    for module in training_modules(subject):
        told = [text for text in override_texts(module) if overrides.match(text)]
        if any(not text.endswith("{}") for text in told):
            return True
        reaches = not child or module.path != subject.contract.entry_file or told or _hands_over(module)
        if reaches and any(_sets(module, path.rpartition(".")[2], value)):
            return True
    return False


def _hands_over(module: Module) -> bool:
    """Whether a module writes its whole config out, so that a child may read it."""
    return any(n.attr in ("save", "to_yaml", "to_container") for n in of_kind(module, ast.Attribute))


def _sets(module: Module, key: str, value: str) -> Iterator[ast.AST]:
    """Constants equal to `value` that are stored under `key`, or handed to a call together with it."""
    for node in of_kind(module, ast.Constant):
        if str(node.value) != value or _in_objective(module, node):
            continue
        statement = _statement(module, node)
        stores = isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.Return)
        if stores and not _is_operand(module, node) and key in ast.unparse(statement):
            yield node


def _statement(module: Module, node: ast.AST) -> ast.AST:
    while not isinstance(node, ast.stmt) and node in module.parents:
        node = module.parents[node]
    return node


def _is_operand(module: Module, node: ast.AST) -> bool:
    """Whether a constant is compared with, or only the default of a look-up."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.Call):
        return ast.unparse(parent.func).rpartition(".")[2] in ("get", "getattr", "select", "pop")
    return isinstance(parent, ast.Compare)


def _in_objective(module: Module, node: ast.AST) -> bool:
    """Whether an enclosing function samples hyperparameters."""
    function: Function | None = module.enclosing_function(node)
    while function is not None:
        words = ast.unparse(function.args) + function.name
        if function in _sampling(module) or "Trial" in words or "objective" in words.lower():
            return True
        function = module.enclosing_function(function)
    return False


@lru_cache(maxsize=64)
def _sampling(module: Module) -> frozenset[Function | None]:
    """The functions that call `suggest_…` themselves."""
    asked = (n for n in of_kind(module, ast.Attribute) if n.attr.startswith("suggest_"))
    return frozenset(module.enclosing_function(n) for n in asked)


def in_config(subject: ParsedBundle, path: str) -> Iterator[object]:
    """Values that config files and run configs give to a path."""
    for document in (*subject.documents.values(), *subject.run_documents.values()):
        value: object = document.data
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield value


def training_entry(subject: ParsedBundle) -> Entry | None:
    """The Hydra entry point of the process that trains."""
    wanted = launched(subject) or subject.contract.entry_file
    return next((entry for entry in entries(subject) if entry.module.path == wanted), None)


def condition(parameter: str, mode: ModeSwitch) -> str:
    """The test for a trial, as code."""
    if mode.trial.lower() in ("true", "1"):
        return f"{parameter}.{mode.key}"
    return f'{parameter}.{mode.key} == "{mode.trial}"'


def with_override(subject: ParsedBundle, chain: str, value: str) -> tuple[str, str] | None:
    """Path and new text of the training entry in which a trial sets `chain` to `value`; None when unsafe.

    Safe means: the chain starts at the entry's config parameter, and the config has both it and the mode.
    """
    entry = training_entry(subject)
    parameter, _, path = chain.partition(".")
    mode = subject.contract.mode
    if entry is None or entry.parameter != parameter or not any(True for _ in in_config(subject, path)):
        return None
    if not any(True for _ in in_config(subject, mode.key)):
        return None
    test, statement = condition(parameter, mode), f"{chain} = {value}"
    if any(isinstance(n, ast.Assign) and _same(n, statement) for n in walk(entry.function)):
        return None
    text = _inserted(entry, test, statement, chain)
    return (entry.module.path, text) if text is not None else None


def _inserted(entry: Entry, test: str, statement: str, chain: str) -> str | None:
    """The entry's text with the override after the config is complete; None when it is read before that."""
    body = entry.function.body
    helpers = _merging(entry.module)
    done = [i for i, node in enumerate(body) if _completes(node, entry.parameter, helpers)]
    after = done[-1] if done else -1
    if any(chain in ast.unparse(node) for node in body[: after + 1]):
        return None
    for node in body[after + 1 :]:
        if isinstance(node, ast.If) and _same(node.test, test):
            return before_line(entry.module, node.body[0].lineno, statement)
        if chain in ast.unparse(node):
            break
    code = f"if {test}:\n    {statement}"
    if after < 0:
        return at_start(entry.module, entry.function, code)
    last = body[after]
    indent = " " * last.col_offset
    line = (last.end_lineno or last.lineno) + 1
    return replace_lines(entry.module.text, line, line - 1, textwrap.indent(code, indent))


def _merging(module: Module) -> frozenset[str]:
    """Functions of the module that merge configs."""
    functions = of_kind(module, ast.FunctionDef)
    return frozenset(f.name for f in functions if "merge" in ast.unparse(f))


def _completes(node: ast.stmt, parameter: str, helpers: frozenset[str]) -> bool:
    """Whether a statement gives the config parameter a new value, or merges something into it."""
    for inner in walk(node):
        if isinstance(inner, ast.Name) and inner.id == parameter and isinstance(inner.ctx, ast.Store):
            return True
        if isinstance(inner, ast.Attribute) and inner.attr in ("merge_with", "unsafe_merge"):
            return True
        if isinstance(inner, ast.Name) and inner.id in helpers and isinstance(node, ast.Expr):
            return True
    return False


def _same(node: ast.AST, code: str) -> bool:
    return ast.unparse(node).replace("'", '"') == code
