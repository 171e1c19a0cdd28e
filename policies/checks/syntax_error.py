"""Every file parses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, split_lines
from policies.parsed import ParsedBundle, parse_module, parse_toml, parse_yaml
from policies.records import Bundle, Finding
from policies.unmangle import candidates
from policies.wording import clip, visible


class SyntaxErrors(Check):
    """A file that does not parse stops everything that reads it.

    The codemods undo damage from transport: a Markdown fence around the file, a byte order mark, control
    characters, typographic quotes and blanks, `\\u003e` or `&gt;` where `>` was meant, tabs or Python's
    triple quotes in YAML, a YAML key that is repeated with nothing new. Each is taken only when the file
    parses afterwards.
    """

    ID = "syntax-error"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 13
    GOOD = (
        Good('ARROW = "-\\u003e &gt;"\n\n\ndef f(x: int) -> int:\n    return x\n'),
        Good("# “quoted”\nx = '“'\n"),
        Good("a: 1\nb: {a: 1}\n", path="config/config.yaml"),
        Good("[a]\nb = 1\n", path="pyproject.toml"),
    )
    BAD = (
        Bad("x = 1\ny = (\nz = 3\n", lines=(2,)),
        Bad("```python\nx = 1\n```\n", lines=(1,), fixed="x = 1\n"),
        Bad("\ufeffx = 1\n", lines=(1,), fixed="x = 1\n"),
        Bad(
            "def f(x) -\\u003e int:\n    return x  # a\n",
            lines=(1,),
            fixed="def f(x) -> int:\n    return x  # a\n",
        ),
        Bad("x = 1 if 2 &lt; 3 else 4\n", lines=(1,), fixed="x = 1 if 2 < 3 else 4\n"),
        Bad("x = “a”\n", lines=(1,), fixed='x = "a"\n'),
        Bad("a:\n\tb: 1  # tab\n", path="config/config.yaml", lines=(2,), fixed="a:\n  b: 1  # tab\n"),
        Bad("a: 1\nb: 2\na: 1  # again\n", path="config/config.yaml", lines=(3,), fixed="a: 1\nb: 2\n"),
        Bad("# a \x08 b\na: 1\n", path="config/config.yaml", lines=(1,), fixed="# a  b\na: 1\n"),
        Bad(
            'a: """two \'words\' """  # text\nb: 1\n',
            path="config/config.yaml",
            lines=(1,),
            fixed="a: \"two 'words' \"  # text\nb: 1\n",
        ),
        Bad(
            "a:\n  b:\n    c: 1\n  d: 2\n  b:\n    c: 1\n    e: 3\nf: 4\n",
            path="config/config.yaml",
            lines=(5,),
            fixed="a:\n  d: 2\n  b:\n    c: 1\n    e: 3\nf: 4\n",
        ),
        Bad("a: 1\nb: 2\na: 3\n", path="config/config.yaml", lines=(3,)),
        Bad("[a]\nb = 1\nb = 2\n", path="pyproject.toml", lines=(3,)),
        Bad("a: &a [*a]\n", path="config/config.yaml", lines=(1,)),
        Bad("```toml\n[a]\nb = 1\n```\n", path="pyproject.toml", lines=(1,), fixed="[a]\nb = 1\n"),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first error of every file, run configs included."""
        texts = {**subject.bundle.run_configs, **subject.bundle.files}
        for path, text in sorted(texts.items()):
            error = _error(path, text)
            if error:
                line, message = error
                source = split_lines(text)[line - 1].strip() if line <= len(split_lines(text)) else ""
                evidence_text = (
                    f"line {line} reads `{visible(clip(source, 120))}`" if source else f"at line {line}"
                )
                yield self.finding(path, line, f"`{path}` does not parse: {message}", evidence_text)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The text before it was damaged, if one repair makes it parse."""
        text = subject.bundle.files.get(finding.file)
        if text is None:  # a run config, which is given as it is
            return None
        for better in candidates(finding.file, text, finding.line):
            if _error(finding.file, better) is None:
                return rewrite(subject.bundle, finding.file, better)
        return None


def _error(path: str, text: str) -> tuple[int, str] | None:
    """Line and message of what stops the parser."""
    if path.endswith(".py"):
        module = parse_module(path, text)
        return (module.error_line, module.error) if module.tree is None else None
    if path.endswith(".toml"):
        document = parse_toml(path, text)
        # Only Python 3.14 puts the line into an attribute of the error.
        stated = re.search(r"\(at line (\d+)", document.error)
        line = (
            int(stated[1]) if stated else len(split_lines(text)) if "end of document" in document.error else 1
        )
        return (line, document.error) if document.data is None else None
    if path.endswith((".yaml", ".yml")):
        document = parse_yaml(path, text)
        return (document.error_line, document.error) if document.data is None else None
    return None
