"""Signatures of functions, methods, classes and data classes of a package, read from source."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from policies.api_signature import Signature, widest
from policies.class_body import Function, decorators, dotted, words
from tools.trial.api_scan import Definition
from tools.trial.api_tree import MAX_DEPTH, PackageTree

TRANSPARENT = words(
    "staticmethod classmethod abstractmethod override final overload contextmanager "
    "asynccontextmanager no_grad inference_mode lru_cache cache deprecated validate_params "
    "dataclass array_function_dispatch set_module set_array_function_like_doc "
    "finalize_array_function_like add_start_docstrings add_end_docstrings "
    "add_start_docstrings_to_model_forward replace_return_docstrings auto_docstring Appender "
    "Substitution doc experimental_func deprecated_func experimental_class deprecated_class "
    "transmit_format fingerprint_transform export exposed_in compatibility record_api_usage "
    "_log_to_run _raise_if_finished _attach normalize_exceptions _use_grad_for_differentiable "
    "_disable_dynamo_if_unsupported _conversion_method_template deprecate_nonkeyword_arguments"
)
"""Decorators that pass every argument on; any other that is not read below makes a signature unknown."""
FOREIGN_BASES = frozenset({"object", "ABC", "Generic", "Protocol"})


def signature_in(tree: PackageTree, module: str, node: Definition, depth: int = 0) -> Signature | None:
    """What calling a definition accepts; None when that cannot be told."""
    if isinstance(node, ast.ClassDef):
        return _of_class(tree, module, node, depth)
    return of_function(node)


def of_overloads(nodes: Sequence[Definition], *, method: bool = False) -> Signature | None:
    """The signature of a function by all its definitions: the last one, or every overload of a stub."""
    functions = [node for node in nodes if isinstance(node, Function)]
    if not functions or len(functions) != len(nodes):
        return None
    if not is_overload(functions[-1]):
        return of_function(functions[-1], method=method)
    found = [of_function(node, method=method) for node in functions]
    known = [signature for signature in found if signature is not None]
    return widest(known) if len(known) == len(found) else None


def is_overload(node: Function) -> bool:
    """Whether a definition is one of several."""
    return "overload" in decorators(node)


def of_function(node: Function, *, method: bool = False) -> Signature | None:
    """The parameters of a `def`, as its decorators leave them."""
    signature = _parameters(node.args)
    names = decorators(node)
    if method and "staticmethod" not in names:
        rest = _without_self(signature)
        if rest is None:
            return None
        signature = replace(rest, bound="classmethod" not in names)
    for decorator, name in zip(node.decorator_list, names, strict=True):
        if name == "deprecate_kwarg" and (old := _first_text(decorator)):
            signature = replace(signature, keyword_only=signature.keyword_only | {old})
        elif name == "convert_positional_args":
            signature = replace(signature, more_positional=True)
        elif name not in TRANSPARENT:
            return None
    return signature


def _first_text(decorator: ast.expr) -> str:
    match decorator:
        case ast.Call(args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(keywords=[ast.keyword(arg="old_name", value=ast.Constant(value=str(name))), *_]):
            return name
        case _:
            return ""


def _parameters(args: ast.arguments) -> Signature:
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    required = names[: len(names) - len(args.defaults)]
    pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    required += [a.arg for a, default in pairs if default is None]
    hidden = next((i for i, name in enumerate(names) if not _private_style(name)), len(names))
    return Signature(
        tuple(names),
        max(len(args.posonlyargs), hidden if names and _private_style(names[0]) else 0),
        frozenset(a.arg for a in args.kwonlyargs),
        frozenset(required),
        more_positional=args.vararg is not None,
        more_keywords=args.kwarg is not None,
    )


def _private_style(name: str) -> bool:
    """`__x`, the older spelling of a positional-only parameter."""
    return name.startswith("__") and not name.endswith("__")


def _without_self(signature: Signature) -> Signature | None:
    if not signature.positional:
        return signature if signature.more_positional else None
    first, *rest = signature.positional
    return replace(
        signature,
        positional=tuple(rest),
        positional_only=max(signature.positional_only - 1, 0),
        required=signature.required - {first},
    )


def methods(node: ast.ClassDef, name: str) -> list[Definition]:
    """Every definition of a method in the class body itself."""
    return [n for n in node.body if isinstance(n, Function) and n.name == name]


def _of_class(tree: PackageTree, module: str, node: ast.ClassDef, depth: int) -> Signature | None:
    """`__init__`, or the fields of a data class; inherited ones are followed."""
    names = decorators(node)
    if any(k.arg != "metaclass" or dotted(k.value).rpartition(".")[2] != "ABCMeta" for k in node.keywords):
        return None
    if methods(node, "__new__") or not set(names) <= TRANSPARENT:
        return None
    init = methods(node, "__init__")
    if init:
        signature = of_overloads(init, method=True)
        return replace(signature, bound=False) if signature is not None else None
    if "dataclass" in names:
        return _fields(tree, module, node, depth)
    bases = [b for b in node.bases if dotted(_bare(b)).rpartition(".")[2] not in FOREIGN_BASES]
    if not bases:
        plain = all(dotted(_bare(b)).rpartition(".")[2] in ("object", "Generic") for b in node.bases)
        return Signature() if plain and not node.keywords else None
    if len(bases) != 1 or depth > MAX_DEPTH:
        return None
    return _base_signature(tree, module, bases[0], depth)


def _bare(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _fields(tree: PackageTree, module: str, node: ast.ClassDef, depth: int) -> Signature | None:
    """Fields of a data class after those of the data classes it extends."""
    fields: dict[str, bool] = {}
    for base in reversed(node.bases):
        text = dotted(_bare(base))
        if text.rpartition(".")[2] in FOREIGN_BASES or _is_mixin(tree, module, text, depth):
            continue
        inherited = _base_signature(tree, module, base, depth)
        if inherited is None or inherited.keyword_only:
            return None
        fields |= {name: name in inherited.required for name in inherited.positional}
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                kind, text = ast.dump(annotation), ast.unparse(value) if value else ""
                if "KW_ONLY" in kind:
                    return None
                if "ClassVar" not in kind and "init=False" not in text:
                    fields[name] = text in ("", "field()")
            case _:
                pass
    keyword_only = "kw_only=True" in " ".join(map(ast.unparse, node.decorator_list))
    required = frozenset(name for name, needed in fields.items() if needed)
    if keyword_only:
        return Signature(keyword_only=frozenset(fields), required=required)
    return Signature(tuple(fields), required=required)


def _is_mixin(tree: PackageTree, module: str, text: str, depth: int) -> bool:
    """Whether a base is a plain class without `__init__`, which adds no field."""
    found = tree.resolve(module, text, depth + 1) if text and "." not in text else None
    node = found[1].node if found else None
    if found is None or not isinstance(node, ast.ClassDef) or "dataclass" in decorators(node):
        return False
    bases = [dotted(_bare(b)) for b in node.bases]
    return not methods(node, "__init__") and all(
        b in FOREIGN_BASES or _is_mixin(tree, found[0], b, depth + 1) for b in bases
    )


def _base_signature(tree: PackageTree, module: str, base: ast.expr, depth: int) -> Signature | None:
    found = tree.definition(module, dotted(_bare(base)), depth + 1) if depth < MAX_DEPTH else None
    if found is None or not isinstance(found[1].node, ast.ClassDef):
        return None
    return signature_in(tree, found[0], found[1].node, depth + 1)
