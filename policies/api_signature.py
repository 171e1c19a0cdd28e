"""What a callable accepts, as a value with a short text form: `size colour= / mode * depth= *more **any`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Signature:
    """Parameters without `self`; a name is in `required` when it has no default."""

    positional: tuple[str, ...] = ()
    """Parameters that a position can fill, in order."""
    positional_only: int = 0
    """How many of them a keyword cannot fill."""
    keyword_only: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    more_positional: bool = False
    """`*args`."""
    more_keywords: bool = False
    """`**kwargs`."""
    bound: bool = False
    """A method that takes the instance first: called on the class, its positions are one off."""

    @cached_property
    def keywords(self) -> frozenset[str]:
        """Every name that a keyword can fill."""
        return frozenset(self.positional[self.positional_only :]) | self.keyword_only

    @property
    def text(self) -> str:
        """The short form; `signature_of` reads it."""
        words = ["@"] if self.bound else []
        for index, name in enumerate(self.positional):
            words += ["/"] if index and index == self.positional_only else []
            words.append(self._word(name))
        words += ["/"] if self.positional_only and self.positional_only == len(self.positional) else []
        words += ["*args"] if self.more_positional else ["*"] if self.keyword_only else []
        words += [self._word(name) for name in sorted(self.keyword_only)]
        return " ".join([*words, *(["**"] if self.more_keywords else [])])

    def _word(self, name: str) -> str:
        return name if name in self.required else f"{name}="

    def shown(self) -> str:
        """For people: the short form without the mark of methods."""
        return self.text.removeprefix("@").strip().replace(" ", ", ") or "no arguments"


@lru_cache(maxsize=4096)
def signature_of(text: str) -> Signature:
    """The inverse of `Signature.text`."""
    words = text.split()
    names: list[str] = []
    only: list[str] = []
    required: set[str] = set()
    seen_star, before_slash = False, 0
    for word in words:
        if word in ("@", "**"):
            continue
        if word == "/":
            before_slash = len(names)
        elif word in ("*", "*args"):
            seen_star = True
        else:
            (only if seen_star else names).append(word.removesuffix("="))
            required.update(() if word.endswith("=") else (word,))
    return Signature(
        tuple(names),
        before_slash,
        frozenset(only),
        frozenset(required),
        more_positional="*args" in words,
        more_keywords="**" in words,
        bound="@" in words,
    )


def widest(signatures: Iterable[Signature]) -> Signature:
    """One signature that accepts whatever any of several accepts: overloads, or versions of a package."""
    first, *others = signatures
    for other in others:
        first = _either(first, other)
    return first


def _either(one: Signature, other: Signature) -> Signature:
    long, short = sorted((one, other), key=lambda s: len(s.positional), reverse=True)
    aligned = long.positional[: len(short.positional)] == short.positional
    keywords = one.keywords | other.keywords
    return Signature(
        long.positional,
        min(one.positional_only, other.positional_only) if aligned else 0,
        keywords - frozenset(long.positional),
        one.required & other.required,
        more_positional=one.more_positional or other.more_positional,
        more_keywords=one.more_keywords or other.more_keywords,
        bound=one.bound and other.bound,
    )
