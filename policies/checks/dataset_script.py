"""Check `dataset-script`: data sets that are a loading script are read from their parquet branch."""

from __future__ import annotations

from collections.abc import Iterator

from policies.add_argument import add_argument
from policies.api import api_of
from policies.base import Api, Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, is_script, said_by
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

BRANCH = "refs/convert/parquet"
IMPORT = "from datasets import load_dataset\n\n"
OLD = {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["datasets<4"]\n'}


class DatasetScript(Check):
    """`datasets` 4 no longer runs loading scripts: "Dataset scripts are no longer supported".

    The hub converted them to parquet on a branch of the same repository, which holds the same rows and
    features; `revision` reads it. Where a configuration is named as well there is no single right answer.

    Source: release notes of datasets 4.0; the hub's documentation of `refs/convert/parquet`.
    """

    ID = "dataset-script"
    CRITERION = 3
    STAGE = 52
    PATH = "src/preprocess.py"
    GOOD = (
        Good(f"{IMPORT}load_dataset('glue', 'sst2')\n"),
        Good(f"{IMPORT}load_dataset('conll2003', revision='{BRANCH}')\n"),
        Good(f"{IMPORT}load_dataset('conll2003')\n", files=OLD),
        Good("def load_dataset(name): ...\n\n\nload_dataset('conll2003')\n"),
        Good(
            f"{IMPORT}load_dataset('conll2003')\n",
            evidence=Evidence(installed={"datasets": Api("3.6.0")}),
        ),
    )
    BAD = (
        Bad(
            f'{IMPORT}raw = load_dataset("eriktks/conll2003", cache_dir=".cache/")  # tags\n',
            lines=(3,),
            fixed=f'{IMPORT}raw = load_dataset("eriktks/conll2003", cache_dir=".cache/", '
            f'revision="{BRANCH}")  # tags\n',
        ),
        Bad(
            f"{IMPORT}def load(cfg):\n    return load_dataset(cfg.dataset.name)\n",
            run_configs={
                "config/runs/a.yaml": "run_id: a\ndataset:\n  name: trec\n",
                "config/runs/b.yaml": "run_id: b\ndataset:\n  name: ag_news\n",
            },
            lines=(4,),
        ),
        Bad(f"{IMPORT}load_dataset('conll2003', 'conll2003')\n", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call that loads a script."""
        api = api_of(evidence, "datasets", subject)
        if api is None or int(api.version.partition(".")[0] or 0) < 4:
            return
        for ask in asks(subject, "dataset"):
            names = sorted({name for name in ask.ids.values() if is_script(name)})
            if names and not _from_elsewhere(ask):
                listed = ", ".join(f"`{name}`" for name in names)
                yield self.finding(
                    ask.module.path,
                    ask.node.lineno,
                    f"{listed} is a loading script, which datasets {api.version} refuses",
                    f"{'; '.join(said_by(ask, subject))} — "
                    f"the same data are on the repository's branch {BRANCH}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Read the parquet branch, where every run loads a script and names no configuration."""
        for ask in asks(subject, "dataset"):
            here = (ask.module.path, ask.node.lineno) == (finding.file, finding.line)
            if here and all(map(is_script, ask.ids.values())) and not _names_config(ask):
                text = add_argument(ask.module, ask.node, "revision", f'"{BRANCH}"')
                return rewrite(subject.bundle, ask.module.path, text)
        return None


def _from_elsewhere(ask: Ask) -> bool:
    """Whether the call says which revision or files it wants, or takes arguments that cannot be seen."""
    return any(k.arg in (None, "revision", "data_files", "data_dir") for k in ask.node.keywords)


def _names_config(ask: Ask) -> bool:
    return len(ask.node.args) > 1 or any(k.arg == "name" for k in ask.node.keywords)
