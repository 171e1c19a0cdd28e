"""Check `module-added-in-loop`: a walk over modules must not meet those that it adds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.hydra.names import origin
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.replace_node import replace_expression
from policies.walks import Walk, searched, walk_around

WALKS = ("modules", "named_modules")
GATE = "from torch import nn\n\n\nclass Gate(nn.Module):\n    pass\n\n\n"
LOOP = f'{GATE}def gates(model):\n    for name, m in model.named_modules():\n        if "layer" in name:\n'


ADDED = "            gate = Gate()\n            setattr(m, 'gate', gate)  # one each\n"
WALK = f"{GATE}def f(model):\n    for m in model.modules():\n"
CHILD = "        if wanted(m):\n            m.add_module('gate', nn.Identity())\n"
PASSED = "            m.add_module('gate', Gate())\n"


class ModuleAddedInLoop(ModuleCheck):
    """`named_modules()` walks lazily, so it goes on into a sub-module that the loop has just added.

    Where the condition goes by how the name begins, the new module satisfies it as well, gets one of its own,
    and so on: RecursionError. Where it asks for an attribute, a class or an end of the name that the new
    module does not have, the walk passes over it. Where that cannot be told, it is reported as advice.

    Source: `torch.nn.Module.named_modules`.
    """

    ID = "module-added-in-loop"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(
            LOOP.replace("model.named_modules()", "list(model.named_modules())")
            + "            m.g = Gate()\n"
        ),
        Good(f"{LOOP}            m.flag = True\n            setattr(m, 'rank', Gate)\n"),
        Good(f"{LOOP}            other.gate = Gate()\n"),
        Good(f"{WALK}        if hasattr(m, 'heads') and not hasattr(m, 'gate'):\n{PASSED}"),
        Good(f"{WALK}        if isinstance(m, nn.Linear):\n{PASSED}"),
        Good(f"{LOOP}            if name.endswith('attn'):\n    {PASSED}"),
        Good(f"{GATE}def f(rows):\n    for m in rows.items():\n        m.gate = Gate()\n"),
    )
    BAD = (
        Bad(
            f"{LOOP}{ADDED}",
            lines=(9,),
            fixed=f"{LOOP}{ADDED}".replace("model.named_modules()", "list(model.named_modules())"),
        ),
        Bad(
            f"{WALK}{CHILD}",
            lines=(9,),
            fixed=f"{WALK.replace('model.modules()', 'list(model.modules())')}{CHILD}",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every lazy walk whose body gives the visited module a new child."""
        classes = subject.memo("module-added-in-loop.classes", _module_classes)
        for loop in _walks(module):
            added = next(_additions(module, loop, classes), None)
            if added is None:
                continue
            endless = _endless(module, added, loop)
            if not endless and _passed_over(subject, module, added, loop):
                continue
            found = self.finding(
                module.path,
                loop.lineno,
                f"the walk over `{ast.unparse(loop.iter)}` meets the modules that it adds"
                + (" and adds to them again, without end" if endless else ""),
                f"line {added.lineno}: {module.line(added.lineno)}",
            )
            yield found if endless else found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Walk over a list made beforehand."""
        module = subject.modules[finding.file]
        for loop in _walks(module):
            if loop.lineno == finding.line:
                source = ast.get_source_segment(module.text, loop.iter)
                text = replace_expression(module, loop.iter, f"list({source})")
                return rewrite(subject.bundle, module.path, text)
        return None


def _module_classes(subject: ParsedBundle) -> frozenset[str]:
    """Names of the bundle's classes that derive from something called Module or from one another."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for _, node in each(subject, ast.ClassDef)
    }
    known = {"Module"}
    while grown := {name for name, over in bases.items() if over & known} - known:
        known |= grown
    return frozenset(known)


def _walks(module: Module) -> list[ast.For]:
    found = [
        node
        for node in of_kind(module, ast.For)
        if isinstance(node.iter, ast.Call)
        and isinstance(node.iter.func, ast.Attribute)
        and node.iter.func.attr in WALKS
    ]
    return sorted(found, key=lambda loop: loop.lineno)


def _visited(loop: ast.For) -> str:
    """The variable that holds the module itself."""
    target = loop.target
    last = target.elts[-1] if isinstance(target, ast.Tuple) and target.elts else target
    return last.id if isinstance(last, ast.Name) else ""


