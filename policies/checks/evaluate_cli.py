"""The evaluation script's command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.edit import replace_lines, rewrite
from policies.evaluate_args import (
    Argument,
    CommandLine,
    decoded_keys,
    evaluate_path,
    helper_source,
    read_command_line,
    wanted_keys,
)
from policies.imports import add_import
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding

_ARGPARSE = """import argparse
import json
import sys


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("{0}results_dir", type=str)
    parser.add_argument("{0}run_ids", type=str)
    return parser.parse_args({1})


if __name__ == "__main__":
    args = parse()
    print(args.results_dir, json.loads(args.run_ids))
"""
_HELPER = '''def _key_value_argv(argv):
    """Let the parser take `key=value` arguments, in any order, beside its own form."""
    prefixes = {{"results_dir": "{0}", "run_ids": "{1}"}}
    pairs = dict(token.split("=", 1) for token in argv if "=" in token and token.split("=", 1)[0] in prefixes)
    others = [token for token in argv if token.split("=", 1)[0] not in pairs]
    return [prefix + pairs[key] for key, prefix in prefixes.items() if key in pairs] + others


def parse():'''

_HYDRA = """import json

import hydra


@hydra.main(config_path="../config", config_name="config", version_base=None)
def main(cfg):
    for run_id in {0}:
        print(run_id)
"""
_ACTION = """import argparse


