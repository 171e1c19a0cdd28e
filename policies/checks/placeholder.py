"""Functions and classes have bodies that do something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.stubs import abstract_classes, is_noop_by_name, is_stub, optional_steps, says_nothing
from policies.wording import clip

Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Placeholder(ModuleCheck):
    """A body of `pass`, `...` or `raise NotImplementedError` is a part of the experiment that is missing.

    Nothing fails when it is merely imported, and a `pass` where a loss should be computed trains something
    else; so does a bare `...` among other statements, where code was cut out. Interfaces stay: abstract
    methods, protocols, overloads, base classes whose subclasses do the work, and hooks that are named or
    shaped as doing nothing.
    """

    ID = "placeholder"
    CRITERION = 1
    STAGE = 60
    GOOD = (
        Good("""\
from abc import ABC, abstractmethod
from typing import Protocol, overload


class Loss(ABC):
    @abstractmethod
    def value(self): ...


class Reader(Protocol):
    def read(self) -> str: ...


@overload
def f(x: int) -> int: ...
def f(x):
    return x
"""),
        Good("""\
class Base:
    def step(self):
        raise NotImplementedError


class Real(Base):
    x = 1

    def merge(self):
        raise NotImplementedError("merging is not supported here")
"""),
        Good("class Failed(RuntimeError):\n    pass\n\n\nclass Same(Other):\n    '''Just a name.'''\n"),
        Good("try:\n    x = 1\nexcept ValueError:\n    pass\nif x:\n    ...\n"),
        Good("def f(x):\n    y = x[..., 0]\n    if y:\n        ...\n    return y\n"),
        Good("def any(*args, **kwargs):\n    pass\n\n\nclass NullLogger:\n    def log(self, row): ...\n"),
        Good("""\
class A(Base):
    def __exit__(self, *a):
        pass

    def on_epoch_end(self):
        pass
"""),
        Good("""\
class Teacher(nn.Module):
    def after_step(self):
        self.steps += 1


class Student(nn.Module):
    def after_step(self):
        pass


def fit(model):
    model.after_step()
"""),
        Good("""\
def f(task):
    '''No placeholders, no TODO.'''
    if task == "x":
        raise NotImplementedError(task)
    return 1
"""),
    )
    BAD = (
        Bad("def loss(x):\n    pass\n\n\nasync def g(): ...\n", lines=(1, 5)),
        Bad(
            """\
class Net(nn.Module):
    def forward(self, x):
        '''Run.'''
        raise NotImplementedError("later")
""",
            lines=(2,),
        ),
        Bad("def only_docs():\n    '''Compute the penalty.'''\n", lines=(1,)),
        Bad("class Scheduler:\n    ...\n", lines=(1,)),
        Bad("def fit(x):\n    for row in x:\n        y = row\n        ...\n    return y\n", lines=(4,)),
        Bad("class Model(nn.Module):\n    pass\n\n\nmodel = Model()\n", lines=(1,)),
        Bad(
            """\
class A(nn.Module):
    def penalty(self):
        return 1.0


class B(nn.Module):
    def penalty(self):
        pass


def fit(model):
    return model.penalty()
""",
            lines=(7,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every definition without a body, in line order."""
        abstract, optional = abstract_classes(subject), optional_steps(subject)
        for node in sorted(_definitions(module), key=lambda node: node.lineno):
            if isinstance(node, ast.ClassDef):
                missing = _empty_class(node)
            else:
                missing = is_stub(node) and not _may_be_empty(module, node, abstract, optional)
            if missing:
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                shown = clip(ast.unparse(node.body[-1]), 80)
                message = f"the {kind} `{node.name}` has no body"
                yield self.finding(module.path, node.lineno, message, f"all it holds is `{shown}`")
        for gap, function in _cut_out(module):
            message = f"a bare `...` stands among the statements of `{function.name}`"
            evidence_text = f"it stands alone, where a statement of `{function.name}` should be"
            yield self.finding(module.path, gap.lineno, message, evidence_text)


def _definitions(module: Module) -> list[Definition | ast.ClassDef]:
    return [node for node in module.nodes if isinstance(node, Definition | ast.ClassDef)]


def _empty_class(node: ast.ClassDef) -> bool:
    """A class that says `...`, or a network that inherits no network."""
    if not is_stub(node):
        return False
    bases = {ast.unparse(base) for base in node.bases}
    if not bases:
        return any(isinstance(child, ast.Expr) and _is_ellipsis(child) for child in node.body)
    return bases <= {"nn.Module", "torch.nn.Module", "Module"}


def _is_ellipsis(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Constant) and node.value.value is ...


def _cut_out(module: Module) -> Iterator[tuple[ast.Expr, Definition]]:
    """Every `...` with other statements beside it, and the function around it, in line order."""
    bare = [n for n in of_kind(module, ast.Expr) if _is_ellipsis(n)]
    for node in sorted(bare, key=lambda n: n.lineno):
        function = module.enclosing_function(node)
        blocks = [v for _, v in ast.iter_fields(module.parents[node]) if isinstance(v, list) and node in v]
        others = [s for block in blocks for s in block if s is not node and not says_nothing(s)]
        if function is not None and others:
            yield node, function


def _may_be_empty(
    module: Module, node: Definition, abstract: frozenset[str], optional: frozenset[str]
) -> bool:
    """Whether an empty body is what its author means."""
    if any("abstract" in ast.unparse(d) or "overload" in ast.unparse(d) for d in node.decorator_list):
        return True
    owner = module.parents.get(node)
    if not isinstance(owner, ast.ClassDef):
        return is_noop_by_name(node.name) or _takes_anything(node)
    if owner.name in abstract or is_noop_by_name(owner.name) or is_noop_by_name(node.name):
        return True
    # A subclass may switch a hook of its base off; what computes something is never such a hook.
    hook = isinstance(node.body[-1], ast.Pass) and node.name not in {
        "forward",
        "__call__",
        "__getitem__",
        "__len__",
    }
    if not hook:
        return False
    switched_off = bool(owner.bases) and not _is_network(owner)
    return node.name.startswith("__") or switched_off or _is_event(node.name) or node.name in optional


def _is_network(owner: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Module") for base in owner.bases)


def _is_event(name: str) -> bool:
    return name.startswith(("on_", "close", "flush", "teardown", "cleanup"))


def _takes_anything(node: Definition) -> bool:
    """`def f(*args, **kwargs): pass` stands in for any function."""
    return (
        node.args.vararg is not None and node.args.kwarg is not None and isinstance(node.body[-1], ast.Pass)
    )
