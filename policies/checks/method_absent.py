"""Check `method-absent`: parts of the research method that the code never mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.records import Finding, ResearchContext, Severity
from policies.tables import table
from policies.wording import clip

_SENTENCE = re.compile(r"(?<=[.;:])\s+|\n+")
_OTHERS = re.compile(
    r"(?i)\b(?:no|not|without|unlike|instead of|rather than|avoid\w*|remov\w+|replac\w+|existing|prior"
    r"|previous|baselines?|compar\w+|versus|vs|future|optional\w*|need(?:s|ing)?|requir\w+)\b"
)
_ASIDE = re.compile(r"\([^()]*\)")
"""Another word for the thing before it, or an example."""
MENTIONS = 2
"""A part that the method names only once may be a passing remark."""
_TOLD = ResearchContext(
    method="1. A router sends tokens on. 2. A decision tree is fitted to the gates.",
    design="The decision tree imitates the router. Its size is bounded.",
)
_CODE = "def router(x):\n    return x.topk(2)\n"


class MethodAbsent(Check):
    """A method that is described with a calibration step and coded without one is not the method.

    Looked for are well-known ingredients (distillation, least squares, decision tree ...) that the research
    context names as its own at least twice, and of which no identifier, comment, text or config key of the
    bundle has a trace, in any usual wording. Whether what is there does it rightly is for a reader.
    """

    ID = "method-absent"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code", "config")
    PATH = "src/model.py"
    GOOD = (
        Good(f"{_CODE}tree = DecisionTreeClassifier(max_depth=3)\n", context=_TOLD),
        Good(
            _CODE, context=_TOLD.model_copy(update={"method": "A router. Unlike work with a decision tree."})
        ),
        Good(_CODE, context=_TOLD.model_copy(update={"design": ""})),
        Good(_CODE),
        Good("", context=_TOLD),
    )
    BAD = (Bad(_CODE, context=_TOLD, lines=(0,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding that lists what is missing."""
        told = _described(subject.context)
        if not told or len(subject.parsable) < len(subject.modules) or not _has_code(subject):
            return
        text = _everything(subject)
        absent = {name: quote for name, quote in told.items() if not _patterns()[name][1].search(text)}
        if absent:
            path = "src/model.py" if "src/model.py" in subject.modules else subject.contract.entry_file
            listed = ", ".join(absent)
            quotes = "; ".join(f'"{clip(quote, 160)}"' for quote in dict.fromkeys(absent.values()))
            message = f"the method has parts of which the code has no trace: {listed}"
            yield self.finding(path, 0, message, f"the research context says: {quotes}")


def _has_code(subject: ParsedBundle) -> bool:
    """Whether there is a model or training at all; empty files are another check's."""
    return sum(not module.empty for module in subject.parsable) > len(subject.parsable) // 2


@lru_cache(maxsize=1)
def _patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """Ingredient -> how texts name it, and what code that has it is expected to contain."""
    return {
        name: (re.compile(entry["said"], re.IGNORECASE), re.compile(entry["done"], re.IGNORECASE))
        for name, entry in table("ingredients").items()
    }


def _own_sentences(text: str) -> list[str]:
    """The sentences that are not about other work, asides left out."""
    return [s for s in _SENTENCE.split(_ASIDE.sub(" ", text)) if s and not _OTHERS.search(s)]


def _described(context: ResearchContext) -> dict[str, str]:
    """Ingredient -> a sentence of the method that names it as its own."""
    method, design = _own_sentences(context.method), _own_sentences(context.design)
    found: dict[str, str] = {}
    for name, (said, _) in _patterns().items():
        own = [s for s in method if said.search(s)]
        if own and sum(len(said.findall(s)) for s in (*method, *design)) >= MENTIONS:
            found[name] = " ".join(own[0].split())
    return found


def _everything(subject: ParsedBundle) -> str:
    """All text of the bundle but its run configs, which are given."""
    return "\n".join(text for path, text in subject.bundle.files.items() if not path.endswith(".toml"))
