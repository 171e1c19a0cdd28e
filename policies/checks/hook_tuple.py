"""Check `hook-tuple`: a hook on an attention or a layer gets a tuple, not a tensor."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api import api_of
from policies.architectures import architectures, told_of
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.row_functions import Function, returned
from policies.walks import selected, walk_around
from policies.wording import clip

TENSOR_ONLY = frozenset(("shape", "view", "size", "reshape", "mean", "sum", "float", "dtype", "device"))
HEAD = (
    "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained('bert-base-cased')\n\n\n"
    "def scale(module, args, output):\n    return output * 2\n\n\n"
)
CAREFUL = HEAD.replace("return output", "if isinstance(output, tuple):\n        return output[0]")
WALK = "for name, m in model.named_modules():\n    if {0}:\n        m.register_forward_hook(scale)\n"


class HookTuple(ModuleCheck):
    """Attention modules of transformers, and the layers of many families, return tuples.

    A forward hook gets the tuple as it is: `output * gate` is a TypeError, `output.shape` an AttributeError.
    A pre-hook always gets the tuple of positional arguments. The tensor is the first element, and the others
    have to be handed on.

    Source: PyTorch, `Module.register_forward_hook`; what modules return was noted from models of each family.
    """

    ID = "hook-tuple"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(HEAD + WALK.format("name.endswith('dense')")),
        Good(CAREFUL + WALK.format("'attention' in name")),
        Good(HEAD + WALK.format("isinstance(m, Gate) and 'attention' in name")),
        Good(HEAD.replace("bert-base-cased", "some/model") + WALK.format("'attention' in name")),
    )
    BAD = (
        Bad(HEAD + WALK.format("'attention' in name"), lines=(12,)),
        Bad(
            f"{HEAD}for layer in model.encoder.layer:\n    layer.attention.register_forward_hook(scale)\n",
            lines=(11,),
        ),
        Bad("def f(m, args):\n    return args / 2\n\n\nm.register_forward_pre_hook(f)\n", lines=(5,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every registered hook that treats a tuple as a tensor."""
        for call, hook, place in _registrations(module):
            used = _as_tensor(hook, place)
            if used is None:
                continue
            if place == 1:
                told = "a pre-hook gets the tuple of positional arguments"
            else:
                told = _tuples(subject, module, call, evidence)
            if told:
                name = hook.args.args[place].arg
                yield self.finding(
                    module.path,
                    call.lineno,
                    f"the hook treats `{name}` as a tensor, but it is a tuple: "
                    f"`{clip(ast.unparse(used), 60)}`",
                    f"line {used.lineno}: {module.line(used.lineno)} — {told}",
                )


def _registrations(module: Module) -> Iterator[tuple[ast.Call, Function, int]]:
    """Calls that register a known hook, and which of its parameters holds the values."""
    for node in of_kind(module, ast.Call) if "register_forward" in module.text else ():
        match node:
            case ast.Call(func=ast.Attribute(attr="register_forward_hook"), args=[given], keywords=[]):
                place = 2
            case ast.Call(func=ast.Attribute(attr="register_forward_pre_hook"), args=[given], keywords=[]):
                place = 1
            case _:
                continue
        hook = _hook(module, node, given)
        if hook is not None and len(hook.args.args) > place:
            yield node, hook, place


def _hook(module: Module, call: ast.Call, given: ast.expr) -> Function | None:
    """The function that is registered: a lambda, or the last of its name before the call."""
    if isinstance(given, ast.Lambda):
        return given
    if not isinstance(given, ast.Name):
        return None
    named = [n for n in of_kind(module, ast.FunctionDef) if n.name == given.id]
    before = [n for n in named if n.lineno < call.lineno]
    same = module.enclosing_function(call)
    own = [n for n in before if module.enclosing_function(n) is same]
    near = own or [n for n in before if n in _top(module)]
    return near[-1] if near else None


def _top(module: Module) -> list[ast.stmt]:
    return module.tree.body if module.tree is not None else []


def _as_tensor(hook: Function, place: int) -> ast.expr | None:
    """The first use of the values that only a tensor allows; None when the hook looks at what they are."""
    name = hook.args.args[place].arg
    body = hook.body if isinstance(hook.body, list) else [hook.body]
    nodes = [node for part in body for node in ast.walk(part)]
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "type" | "hasattr"), args=[ast.Name(id=asked), *_]):
                if asked == name:
                    return None
            case ast.Subscript(value=ast.Name(id=owner)) | ast.Starred(value=ast.Name(id=owner)):
                if owner == name:
                    return None
            case ast.Name(id=bound, ctx=ast.Store()) if bound == name:
                return None
    values = list(returned(hook))
    used = [n for n in nodes if isinstance(n, ast.Attribute) and _is(n.value, name) and n.attr in TENSOR_ONLY]
    scaled = [v for v in values if isinstance(v, ast.BinOp) and (_is(v.left, name) or _is(v.right, name))]
    return next(iter([*used, *scaled]), None)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _tuples(subject: ParsedBundle, module: Module, call: ast.Call, evidence: Evidence) -> str:
    """Which of the hooked modules return tuples in the model of every run; empty when none surely does."""
    known = architectures(subject)
    api = api_of(evidence, "transformers", subject)
    if not known or api is None or api.version.split(".")[0] != told_of().split(".")[0]:
        return ""
    found: dict[str, str] = {}
    for name, each in known.items():
        names = [tuple_name.replace("#", "0") for tuple_name in each.tuples]
        hit = _hooked(module, call, names)
        if not hit:
            return ""
        found[name] = min(hit, key=len)
    first, example = next(iter(found.items()))
    return f"in `{first}` the hook is put on `{example}` too, which returns a tuple"


def _hooked(module: Module, call: ast.Call, names: list[str]) -> tuple[str, ...]:
    """Those of the names that the hook is registered on."""
    assert isinstance(call.func, ast.Attribute), "hooks are registered by a method"
    match call.func.value:
        case ast.Name(id=visited):
            walk = walk_around(module, call, visited)
            tests = walk.conditions(call) if walk is not None else None
            if walk is None or not tests or not walk.name:
                return ()
            return selected(walk, tests, names) or ()
        case ast.Attribute(attr=attribute):
            return tuple(name for name in names if name.endswith(f".{attribute}"))
    return ()
