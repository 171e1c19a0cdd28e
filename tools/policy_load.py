"""Finds policies: those that ship, those of installed packages, and those in files of the user."""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from policies.base import Check
from policies.errors import UsageError
from policies.policy import STANDARD_POLICY, Policy, PolicySource, composed, known_as
from policies.policy_toml import read_policy
from policies.python_tests import POLICY as PYTHON_TESTS
from tools.intake.files import decode, read_file, shown

POLICIES = "suture.policies"
"""Entry point group: a `Policy`, or a function without arguments that gives one."""
CHECKS = "suture.checks"
"""Entry point group: a class derived from `Check`."""
SHIPPED = {policy.name: policy for policy in (STANDARD_POLICY, PYTHON_TESTS)}
MAX_DEPTH = 8


def load_policies(specs: Iterable[str], *, bundle: str | Path = "") -> Policy:
    """The policies that were asked for, composed from left to right; the standard one for none.

    Args:
        specs: names, or paths of `.toml` and `.py` files.
        bundle: the input to be judged; a policy inside of it is refused, because it is not to be trusted.
    Raises: UsageError, one line that says which policy cannot be used and why.
    """
    return composed([load_policy(spec, bundle=bundle) for spec in specs])


def load_policy(spec: str, *, bundle: str | Path = "", depth: int = 0) -> Policy:
    """One policy by name or path. Raises UsageError."""
    if depth > MAX_DEPTH:
        raise UsageError(f"policy {spec}: policies extend each other in a circle")
    if spec.endswith((".toml", ".py")) or "/" in spec:
        return _from_file(Path(spec).expanduser().absolute(), bundle, depth)
    if spec in SHIPPED:
        return known_as(SHIPPED[spec], PolicySource(name=spec))
    offered = _offered(spec)
    if offered is None:
        names = ", ".join(sorted({*SHIPPED, *(e.name for e in entry_points(group=POLICIES))}))
        raise UsageError(f"there is no policy {spec!r}; there are {names}, and files ending in .toml or .py")
    return known_as(offered, PolicySource(name=spec))


def _offered(name: str) -> Policy | None:
    """A policy, or a single check as a policy of its own, from an installed package."""
    for point in entry_points(group=POLICIES):
        if point.name == name:
            found = _loaded(point)
            made = found() if callable(found) and not isinstance(found, type) else found
            if not isinstance(made, Policy):
                raise UsageError(f"the entry point {name!r} of {POLICIES} gives no Policy: {made!r}")
            return made
    check = _offered_check(name)
    return None if check is None else Policy(name=name, checks=(check,))


def _offered_check(name: str) -> type[Check] | None:
    for point in entry_points(group=CHECKS):
        if point.name == name:
            found = _loaded(point)
            if not (isinstance(found, type) and issubclass(found, Check)):
                raise UsageError(f"the entry point {name!r} of {CHECKS} is no Check: {found!r}")
            return found
    return None


def _loaded(point: EntryPoint) -> object:
    try:
        found: object = point.load()
    except UsageError:
        raise
    except Exception as error:  # any code of a package may run here
        raise UsageError(
            f"the entry point {point.name!r} ({point.value}) cannot be loaded: {error!r}"
        ) from error
    return found


def _from_file(path: Path, bundle: str | Path, depth: int) -> Policy:
    _refuse_inside(path, bundle)
    text, digest = _read(path)
    if path.suffix == ".py":
        return known_as(_from_python(path, text), PolicySource(name=str(path), digest=digest))
    if path.suffix != ".toml":
        raise UsageError(f"{shown(path)}: a policy file ends in .toml or .py")
    said = read_policy(shown(path), text)
    parts: list[Policy] = []
    if said.extends:
        parts.append(load_policy(_beside(path, said.extends), bundle=bundle, depth=depth + 1))
    for name in said.checks:
        check = None if name.endswith(".py") else _offered_check(name)
        if check is not None:
            parts.append(Policy(name=name, checks=(check,)))
        elif name.endswith(".py"):
            parts.append(load_policy(_beside(path, name), bundle=bundle, depth=depth + 1))
        else:
            raise UsageError(f"{shown(path)}: no installed package offers the check {name!r}")
    whole = STANDARD_POLICY
    for part in (*parts, said.policy):
        whole = whole.then(part)
    return known_as(whole, PolicySource(name=str(path), digest=digest))


def _beside(path: Path, name: str) -> str:
    """A file is meant relative to the policy that names it; anything else is a policy's name."""
    is_file = name.endswith((".toml", ".py")) or "/" in name
    return str(path.parent / Path(name).expanduser()) if is_file else name


def _read(path: Path) -> tuple[str, str]:
    label = shown(path)
    if not path.exists():
        raise UsageError(f"{label}: there is no such policy file")
    data = read_file(path, label)
    return decode(label, data)[0], hashlib.sha256(data).hexdigest()


def _refuse_inside(path: Path, bundle: str | Path) -> None:
    root = Path(bundle) if str(bundle) not in ("", "-") else None
    if root is not None and root.is_dir() and path.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"{shown(path)} lies inside the bundle, which is not to be trusted; keep it elsewhere"
        )


def _from_python(path: Path, text: str) -> Policy:
    """The policy that a Python file defines: its checks, and its `POLICY` if it has one.

    The file runs anew each time it is loaded, under a name of its own, and joins no registry.
    """
    label = shown(path)
    name = f"suture_policy_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their own module up
    sys.path.insert(0, str(path.parent))
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except UsageError as error:
        raise UsageError(f"{label}: {error}") from error
    except SyntaxError as error:
        raise UsageError(f"{label}: line {error.lineno}: {error.msg}") from error
    except Exception as error:  # the user's own code
        raise UsageError(f"{label}: cannot be loaded: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    return _policy_of(label, module)


def _policy_of(label: str, module: types.ModuleType) -> Policy:
    stated = vars(module).get("POLICY")
    if stated is not None and not isinstance(stated, Policy):
        raise UsageError(f"{label}: POLICY must be a Policy, not {type(stated).__name__}")
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Check)
        and value.__module__ == module.__name__
        and value.ID
    ]
    _unique(label, own)
    policy = Policy(name=label, checks=tuple(own))
    if stated is None and not own:
        raise UsageError(f"{label}: defines no check with an id and no POLICY")
    return policy if stated is None else policy.then(stated)


def _unique(label: str, checks: list[type[Check]]) -> None:
    seen: set[str] = set()
    for check in checks:
        if check.ID in seen:
            raise UsageError(f"{label}: two checks have the id {check.ID!r}")
        seen.add(check.ID)
