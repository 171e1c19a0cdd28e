"""Reads the contract out of a criteria text; the standard fills in what the text does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policies.contract import STANDARD, Contract, Criterion
from policies.contract_commands import read_commands
from policies.records import Request

_PATH = r"(?:[\w-][\w.-]*/)*[\w-]+\.(?:py|toml|ya?ml|json|cfg|ini|txt|md)"
_ONLY_PATH = re.compile(rf"`?({_PATH})`?(?:\s*[-–—:(].*)?")
_TICKED_PATH = re.compile(rf"`({_PATH})`")
_FORBIDS = re.compile(r"\b(?:no|not|never|without|forbidden|other than|additional|extra)\b", re.IGNORECASE)
_RUN_DIR = re.compile(r"((?:[\w-][\w.-]*/)+)(?:\*|[{<\[]\s*run[ _-]?id\s*[}>\]])\.ya?ml", re.IGNORECASE)
_OUTPUT = re.compile(r"[{<$]+results_dir[}>]*/([^\s`'\",;]*?\.(?:json|csv|md|txt))\b")
_CACHE = re.compile(r"`([^`\s]*cache[^`\s]*)`|(?<![\w/])(\.?[\w./-]*cache/)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:#{1,6}\s*)?\**(?:criterion\s+|requirement\s+)?(\d{1,2})\s*[.):]\s*\**\s*(\S.*)", re.I
)
_BULLET = re.compile(r"(?:[-*•‣◦+]|\d{1,2}[.)]|[a-z][.)])\s+(.*)")
_FENCE = re.compile(r"(`{3,}|~{3,})")
_TOPICS: tuple[tuple[int, str], ...] = (
    (8, r"evaluat"),
    (2, r"hydra|command.?line|\bcli\b"),
    (6, r"wandb|w&b|weights|logging|tracking"),
    (9, r"\bmodes?\b|\btrial"),
    (5, r"\bfiles? (?:structure|layout|set)|\bstructure\b|layout"),
    (3, r"\bdata"),
    (7, r"config"),
    (4, r"\bmodel"),
    (1, r"complet|implementation"),
)
"""Standard criterion number and what its title is about, the most telling first."""


def read_contract(criteria: str) -> Contract:
    """The contract that a criteria text states; `STANDARD` when there is no text."""
    if not criteria.strip():
        return STANDARD
    text = criteria.replace("\r\n", "\n")
    items = tuple(_criteria(text))
    commands = read_commands(text)
    return Contract(
        name="given",
        files=_files(text, items),
        run_config_dir=_run_config_dir(text),
        train=commands.train,
        trial=commands.trial,
        evaluate=commands.evaluate,
        mode=commands.mode,
        outputs=_outputs(text),
        cache_dir=_cache_dir(text),
        criteria=items or STANDARD.criteria,
    )


def contract_of(request: Request) -> Contract:
    """The request's contract; an assumed one follows the folder in which the run configs were found."""
    contract = read_contract(request.criteria)
    folders = {path.rpartition("/")[0] for path in request.bundle.run_configs}
    if not contract.assumed or len(folders) != 1:
        return contract
    return contract.model_copy(update={"run_config_dir": folders.pop()})


def standard_number(title: str) -> int | None:
    """The number of the standard criterion that a title is about."""
    return next((n for n, topic in _TOPICS if re.search(topic, title, re.IGNORECASE)), None)


def _criteria(text: str) -> Iterator[Criterion]:
    """The numbered headings, counted up from one, each with everything said under it."""
    number, title, body = 0, "", list[str]()
    margin: int | None = None
    for line in text.split("\n"):
        match = _NUMBERED.match(line.strip())
        indent = len(line) - len(line.lstrip())
        if match and int(match[1]) == number + 1 and (margin is None or indent <= margin):
            if number:
                yield _criterion(number, title, body)
            margin = indent
            number, title, body = number + 1, match[2], []
        elif number:
            body.append(line)
    if number:
        yield _criterion(number, title, body)


def _criterion(number: int, heading: str, body: list[str]) -> Criterion:
    """A criterion from its heading, which may run on into a sentence, and its lines."""
    title, _, rest = heading.replace("**", "").partition(":")
    sentences = ([rest.strip()] if rest.strip() else []) + list(_bullets(body))
    return Criterion(number=number, title=title.strip(" *#"), sentences=tuple(sentences))


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    """Bullets with their continuation lines; a fenced block belongs to the bullet above it."""
    parts: list[str] = []
    fenced = False
    for line in lines:
        text = line.strip()
        fence = bool(_FENCE.match(text))
        bullet = None if fenced or fence else _BULLET.match(text)
        if (bullet or text.startswith("#")) and not fenced and parts:
            yield "\n".join(parts)
            parts = []
        if text.startswith("#") and not fenced:
            return
        if text:
            parts.append(bullet[1] if bullet else line.rstrip() if fenced else text)
        fenced ^= fence
    if parts:
        yield "\n".join(parts)


def _files(text: str, items: tuple[Criterion, ...]) -> tuple[str, ...]:
    """The listed files: bullets that are just a path, else paths in sentences that forbid nothing."""
    about = [i for i in items if standard_number(i.title) == 5]
    bullets = [s for i in about for s in i.sentences] or list(_bullets(text.split("\n")))
    listed = [m[1] for s in bullets if (m := _ONLY_PATH.fullmatch(s))]
    if len(listed) < 2:
        listed = [p for s in bullets if about and not _FORBIDS.search(s) for p in _TICKED_PATH.findall(s)]
    unique = tuple(dict.fromkeys(listed))
    return unique if any(p.endswith(".py") for p in unique) else STANDARD.files


def _run_config_dir(text: str) -> str:
    match = _RUN_DIR.search(text)
    return match[1].strip("/") if match else STANDARD.run_config_dir


def _outputs(text: str) -> tuple[str, ...]:
    """Files under the results directory whose names are fixed but for the run id."""
    paths = (re.sub(r"[<{]\s*run[ _-]?id\s*[>}]", "{run_id}", p) for p in _OUTPUT.findall(text))
    fixed = (p for p in paths if not re.search(r"[<>{}*\[\]]", p.replace("{run_id}", "")))
    return tuple(dict.fromkeys("{results_dir}/" + p for p in fixed)) or STANDARD.outputs


def _cache_dir(text: str) -> str:
    match = _CACHE.search(text)
    return (match[1] or match[2]).rstrip("/") + "/" if match else STANDARD.cache_dir