def _additions(module: Module, loop: ast.For, classes: frozenset[str]) -> Iterator[ast.stmt | ast.expr]:
    """Statements and calls in the loop that give the visited module a child."""
    name = _visited(loop)
    inside = [node for statement in loop.body for node in ast.walk(statement)]
    made = {
        target.id
        for node in inside
        if isinstance(node, ast.Assign) and _makes_module(module, node.value, classes)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in inside:
        match node:
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=owner), _, value]):
                pass
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr="add_module" | "register_module"),
                args=[_, value],
            ):
                pass
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner))], value=value):
                pass
            case _:
                continue
        named = isinstance(value, ast.Name) and value.id in made
        if owner == name and (named or _makes_module(module, value, classes)):
            yield node


def _makes_module(module: Module, node: ast.expr, classes: frozenset[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = origin(module, node.func)
    return (name.startswith("torch.nn.") and name.count(".") == 2) or name.rpartition(".")[2] in classes


def _endless(module: Module, added: ast.AST, loop: ast.For) -> bool:
    """Whether the new child surely meets the conditions its parent met, and gets a child of its own."""
    node, child = module.parents[added], added
    while node is not loop:
        if isinstance(node, ast.If) and not (child in node.body and _inherited(module, node.test)):
            return False
        if not isinstance(node, ast.If | ast.Expr):
            return False
        node, child = module.parents[node], node
    return True


def _inherited(module: Module, test: ast.expr) -> bool:
    """Whether what holds for a module holds for its new child too: it asks how the name begins."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_inherited(module, value) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"))):
            return True
        case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In()], comparators=[ast.Name()]):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="startswith")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="search" | "match"), args=args):
            return _open_pattern(module, owner, args)
    return False


def _open_pattern(module: Module, owner: ast.Name, args: list[ast.expr]) -> bool:
    """Whether the expression that is searched for is a literal without an end anchor."""
    compiled = (
        node.value.args[0]
        for node in of_kind(module, ast.Assign)
        if ast.unparse(node.targets[0]) == owner.id
        and isinstance(node.value, ast.Call)
        and origin(module, node.value.func) == "re.compile"
        and node.value.args
    )
    pattern = args[0] if len(args) > 1 else next(compiled, None)
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
        return False
    return not any(anchor in pattern.value for anchor in ("$", "\\Z", "\\b", "(?"))


def _passed_over(subject: ParsedBundle, module: Module, added: ast.AST, loop: ast.For) -> bool:
    """Whether a condition asks for what the new child, of a class of the bundle, surely does not have."""
    name = _class_of(module, added, loop)
    classes = [node for _, node in each(subject, ast.ClassDef) if node.name == name]
    plain = ("nn.Module", "torch.nn.Module")
    if len(classes) != 1 or not all(ast.unparse(base) in plain for base in classes[0].bases):
        return False
    walk = walk_around(module, added, _visited(loop))
    tests = walk.conditions(added) if walk is not None else None
    child = _child_name(added)
    return any(
        _excludes(module, test, classes[0]) or _ends_otherwise(walk, test, child)
        for test in tests or ()
        if walk is not None
    )


def _child_name(added: ast.AST) -> str:
    """The name under which the child is added, where it is spelled out."""
    match added:
        case ast.Assign(targets=[ast.Attribute(attr=name)]):
            return name
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), _]):
            return name
        case ast.Call(args=[ast.Constant(value=str(name)), _]):
            return name
    return ""


def _ends_otherwise(walk: Walk, test: ast.expr, child: str) -> bool:
    """Whether the test asks for an end of the dotted name that the child's name does not have."""
    match test:
        case ast.Call(func=ast.Attribute(attr="endswith"), args=[ast.Constant(value=str(end))]):
            return bool(child) and not f".{child}".endswith(end) and not end.endswith(f".{child}")
    pattern = searched(walk, test)
    digits = pattern is not None and str(pattern.value).endswith(("\\d+$", "[0-9]+$"))
    return digits and bool(child) and not child[-1].isdigit()


def _class_of(module: Module, added: ast.AST, loop: ast.For) -> str:
    """The class of which every thing that is called and then added is; empty when there are several."""
    named = {node.id for node in ast.walk(added) if isinstance(node, ast.Name)}
    made = [
        node.value
        for node in ast.walk(loop)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in named
    ]
    names = {
        origin(module, node.func).rpartition(".")[2]
        for part in (added, *made)
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and origin(module, node.func).rpartition(".")[2][:1].isupper()
    }
    return names.pop() if len(names) == 1 else ""


def _excludes(module: Module, test: ast.expr, made: ast.ClassDef) -> bool:
    """Whether no object of the class meets the test."""
    match test:
        case ast.Call(func=ast.Name(id="hasattr"), args=[_, ast.Constant(value=str(attribute))]):
            return not re.search(rf"\b{re.escape(attribute)}\b", ast.unparse(made))
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kind]):
            return origin(module, kind).startswith("torch.nn.") and origin(module, kind) != "torch.nn.Module"
    return False
