"""No comment says that something is left out."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity

ADMISSIONS = re.compile(
    r"""
    \b(?:TODO|FIXME|XXX)\b
    | (?i:
        (?:omitted|skipped|shortened)\ for\ brevity | \bfor\ brevity\b
        | \bsimplified\ (?:version|implementation)\b
        | \bplaceholder\ (?:implementation|function|code|class|logic|model|data)
        | \bplaceholder\ (?:value|variance|loss|metric|result)
        | \bdummy\ (?:implementation|data|dataset|model|loss|stats|arrays?|values?|results?|metrics?)\b
        | \bfor\ demonstration\b | \bin\ practice,?\ (?:one|you|we)\ (?:should|would)\b
        | \brest\ of\ (?:the\ )?(?:code|implementation|function|class|file)\b
        | \b(?:existing|previous|same)\ code\ (?:here|as\ (?:above|before))
        | \byour\ code\ here\b | \bimplement\ (?:me|this|later)\b | \bto\ be\ implemented\b
        | \bnot\ (?:yet\ implemented|implemented\ yet)\b
        | \bin\ a\ real\ (?:implementation|experiment|setting)\b
    )
    """,
    re.VERBOSE,
)
DENIALS = re.compile(r"(?i)\b(?:no|not|without|never|neither|instead of|avoid\w*|replac\w+|remov\w+)\b[^.]*$")


class PlaceholderComment(ModuleCheck):
    """A comment such as `TODO` or `simplified version` is its author's word that the code is not complete.

    It is reported without blocking: whether the code beside it lacks something is for a reader to say.
    Docstrings and comments that deny placeholders are not findings.
    """

    ID = "placeholder-comment"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    STAGE = 61
    GOOD = (
        Good("# no placeholder code here\nx = 1  # never a simplified version of it\n"),
        Good("'''TODO list: none. Simplified version.'''\nx = '# TODO'\n"),
        Good("tokens = []  # the placeholder token of the template\n# for the rest of the epoch\n"),
        Good("x = (\n"),
    )
    BAD = (
        Bad("x = 1  # TODO: tune\n# omitted for brevity\n", lines=(1, 2)),
        Bad("# In a real implementation this would be learned.\n# dummy data\n", lines=(1, 2)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every comment that admits a gap, in line order."""
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type != tokenize.COMMENT:
                continue
            match = ADMISSIONS.search(token.string)
            if match and not DENIALS.search(token.string[: match.start()]):
                message = f"a comment says `{match[0]}`"
                yield self.finding(module.path, token.start[0], message, token.string[:160])
