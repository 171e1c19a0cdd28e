"""Matches claims with what the checks found and what the rehearsals ran into."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.kinds import each
from policies.records import Finding, Severity

_TOPICS: tuple[tuple[str, str], ...] = (
    (r"\bimports?\b|modulenotfound|no module named|importerror", r"import|module"),
    (r"nameerror|undefined|not defined|never (?:imported|defined)", r"undefined|name"),
    (r"pyproject|dependenc|requirements?\b.*\b(?:install|list)", r"pep621|depend|requirement"),
    (r"\bevaluate\w*\b.*(?:\bcli\b|argparse|positional|key=value|command)", r"evaluate"),
    (r"placeholder|\bstubs?\b|\btodo\b|brevity|\bomitted\b|\bpass\b", r"placeholder|stub"),
    (r"\bempty\b", r"empty"),
    (r"\bcache", r"cache"),
    (r"working directory|run directory|\bchdir\b|\bcwd\b|relative path", r"chdir|cwd|director|path"),
    (r"\brun_id\b|\brun\.run_id\b", r"run[-_]"),
    (r"\bstruct\b|configkeyerror|configattributeerror", r"struct"),
    (r"\bconfig\w*\b.*\bkey|\bkey\b.*\bconfig|\bcfg\.", r"config-key|struct|child-override"),
    (r"\bwandb\b|\bw&b\b", r"wandb"),
    (r"\boptuna\b", r"optuna"),
    (r"attributeerror|does not exist|no attribute|removed in|deprecated", r"api|attribute|exist|removed"),
    (r"\bhooks?\b|\bgat(?:e|es|ing)\b|\bregister", r"module-added|grad"),
    (r"target_modules|\badapters?\b", r"peft|lora"),
    (r"\bhistory\b|\bsummary\b", r"history|summary"),
    (r"\b(?:never|not) (?:logs?|logged|written|saved)\b|\bmismatch", r"metric-key"),
    (r"\bignored\b|\bnever (?:used|read)\b|\bunused\b|\bnot (?:used|read)\b", r"unread|unused|ignored"),
    (r"\bsearch[- ]?space\b|\bsampled?\b|\bhyper-?param", r"optuna|search"),
)
"""What a claim speaks of, and the check ids that judge it."""
_SURE: tuple[tuple[str, str], ...] = (
    (r"\b(?:run|working) directory\b|\bchdir\b|\bcwd\b", r"hydra-version-base|hydra-chdir"),
    (r"\bAutoModelForSeq2SeqLM\b", r"seq2seq-decoder"),
    (r"\btrial\b.*\b(?:budget|training batch(?:es)?|warm-?up|unbounded|training loop)", r"trial-unbounded"),
    (r"\bprimary[ _-]metric\b.*\b(?:exact|heuristic|instead|string|differ)", r"primary-metric"),
    (r"\blabels?\b.*\b(?:drop|remov|lost)|\b(?:drop|remov)\w+\b.*\blabels?\b", r"label-dropped"),
    (r"\bpad[_ -]token\b.*\b(?:missing|none|not set|undefined)", r"pad-token"),
)
"""What a claim says, and the checks whose finding in the same file says the same."""
_COMMON = frozenset(
    {"train", "model", "config", "wandb", "optuna", "hydra", "torch", "evaluate", "main", "preprocess"}
    | {"cfg", "none", "true", "false", "omegaconf", "transformers", "datasets", "dataset", "data", "mode"}
    | {"trial", "self", "run_id", "run_ids", "results_dir", "python", "attributeerror"}
)
FOUND = "finding"
_MISSES = frozenset({"missing-config-key", "run-id-has-no-keys"})
"""Checks that find reads of keys that the config lacks."""
_EXCEPTION = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Interrupt|Exit))\b")


def finding(case: Case) -> Iterator[Outcome]:
    """Confirmed by a finding on the same subject in the same file about the same name."""
    topics = [checks for words, checks in _TOPICS if case.says(words)]
    sure = [checks for words, checks in _SURE if case.says(words)]
    plain = case.says("|".join(words for words, _ in _TOPICS[:3]))
    names = _telling(case)
    for found in case.findings:
        if found.severity is not Severity.BLOCKING or (case.files and found.file not in case.files):
            continue
        if any(re.match(checks, found.check) for checks in sure):
            yield _told(found, "")
            return
        if any(re.search(t, found.check) for t in topics):
            shared = names & _names(f"{found.message} {_evidence(case, found)}")
            if shared := shared if plain else set(filter(_coined, shared)) - _places(case):
                yield _told(found, min(shared))
                return


def _evidence(case: Case, found: Finding) -> str:
    """What a finding shows; where it quotes a line, the statement on it, however it is laid out."""
    module = case.subject.modules.get(found.file)
    line = module.line(found.line) if module else ""
    if module is None or not line or line not in found.evidence:
        return found.evidence
    around = [n for n in module.nodes if isinstance(n, ast.stmt) and n.lineno <= found.line <= _end(n)]
    if not around:
        return found.evidence
    node = max(around, key=lambda n: n.lineno)
    lines = module.text.splitlines()[node.lineno - 1 : _end(node)]
    return found.evidence.replace(line, " ".join(part.strip() for part in lines))


def _end(node: ast.stmt) -> int:
    """The last line of a statement, without its body."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno


def _told(found: Finding, shared: str) -> Outcome:
    return Outcome("confirmed", _shown(found, shared), found.criterion, fact=f"{FOUND} {found.check}")


def attribute_raises(case: Case) -> Iterator[Outcome]:
    """`so it raises an AttributeError`: a finding about the same read shows that the key is not there."""
    if not case.follows or not case.says(r"\bAttributeError\b|\bcrash(?:es)?\b"):
        return
    for mate in reversed(case.mates):
        for outcome in mate.outcomes:
            check = outcome.fact.removeprefix(f"{FOUND} ")
            if outcome.status == "confirmed" and check in _MISSES:
                yield Outcome("confirmed", f"{outcome.evidence}; that read raises an AttributeError")
                return


def no_effect(case: Case) -> Iterator[Outcome]:
    """`so the search has no effect`: a finding shows that what is sampled is read nowhere."""
    useless = (
        r"\bno effect\b|\bnever (?:influence|reach|affect)|\bprevents?\b[^.;]*\b(?:injected|applied|used)\b"
    )
    if case.follows and case.says(useless):
        for mate in reversed(case.mates):
            for outcome in mate.outcomes:
                if outcome.status == "confirmed" and outcome.fact == f"{FOUND} optuna-key-unresolved":
                    yield Outcome("confirmed", outcome.evidence, outcome.criterion)
                    return


def rehearsal(case: Case) -> Iterator[Outcome]:
    """Confirmed by a failure of the very exception that the claim foretells, about the same name."""
    foretold = set(_EXCEPTION.findall(case.text))
    names = _telling(case)
    for record in case.evidence.rehearsals:
        failure = record.failure
        if failure is None or failure.exception.rpartition(".")[2] not in foretold:
            continue
        if names & _names(failure.message) and (not case.files or failure.file in ("", *case.files)):
            place = f" at {failure.file}:{failure.line}" if failure.file else ""
            run = f" of {record.run_id}" if record.run_id else ""
            yield Outcome("confirmed", f"{record.phase}{run}: {failure.exception}: {failure.message}{place}")
            return


def everything_else(case: Case) -> Iterator[Outcome]:
    """`everything else complies`: refuted by findings in other files than the claim names."""
    praise = r"\b(?:everything|all)\b(?: \w+){0,3}? "
    praise += r"(?:else|others?|remaining|core|checks?|criteria|items?|requirements?)\b"
    holds = r"\b(?:compl(?:y|ies)|satisfied|correct|pass(?:es)?|met|fine|fulfilled|complete)\b"
    if not case.says(praise) or not case.says(holds):
        return
    others = [f for f in case.findings if f.severity is Severity.BLOCKING and f.file not in case.files]
    if others:
        kinds = len({f.check for f in others})
        yield Outcome(
            "refuted",
            f"{len(others)} other blocking findings of {kinds} kinds, first {_shown(others[0], '')}",
        )


def _telling(case: Case) -> set[str]:
    """Names in the claim that are not on every line of such code."""
    words = {part for name in case.identifiers for part in (name, name.rpartition(".")[2])}
    words |= {w for w in re.findall(r"\b[A-Za-z_]\w{3,}\b", case.text) if w.lower() != w or "_" in w}
    words |= {w for w in re.findall(r"(?<=\()[\w, ]+(?=\))", case.text) for w in re.split(r"[,\s]+", w)}
    return {w for w in words if len(w) > 3 and w.lower() not in _COMMON and not _EXCEPTION.fullmatch(w)}


def _places(case: Case) -> set[str]:
    """Names of the bundle's functions: two texts that share one speak of one place, not yet of one thing."""
    return {n.name for _, n in each(case.subject, ast.FunctionDef, ast.AsyncFunctionDef)}


def _coined(name: str) -> bool:
    """Whether a name is no plain word, so that two texts that share it mean the same thing."""
    return not name.islower() or "_" in name or "." in name


def _names(text: str) -> set[str]:
    return {
        part for word in re.findall(r"[\w.]+", text) for part in (word.strip("."), word.rpartition(".")[2])
    }


def _shown(found: Finding, shared: str) -> str:
    place = f"{found.file}:{found.line}" if found.line else found.file
    about = f" (`{shared}`)" if shared else ""
    return f"finding {found.check}{about} at {place}: {found.message}"
