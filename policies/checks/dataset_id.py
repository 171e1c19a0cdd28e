"""Check `dataset-id`: data sets are asked for under an id that the hub can have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hub import asks, said_by
from policies.parsed import ParsedBundle
from policies.records import Finding

IMPORT = "from datasets import load_dataset\n\n"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


class DatasetId(Check):
    """An id on the hub is `name` or `owner/name`, of letters, digits, `-`, `_` and `.`; nothing else loads.

    Run configs also carry what is meant for people: `huggingface:owner/name`, a title, a list with commas.
    The code has to take the id out of it.

    Source: huggingface_hub, `validate_repo_id`.
    """

    ID = "dataset-id"
    CRITERION = 3
    PATH = "src/preprocess.py"
    GOOD = (
        Good(
            f"{IMPORT}load_dataset('stanfordnlp/sst2')\nload_dataset('./data')\nload_dataset('/data/x y')\n"
        ),
        Good(f"{IMPORT}load_dataset('json', data_files='a b.json')\nload_dataset(name)\n"),
        Good(f"{IMPORT}load_dataset('data/raw/part')\n"),
    )
    BAD = (
        Bad(
            f"{IMPORT}def rows(cfg):\n    return load_dataset(cfg.dataset.source)\n",
            run_configs={
                "config/runs/a.yaml": "run_id: a\ndataset:\n  source: huggingface:stanfordnlp/sst2\n"
            },
            lines=(4,),
        ),
        Bad(f"{IMPORT}load_dataset('GLUE MNLI')\n", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call whose id can be none."""
        for ask in asks(subject, "dataset"):
            wrong = sorted({name for name in ask.ids.values() if _is_wrong(name)})
            if wrong:
                yield self.finding(
                    ask.module.path,
                    ask.node.lineno,
                    f"`{wrong[0]}` is no id of a data set",
                    f"{'; '.join(said_by(ask, subject))} — line {ask.node.lineno}: "
                    f"{ask.module.line(ask.node.lineno)}",
                )


def _is_wrong(name: str) -> bool:
    """Whether a name can be neither an id nor a path."""
    return not _ID.fullmatch(name) and not name.startswith((".", "/", "~")) and name.count("/") < 2
