"""Check `module-unused`: a file that no command of the contract ever imports."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.reach import reached
from policies.records import Finding, Severity

MAIN = "from src.train import run\n\n\nif __name__ == '__main__':\n    run()\n"
TRAIN = "from src.model import build\n\n\ndef run():\n    build()\n"
MODEL = "def build():\n    return 1\n"


class ModuleUnused(Check):
    """A module that nothing imports or starts is dead: what the run does, it does without it.

    Usually `train.py` repeats the work of `model.py` or `preprocess.py`, and whoever judges the method reads
    code that never runs. Imports inside functions, child processes, names in texts and Hydra targets count.
    """

    ID = "module-unused"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    PATH = "src/model.py"
    GOOD = (
        Good(MODEL, files={"src/main.py": MAIN, "src/train.py": TRAIN}),
        Good(
            MODEL, files={"src/main.py": "import subprocess\nsubprocess.run(['python', '-m', 'src.model'])\n"}
        ),
        Good(
            MODEL, files={"src/main.py": "X = 1\n", "config/config.yaml": "a:\n  _target_: src.model.build\n"}
        ),
        Good(MODEL, files={"src/main.py": "import importlib\nimportlib.import_module(name)\n"}),
        Good(MODEL, files={"src/main.py": "import model\n"}),
        Good(MODEL, files={"src/main.py": "def (\n"}),
        Good("", files={"src/main.py": "X = 1\n"}),
    )
    BAD = (
        Bad(MODEL, files={"src/main.py": MAIN, "src/train.py": "def run():\n    return 1\n"}, lines=(0,)),
        Bad(MODEL, files={"src/main.py": "X = 1\n", "src/evaluate.py": "import json\n"}, lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every module of the contract with code that nothing reaches."""
        known = reached(subject)
        if known is None or subject.contract.entry_file not in known:
            return
        for module in subject.parsable:
            if module.path in subject.contract.files and module.path not in known and not module.empty:
                yield self.finding(
                    module.path,
                    0,
                    f"no command reaches `{module.path}`",
                    f"the commands import or start only {', '.join(sorted(known))}",
                )
