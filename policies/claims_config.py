"""Tests claims about configuration: dependencies, config keys, config.yaml, caches, W&B in trials."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from policies.claims_base import QUOTE, Case, Outcome, joined, verdict
from policies.claims_names import is_docstring
from policies.kinds import each, has_text
from policies.parsed import Module, ParsedBundle

_UNDECLARED = (
    r"\b(?:not|never|doesn't|does not) (?:\w+ )?(?:list|declare|include|contain|mention|specif|depend)"
    r"|\b(?:not|never) (?:listed|declared|included|specified)|\bundeclared\b|\bmissing\b"
    r"|\blacks?\b|\bomits?\b|\babsent\b"
)
_DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "hydra": "hydra-core",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "rouge_score": "rouge-score",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
}
"""Import name -> distribution, where they differ."""
_BROUGHT = {"omegaconf": "hydra-core"}
"""Distributions that another one always brings."""
_KEY_ABSENT = (
    r"\babsent\b|\bmissing\b|\bnot (?:present|defined|set|in)\b|\bundefined\b"
    r"|\bdo(?:es)?(?: not|n't) (?:exist|have)\b|\bmay not exist\b|\blacks?\b|\bomits?\b|\bno such key\b"
)
_KEY = re.compile(r"\b(?:cfg|config)\.([a-z_]\w*(?:\.[a-z_]\w*)+)")
_SIDES = re.compile(
    r"\bpresent in\b(?P<has>[^,;]+?)\b(?:but|and)\b[^,;]*\babsent\b(?P<lacks>[^,;]+)", re.IGNORECASE
)
_NOT_READ = (
    r"(?:\bnot|\bnever|n't|\binstead of|\bwithout|\brather than)\s+(?:\w+\s+){0,2}?"
    r"(?:read|load|open|us|consult|pars|reading|loading)\w*\b[^.;]{0,60}?config(?:/config)?\.ya?ml"
)
_NARROW = r"optuna|study|direct|stand-?alone|without main|itself|before|order"
_FILE_NOT_READ = (
    r"(?:\bnot|\bnever|n't)\s+(?:\w+\s+)?(?:read|load|open|us|consult|pars)\w*\s+(?:the\s+)?"
    rf"{QUOTE}(?:config/)?config\.ya?ml"
)
"""The file itself is said to be unread, not just some values of it."""


def dependency(case: Case) -> Iterator[Outcome]:
    """`pyproject.toml does not list X`."""
    if not case.says(r"\bpyproject|\bdependenc") or not case.says(_UNDECLARED):
        return
    declared = declared_distributions(case.subject)
    if declared is None:
        return
    held, failed = [], []
    for name, place in _third_party(case.subject).items():
        distribution = canonicalize_name(_DISTRIBUTIONS.get(name, name))
        spelled = rf"(?<![\w.-])(?:{re.escape(name)}|{re.escape(distribution)})(?![\w-]|\.py)"
        if not re.search(spelled, case.text):
            continue
        if distribution not in declared and _BROUGHT.get(distribution) not in declared:
            held.append(f"{place} imports `{name}`; pyproject.toml does not declare {distribution}")
        elif distribution in declared and _says_undeclared(case, spelled):
            failed.append(f"pyproject.toml declares `{declared[distribution]}`")
    if outcome := verdict(held, failed):
        yield outcome


def _says_undeclared(case: Case, spelled: str) -> bool:
    """Whether the absence of this very name is what the claim states, not of its version or form."""
    form = r"\bversion|\bpin|\bbound|\bconstraint|\bextras?\b|\bcuda\b|\bindex\b|\bpep\b|\bpoetry\b|\btable\b"
    after = rf"(?:{_UNDECLARED})[^.;]{{0,60}}?{spelled}"
    before = rf"{spelled}{QUOTE}\s+(?:is|are)\s+(?:{_UNDECLARED})"
    return case.says(f"{after}|{before}") and not case.says(form)


def config_key(case: Case) -> Iterator[Outcome]:
    """`cfg.a.b is missing in some run`: confirmed by run and line, never refuted."""
    if not case.says(_KEY_ABSENT):
        return
    for dotted in dict.fromkeys(_KEY.findall(case.text)):
        path = dotted.split(".")
        place = _access(case.subject, path)
        runs = case.subject.run_documents
        without = [run for run, doc in runs.items() if doc.data is not None and not _has(doc.data, path)]
        base = case.subject.documents.get("config/config.yaml")
        shared = base is not None and base.data is not None and _has(base.data, path)
        if place and without and not shared:
            yield Outcome(
                "confirmed", f"{place} reads `{dotted}`; the config of {joined(without)} has no such key"
            )
            return


def section_is_no_dict(case: Case) -> Iterator[Outcome]:
    """`x is a dict, so x.low fails`: sections of a config take attributes, unless they were made plain."""
    match = re.search(rf"{QUOTE}\b(\w+){QUOTE}\s+is\s+(?:only |just )?a\s+(?:plain )?dict\b", case.body)
    names = re.findall(rf"\b{match[1]}\.(\w+)", case.body) if match else []
    if match is None or not names:
        return
    for module in case.modules:
        for loop in module.nodes if re.search(r"omegaconf|hydra", module.text) else ():
            path = _section(loop, match[1]) if isinstance(loop, ast.For) else []
            if path and all(_in_entries(case.subject, path, name) for name in names):
                line = getattr(loop, "lineno", 0)
                told = f"{module.path}:{line} `{module.line(line)}` yields sections of the config"
                yield Outcome("refuted", f"{told}, which OmegaConf lets be read by attribute")
                return


def _section(loop: ast.For, name: str) -> list[str]:
    """The config path whose entries a loop gives to a name; empty when it is none."""
    match loop:
        case ast.For(
            target=ast.Tuple(elts=[_, ast.Name(id=target)]),
            iter=ast.Call(func=ast.Attribute(value=ast.Attribute() as owner, attr="items"), args=[]),
        ) if (
            target == name
        ):
            root, *path = ast.unparse(owner).split(".")
            return path if root in ("cfg", "config", "conf") and "(" not in ast.unparse(owner) else []
    return []


def _in_entries(subject: ParsedBundle, path: list[str], name: str) -> bool:
    """Whether some entry under a path of some run has a key."""
    for document in subject.run_documents.values():
        value: object = document.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, dict) and any(isinstance(v, dict) and name in v for v in value.values()):
            return True
    return False


def present_and_absent(case: Case) -> Iterator[Outcome]:
    """`this key is in proposed runs but absent from baselines`, about the key of the claim before."""
    sides = _SIDES.search(case.body)
    keys = [k for t in case.mates for k in _KEY.findall(t.case.text)]
    if sides is None or not keys or not re.match(r"(?:this|the|that) key\b", case.body, re.IGNORECASE):
        return
    path = keys[-1].split(".")
    has = {
        run: _has(doc.data, path) for run, doc in case.subject.run_documents.items() if doc.data is not None
    }
    with_it = [run for run, there in has.items() if there]
    without = [run for run, there in has.items() if not there]
    wanted = [k for k in ("proposed", "comparative", "baseline") if k in sides["lacks"].lower()]
    fits = with_it and without and all("proposed" in run for run in with_it)
    if fits and "proposed" in sides["has"].lower() and wanted and "proposed" not in wanted:
        yield Outcome("confirmed", f"`{keys[-1]}` is in {joined(with_it)}, not in {joined(without)}")


def config_file_read(case: Case) -> Iterator[Outcome]:
    """`evaluate.py does not read config/config.yaml`."""
    if not case.says(_NOT_READ) or not case.names_module or not case.all_parse:
        return
    held, failed = [], []
    for module in case.modules:
        mention = next(_config_mentions(module), 0)
        if mention:
            failed.append(f"{module.path}:{mention} `{module.line(mention)}`")
        else:
            held.append(f"{module.path} nowhere names config.yaml and has no Hydra entry point")
    if outcome := verdict(held, failed if case.says(_FILE_NOT_READ) else ()):
        yield outcome


def cache_folder(case: Case) -> Iterator[Outcome]:
    """`the cache directory is not used`: confirmed when nothing names it."""
    if not case.says(r"\bcach") or not case.says(
        r"\bnot\b|\bnever\b|\bmissing\b|\bno\b|\bignor|\binstead\b|n't\b"
    ):
        return
    wanted = case.subject.contract.cache_dir.strip("/")
    if f"{wanted}" not in case.text and not case.says(r"\bcache[_ ](?:dir|folder)"):
        return
    loaders = re.findall(r"\bload_dataset\b|\bfrom_pretrained\b", case.text)
    if loaders and not has_text(case.subject, *loaders):
        return  # nothing is loaded that way
    if not any(wanted in text for text in case.subject.bundle.tree.values()):
        yield Outcome("confirmed", f"no file of the bundle names `{wanted}`")


def trial_wandb(case: Case) -> Iterator[Outcome]:
    """`W&B is not disabled in trial mode`, by what the rehearsed trials did."""
    if (
        not case.says(r"\bwandb\b|\bw&b\b")
        or not case.says(r"\btrial\b")
        or not case.says(r"\bmodes?\b|\bdisabled\b")
    ):
        return
    if not case.says(r"\bnot\b|\bnever\b|\bonline\b|\bwrong\b|\bfails? to\b|\bstill\b|n't\b"):
        return
    trials = [r for r in case.evidence.rehearsals if r.phase == "trial" and r.proof]
    modes = {mode for r in trials if r.proof for mode in r.proof.wandb_modes}
    if modes - {"disabled"}:
        yield Outcome("confirmed", f"the rehearsed trials started W&B in mode {', '.join(sorted(modes))}")
    elif modes and case.says(r"\bmode\b.*\bdisabled\b|\bdisabled\b.*\bmode\b") and not case.says(_NARROW):
        yield Outcome("refuted", "every W&B run of the rehearsed trials was started with mode disabled")


def declared_distributions(subject: ParsedBundle) -> dict[str, str] | None:
    """Canonical name -> requirement of all that pyproject.toml declares, in any form; None if unreadable."""
    document = subject.pyproject
    if document is None or document.data is None:
        return None
    project = document.data.get("project", {})
    poetry = document.data.get("tool", {}).get("poetry", {})
    declared: dict[str, str] = {}
    sources = [project.get("dependencies"), poetry.get("dependencies"), *_groups(project), *_groups(poetry)]
    for source in sources:
        for item in source if isinstance(source, dict | list) else ():
            name = _requirement_name(str(item))
            declared[canonicalize_name(name)] = str(item)
    return declared


def _groups(table: dict[str, object]) -> Iterator[object]:
    optional = table.get("optional-dependencies")
    yield from optional.values() if isinstance(optional, dict) else ()


def _requirement_name(text: str) -> str:
    try:
        return Requirement(text).name
    except InvalidRequirement:
        match = re.match(r"[\w.-]+", text)
        return match[0] if match else text


def _third_party(subject: ParsedBundle) -> dict[str, str]:
    """Top-level import names that may need a distribution -> first place."""
    found: dict[str, str] = {}
    for module, node in subject.walk():
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in names:
            found.setdefault(name.partition(".")[0], f"{module.path}:{getattr(node, 'lineno', 0)}")
    return {name: place for name, place in found.items() if name != "src"}


def _access(subject: ParsedBundle, path: list[str]) -> str:
    """Where code reads an attribute chain that ends with `path`; empty when nowhere."""
    suffix = "." + ".".join(path)
    for module, node in each(subject, ast.Attribute):
        if node.attr == path[-1] and ast.unparse(node).endswith(suffix):
            return f"{module.path}:{node.lineno}"
    return ""


def _has(data: object, path: list[str]) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _config_mentions(module: Module) -> Iterator[int]:
    """Lines whose code names config.yaml or composes it with Hydra."""
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "config.y" in node.value and not is_docstring(module, node):
                yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "config_name":
            yield node.value.lineno
