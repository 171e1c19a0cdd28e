"""Words with which an author says that code is left out, simplified or made up. Text in, phrase out."""

from __future__ import annotations

import re

_NOUN = r"(?:code|implementation|function|method|class|file|module|script|logic|pipeline)"
_MADE_UP = r"(?:implementation|data|dataset|model|loss|stats|arrays?|values?|results?|metrics?)"
_FIGURES = r"(?:confusion|metrics?|results?|scores?|predictions?|numbers|values|history|curves?)"
_LESS = r"(?:ignor|skip|omit|approximat|assum|fix|constant|random|only|instead|not\ )"
_SIMPLER = r"(?:version|implementation|variant|controller|model|baseline|method|loss)"
_PHRASES = rf"""
    \bfor\ brevity\b | \b(?:omitted|elided|left\ out|shortened)\ (?:here|for\ (?:space|clarity|simplicity))\b
    | \b(?:code|implementation|logic|details?)\ (?:is\ |are\ )?(?:omitted|elided|left\ out|shortened)\b
    | \bsimplified\ (?:version|implementation|variant)\b | \(simplified(?!\ chinese)(?:\ [\w-]+)?\)
    | \A[\W\d]*simplified\ (?:[\w-]+\ )*?{_SIMPLER}\b
    | \bwe\ simplify\ the\ (?:design|method|model|algorithm|approach|loss|implementation)\b
    | {_LESS}[^.]*\bfor\ simplicity\b | \bfor\ simplicity\b,?[^.]*{_LESS}
    | \b(?:simple|simplistic|crude|naive)\ (?:[\w-]+\ )?approximation\b | \bvery\ naive\b
    | \bplaceholder\ (?:implementation|function|code|class|logic|model|data)\b
    | \bplaceholder\ (?:value|variance|loss|metric|result)
    | \bdummy\ {_MADE_UP}\b(?!\ (?:for\ (?!demo|illus)|to\b|so\b|because\b|that\b))
    | \b(?:mock|stub|fake)\ (?:implementation|dataset|metrics?|results?)\b
    | \bfabricat(?:e|es|ed|ing)\ (?:a\ |an\ |the\ |some\ )?(?:\w+\ )?{_FIGURES}\b
    | \bsynthetic\ (?:confusion|metrics?|results?|scores?)\b
    | \btoy\ (?:[\w-]+\ )?(?:implementation|version|imitation|stand-?in)\b
    | \bskeleton\ (?:code|implementation)\b
    | \b(?:demonstration|illustration)\ (?:only|purposes)\b | \bfor\ demonstration\s*(?=[.,;:)]|\Z)
    | \bin\ pr(?:actice|oduction),?\ (?:one|you|we|this|it)\ (?:should|would)\b
    | \bin\ a\ real\ (?:implementation|experiment)\b
    | \bin\ a\ (?:real|full|complete|proper)\ \w+,?\ (?:one|you|we|this|it|these)\ (?:would|should)\b
    | \b(?:a|the)\ (?:real|full|complete|proper)\ (?:implementation|version)\ (?:would|should)\b
    | \b(?:real|actual|original|full)\ [\w-]+\ (?:uses?|would|requires?)\b[^.]*
        \bhere,?\ we\ (?:skip|omit|simpl|only|just)
    | \brest\ of\ (?:the\ |this\ )?{_NOUN}\ (?:(?:is|are|remains?|stays?)\ )?
        (?:the\ same|unchanged|omitted|identical|as\ before|goes\ here|here)\b
    | \b(?:existing|previous|same)\ code\ (?:here|as\ (?:above|before))
    | \A\#?\s*(?:\.\.\.|…)[^.]*\b(?:unchanged|same|rest|remaining|existing|previous|as\ before)\b
    | \byour\ code\ here\b | \b{_NOUN}\ goes\ here\b | \bleft\ as\ an\ exercise\b
    | \A\W*implement\ (?:me|this|later)\b | \bto\ be\ (?:implemented(?!\ (?:by|in)\b)|filled\ in)\b
    | \bwe\ (?:do\ not|don't|did\ not|didn't)\ implement\b
    | \bnot\ (?:yet|currently|fully)\ implemented\b | \bnot\ implemented\ (?:here|yet|for\ now)\b
    | \b(?:should|must)\ be\ replaced\ (?:with|by)\ (?:a|the|your)\ (?:real|actual|proper|full)\b
    | \breplace\ (?:this\ )?with\ (?:a\ |the\ |your\ )?(?:real|actual|proper|own)\b
    | \b(?:ignore|skip|hard-?code)[^.]*\bfor\ now\b
    | \bfor\ now,?\ (?:we\ )?(?:just\ )?(?:ignore|skip|hard-?code)
"""
_PHRASE = re.compile(_PHRASES, re.VERBOSE | re.IGNORECASE)
_IN_COMMENTS = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
_IN_TEXT = re.compile(r"\bTODO: ")
_DENIALS = re.compile(
    r"(?i)\b(?:no|not|without|never|neither|nothing|instead of|rather than|avoid\w*|replac\w+|remov\w+"
    r"|fix\w*)\b[^.]*$"
)
_HINTS = (
    *("todo", "fixme", "xxx", "brevity", "omitted", "elided", "left out", "left as", "shortened", "simpl"),
    *("naive", "placeholder", "dummy", "mock", "stub", "fake", "fabric", "synthetic", "toy ", "skeleton"),
    *("demonstration", "illustration", "in practice", "in production", "in a ", " would", " should"),
    *("rest of", "remainder", "...", "…", "code here", "code as", "here, we", "here we", "goes here"),
    *("your code", "implement", "filled in", "replace", "for now", "approximation"),
)
"""At least one of these is in every text that admits a gap, in lower case."""


def hints(text: str) -> tuple[str, ...]:
    """The hints of an admission that a text has; none: nothing in it is one."""
    lowered = text.lower()
    return tuple(hint for hint in _HINTS if hint in lowered)


def admission(text: str, *, comment: bool) -> str:
    """The phrase by which `text` admits a gap; empty when it admits none or denies it."""
    marks = (_IN_COMMENTS if comment else _IN_TEXT).search(text)
    found = [match for match in (marks, _PHRASE.search(text)) if match is not None]
    match = min(found, key=re.Match.start, default=None)
    if match is None or _DENIALS.search(text[: match.start()]):
        return ""
    return " ".join(match[0].lstrip("#").split())