class KeyValue(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            setattr(namespace, *value)


def pair(text):
    return tuple(text.split("=", 1))


parser = argparse.ArgumentParser()
parser.add_argument("pairs", nargs="+", type=pair, action=KeyValue)
args = parser.parse_args()
print(args.results_dir, args.run_ids)
"""


def _repaired(flag: str, *prefixes: str) -> str:
    text = _ARGPARSE.format(flag, "_key_value_argv(sys.argv[1:])")
    return text.replace("def parse():", _HELPER.format(*prefixes))


class EvaluateCli(Check):
    """The evaluation script is called with `key=value` arguments, which argparse does not understand.

    The contract's command is `python -m src.evaluate results_dir=DIR run_ids='["a", "b"]'`. A parser with two
    positionals takes `results_dir=DIR` for the directory's name and then fails to read `run_ids=[...]` as
    JSON; one with options stops with "unrecognized arguments". Hydra takes the form, but only for keys that
    its config has, and hands over a list, not JSON text. Measured on generated projects, 95 of 101 evaluation
    scripts failed when called as documented. The codemod keeps the parser and gives it its own form.
    """

    ID = "evaluate-cli"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(
            "import sys\n\nargs = dict(token.split('=', 1) for token in sys.argv[1:])\n"
            "print(args['results_dir'], args['run_ids'])\n"
        ),
        Good(
            "from omegaconf import OmegaConf\n\ncfg = OmegaConf.from_cli()\n"
            "print(cfg.results_dir, cfg.run_ids)\n"
        ),
        Good(
            "import argparse\n\n\ndef value(arg):\n    return arg.partition('=')[2] or arg\n\n\n"
            "parser = argparse.ArgumentParser()\nparser.add_argument('results_dir', type=value)\n"
            "parser.add_argument('run_ids', type=value)\nargs = parser.parse_args()\n"
        ),
        Good(_ACTION),
        Good("", files={"src/train.py": "import argparse\n\nargparse.ArgumentParser().parse_args()\n"}),
        Good(_repaired("", "", "")),
        Good(_HYDRA.format("cfg.run_ids"), files={"config/config.yaml": "results_dir: out\nrun_ids: []\n"}),
    )
    BAD = (
        Bad(_ARGPARSE.format("", ""), lines=(10,), fixed=_repaired("", "", "")),
        Bad(
            _ARGPARSE.format("--", "sys.argv[1:]"),
            lines=(10,),
            fixed=_repaired("--", "--results_dir=", "--run_ids="),
        ),
        Bad(
            "import json\nimport sys\n\nresults_dir = sys.argv[1]\nrun_ids = json.loads(sys.argv[2])\n",
            lines=(4,),
        ),
        Bad(
            "import fire\n\n\ndef main(results_dir, run_ids):\n    print(run_ids)\n\n\nfire.Fire(main)\n",
            lines=(8,),
        ),
        Bad("print('evaluation done')\n", lines=(0,)),
        Bad(
            "import argparse\n\nparser = argparse.ArgumentParser()\nparser.add_argument('--out')\n"
            "args = parser.parse_args()\n",
            lines=(5,),
        ),
        Bad(
            _HYDRA.format("json.loads(cfg.run_ids)"),
            files={"config/config.yaml": "results_dir: out\nrun_ids: []\n"},
            lines=(8,),
            fixed=_HYDRA.format(
                "(json.loads(cfg.run_ids) if isinstance(cfg.run_ids, str) else list(cfg.run_ids))"
            ),
        ),
        Bad(_HYDRA.format("cfg.run_ids"), files={"config/config.yaml": "results_dir: out\n"}, lines=(6,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """At most one finding: where the arguments are read."""
        keys = wanted_keys(subject.contract)
        module = subject.modules.get(evaluate_path(subject.contract))
        if module is None or module.tree is None or module.empty or not keys:
            return
        line = read_command_line(module, keys)
        if line is not None and line.reader == "hydra":
            yield from self._under_hydra(module, subject, line, keys)
        elif line is not None:
            number = getattr(line.node, "lineno", 0)
            command = " ".join(f"{key}=..." for key in keys)
            message = f"called with {command}, it fails: {_reason(line, keys)}"
            yield self.finding(module.path, number, message, _evidence(module, line, number))

    def _under_hydra(
        self, module: Module, subject: ParsedBundle, line: CommandLine, keys: Sequence[str]
    ) -> Iterator[Finding]:
        """Hydra refuses keys that no config has, and parses a list before the script sees it."""
        documents = (*subject.documents.values(), *subject.run_documents.values())
        known = {str(key) for document in documents for key in document.data or ()}
        absent = [key for key in keys if key not in known]
        if absent and documents:
            yield self.finding(
                module.path,
                getattr(line.node, "lineno", 0),
                f"Hydra refuses {' and '.join(absent)} on the command line: no config file has the key",
                "top-level keys of the config files: " + ", ".join(sorted(known)),
            )
        for call in decoded_keys(module, keys):
            yield self.finding(
                module.path,
                call.lineno,
                "Hydra has already turned the list into a ListConfig, which json.loads refuses",
                module.line(call.lineno),
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Give an argparse parser the arguments in its own form."""
        keys = wanted_keys(subject.contract)
        module = subject.modules.get(finding.file)
        line = read_command_line(module, keys) if module is not None else None
        if module is not None and line is not None and line.reader == "hydra":
            return rewrite(subject.bundle, module.path, _decoded(module, finding.line, keys))
        if module is None or line is None or line.reader != "argparse" or not _fits(line.arguments, keys):
            return None
        return rewrite(subject.bundle, module.path, _normalised(module, line, keys))


def _reason(line: CommandLine, keys: Sequence[str]) -> str:
    """What goes wrong, in one clause."""
    if line.reader == "none":
        return "it reads no command line at all"
    if line.reader == "argv":
        return "it takes arguments by position and keeps the `key=` in their values"
    if line.reader == "function":
        return "the function gets the whole `key=value` text as its positional arguments"
    known = {argument.name: argument for argument in line.arguments}
    absent = [key for key in keys if key not in known]
    if absent:
        return f"the parser knows no argument {' or '.join(absent)}"
    if any(known[key].prefix for key in keys):
        return "the parser wants options (--" + ", --".join(keys) + ") and refuses key=value"
    return (
        "the positional values keep their `key=`, so the ids are no JSON and the directory gets a wrong name"
    )


def _evidence(module: Module, line: CommandLine, number: int) -> str:
    calls = [ast.unparse(argument.node) for argument in line.arguments]
    return (
        "; ".join([*calls, module.line(number)])
        if number
        else "no sys.argv, argparse, Hydra or OmegaConf.from_cli"
    )


def _decoded(module: Module, number: int, keys: Sequence[str]) -> str | None:
    """Decode the value only when it is still text."""
    call = next((call for call in decoded_keys(module, keys) if call.lineno == number), None)
    if call is None:
        return None
    value = ast.get_source_segment(module.text, call.args[0])
    loads = ast.get_source_segment(module.text, call)
    return splice(module.text, call, f"({loads} if isinstance({value}, str) else list({value}))")


def _fits(arguments: Sequence[Argument], keys: Sequence[str]) -> bool:
    """Whether each key is one single-valued argument and no other positional is in the way."""
    named = [argument for argument in arguments if argument.name in keys]
    positionals = [a for a in arguments if not any(flag.startswith("-") for flag in a.flags)]
    single = all(not a.nargs or a.nargs == "'?'" for a in named)
    required = [a for a in positionals if a.name not in keys]
    short_only = any(not a.prefix and a.flags[0].startswith("-") for a in named)
    return sorted(a.name for a in named) == sorted(keys) and single and not required and not short_only


def _normalised(module: Module, line: CommandLine, keys: Sequence[str]) -> str | None:
    """Insert the helper before the statement that parses, and call it."""
    assert isinstance(line.node, ast.Call) and isinstance(line.node.func, ast.Attribute)
    receiver = ast.get_source_segment(module.text, line.node.func)
    text = splice(module.text, line.node, f"{receiver}(_key_value_argv(sys.argv[1:]))")
    top: ast.AST = line.node
    while not isinstance(module.parents[top], ast.Module):
        top = module.parents[top]
    assert isinstance(top, ast.stmt)
    first = min([top.lineno, *(d.lineno for d in getattr(top, "decorator_list", []))])
    return add_import(
        replace_lines(text, first, first - 1, helper_source(line.arguments, keys) + "\n\n"), "import sys"
    )
