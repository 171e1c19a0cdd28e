"""Check `run-not-selectable`: the contract's overrides must be accepted by the config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from policies.base import Bad, Check, Evidence, Good
from policies.edit import edit_yaml, rewrite
from policies.hydra.analysis import Launch, launches
from policies.hydra.yaml_lines import line_of
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

RUN = {"config/runs/a.yaml": "run_id: a\nmodel:\n  name: x\n"}
GROUP = {"config/run/a.yaml": "run_id: a\nmodel:\n  name: x\n"}
MAIN = {
    "src/main.py": "import hydra\n\n\n"
    '@hydra.main(version_base=None, config_path="../config", config_name="config")\n'
    "def main(cfg):\n    print(cfg)\n"
}
REST = "mode: full\nresults_dir: results\n"
CAUSES = ("group-shadowed", "not-a-key", "interpolation", "missing-option")


class RunNotSelectable(Check):
    """`run=<run_id>` must select the run: as a config group when a folder has its name, as a key otherwise.

    Hydra takes `run=x` for a group choice as soon as a folder `run/` lies in the config folder, and then
    wants `run` in the defaults list; without such a folder it wants a plain key `run`. A defaults list cannot
    interpolate values that come from the command line. Source: hydra-core 1.3, defaults list.
    """

    ID = "run-not-selectable"
    CRITERION = 2
    STAGE = 33
    PATH = "config/config.yaml"
    GOOD = (
        Good(f"run: null\n{REST}", files=MAIN, run_configs=RUN),
        Good(f"defaults:\n  - _self_\n  - run: null\n{REST}", files=MAIN, run_configs=GROUP),
        Good(f"run: {{}}\n{REST}", files=MAIN, run_configs=RUN),
    )
    BAD = (
        Bad(
            f"run: null  # which run\n{REST}",
            files=MAIN,
            run_configs=GROUP,
            lines=(1,),
            fixed=f"defaults:\n- _self_\n- run: null\n{REST}",
        ),
        Bad(
            f"defaults:\n  - _self_\n  - runs: ${{run}}\nrun: '???'\n{REST}",
            files=MAIN,
            run_configs=RUN,
            lines=(1,),
            fixed=f"defaults:\n  - _self_\nrun: '???'\n{REST}",
        ),
        Bad(
            f"defaults:\n  - runs/${{run}}\n{REST}",
            files=MAIN,
            run_configs=RUN,
            lines=(1,),
            fixed=f"defaults:\n  - _self_\n{REST}run: null\n",
        ),
        Bad(
            f"defaults:\n  - run: null\n{REST}",
            files=MAIN,
            run_configs=RUN,
            lines=(1,),
            fixed=f"defaults:\n  - _self_\n{REST}run: null\n",
        ),
        Bad(
            "run: null\nresults_dir: out\n",
            files=MAIN,
            run_configs=RUN,
            lines=(1,),
            fixed="run: null\nresults_dir: out\nmode: full\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Reasons why Hydra rejects the contract's command line, one per config and key."""
        seen: set[tuple[str, str]] = set()
        for launch in launches(subject):
            composition, path = launch.composition, launch.entry.config_file
            if composition.cause not in CAUSES or path is None or (path, composition.key) in seen:
                continue
            seen.add((path, composition.key))
            line = line_of(subject.bundle.files.get(path, ""), _where(composition.cause, composition.key))
            command = " ".join(subject.contract.trial).replace("{run_id}", launch.run_id)
            yield self.finding(
                path,
                line,
                f"{composition.reason}, so no run can be selected",
                f"for `{command}`; {path}:{line}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Give the config the group or the key that the command line names."""
        launch = next(
            (
                one
                for one in launches(subject)
                if one.entry.config_file == finding.file and one.composition.cause in CAUSES
            ),
            None,
        )
        if launch is None or finding.file not in subject.bundle.files:
            return None
        text = edit_yaml(subject.bundle.files[finding.file], lambda data: _repair(data, subject, launch))
        return rewrite(subject.bundle, finding.file, text)


def _where(cause: str, key: str) -> str:
    return key if cause in ("group-shadowed", "not-a-key") else "defaults"


def _repair(data: CommentedMap, subject: ParsedBundle, launch: Launch) -> None:
    composition = launch.composition
    if composition.cause in ("interpolation", "missing-option"):
        _drop_default(data, composition.key)
    if composition.cause == "group-shadowed":
        data.pop(composition.key, None)
        _add_group(data, composition.key)
    elif composition.cause == "not-a-key" and "." not in composition.key:
        data[composition.key] = _default(subject, composition.key)


def _drop_default(data: CommentedMap, entry: str) -> None:
    kept: list[Any] = [
        item
        for item in data.get("defaults", [])
        if item != entry and not (isinstance(item, dict) and entry in item)
    ]
    data["defaults"] = CommentedSeq(kept if "_self_" in kept else [*kept, "_self_"])


def _add_group(data: CommentedMap, group: str) -> None:
    if "defaults" not in data:
        data.insert(0, "defaults", CommentedSeq(["_self_"]))
    data["defaults"].append({group: None})


def _default(subject: ParsedBundle, key: str) -> Any:
    """A neutral value: the full mode, a results folder, nothing for the run."""
    mode = subject.contract.mode
    if key == mode.key:
        value = mode.full
        return {"true": True, "false": False}.get(value, value)
    return "results" if key == "results_dir" else None
