"""Check `hydra-config-name`: the decorator must name the primary config."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.composition import compose, led_to_config, primary_config
from policies.hydra.entry import Entry, entries
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

CONFIG = {"config/config.yaml": "run: null\nmode: full\nresults_dir: results\n"}


class HydraConfigName(Check):
    """Without `config_name`, or with a folder that is not there, Hydra composes an empty config.

    Every override on the command line then fails, because an empty config has no key to override.
    Source: hydra-core 1.3, `hydra.main(config_path, config_name)`.
    """

    ID = "hydra-config-name"
    CRITERION = 2
    STAGE = 35
    GOOD = (
        Good(
            'import hydra\n\n\n@hydra.main(config_path="../config", config_name="config")\n'
            "def main(cfg):\n    print(cfg)\n",
            files=CONFIG,
        ),
        Good("import hydra\n\n\ndef main(cfg):\n    print(cfg)\n", files=CONFIG),
    )
    BAD = (
        Bad(
            'import hydra\n\n\n@hydra.main(config_path="../config", version_base=None)\n'
            "def main(cfg):\n    print(cfg)\n",
            files=CONFIG,
            lines=(4,),
            fixed="import hydra\n\n\n"
            '@hydra.main(config_path="../config", version_base=None, config_name="config")\n'
            "def main(cfg):\n    print(cfg)\n",
        ),
        Bad(
            "from hydra import main\n\n\n@main()\ndef start(cfg):\n    print(cfg)  # all of it\n",
            files=CONFIG,
            lines=(4,),
            fixed='from hydra import main\n\n\n@main(config_path="../config", config_name="config")\n'
            "def start(cfg):\n    print(cfg)  # all of it\n",
        ),
        Bad(
            'import hydra\n\n\n@hydra.main(config_path="config", config_name="config")\n'
            "def main(cfg):\n    print(cfg)\n",
            files=CONFIG,
            lines=(4,),
            fixed='import hydra\n\n\n@hydra.main(config_path="../config", config_name="config")\n'
            "def main(cfg):\n    print(cfg)\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Entry points whose decorator does not lead to a config file of the bundle."""
        for entry in entries(subject):
            composition = compose(subject, entry, "any")
            if composition.cause not in ("no-config-name", "no-config-path", "no-config"):
                continue
            yield self.finding(
                entry.module.path,
                entry.line,
                f"`{entry.function.name}` is started without its config: {composition.reason}",
                f"line {entry.line}: {entry.module.line(entry.line)}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Name the one primary config that the contract has."""

        from policies.transformers.decorator import SetDecoratorArguments

        entry = next(
            (e for e in entries(subject) if (e.module.path, e.line) == (finding.file, finding.line)), None
        )
        if entry is None or primary_config(subject) is None:
            return None
        change = SetDecoratorArguments(entry.function.name, _arguments(led_to_config(subject, entry)))
        return rewrite(subject.bundle, entry.module.path, transform(entry.module.text, change))


def _arguments(entry: Entry) -> dict[str, str]:
    return {name: f'"{getattr(entry, name)}"' for name in ("config_path", "config_name")}
