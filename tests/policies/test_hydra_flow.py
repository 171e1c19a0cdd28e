"""The config is followed through the code of an entry point."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.hydra.analysis import launches
from policies.hydra.examples import CONFIG, ENTRY, LOAD, RUNS
from policies.parsed import ParsedBundle
from policies.records import Bundle

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"


def events(source: str, **others: str) -> list[tuple[str, str, int, str]]:
    """Kind, file, line and path of every event in trial mode."""
    files = {**CONFIG, "src/train.py": source, **{f"src/{n}.py": t for n, t in others.items()}}
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    found = [e for launch in launches(subject) if launch.trial for e in launch.events]
    return [(e.kind, e.module.path, e.line, e.path) for e in found]


def test_helper_function_in_another_module_is_followed() -> None:
    model = "def build(config):\n    return config.model.size\n"
    source = f"from src.model import build\n{MERGED}    build(cfg)\n"
    assert events(source, model=model) == [("missing-key", "src/model.py", 2, "model.size")]


def test_struct_mode_ends_with_a_copy_made_from_a_container() -> None:
    body = (
        "    free = OmegaConf.create(OmegaConf.to_container(cfg))\n    free.anything = 1\n    cfg.other = 2\n"
    )
    assert events(ENTRY + body) == [("struct-assign", "src/train.py", 9, "other")]


@pytest.mark.parametrize(
    "body",
    [
        "    print(cfg.model.size if 'size' in cfg.model else 1)\n",
        "    try:\n        print(cfg.model.size)\n    except Exception:\n        pass\n",
        "    if unknown():\n        print(cfg.model.size)\n",
        "    if cfg.mode == 'full':\n        print(cfg.model.size)\n",
        "    size = cfg.model.get('size') or 3\n",
        "    if hasattr(cfg.model, 'size') and cfg.model.size:\n        print(1)\n",
        "    raise SystemExit\n    print(cfg.model.size)\n",
        "    def later():\n        return cfg.model.size\n",
        "    if cfg.model.name.lower() == 'y':\n        print(cfg.model.size)\n",
    ],
)
def test_what_may_be_right_is_silent(body: str) -> None:
    assert events(MERGED + body) == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("    print(cfg.model.size)\n", "model.size"),
        ("    print(cfg['model']['size'])\n", "model.size"),
        ("    m = cfg.model\n    print(m.size)\n", "model.size"),
        ("    for _ in range(3):\n        print(cfg.model.size)\n", "model.size"),
        ("    if cfg.mode == 'trial':\n        print(cfg.model.size)\n", "model.size"),
        ("    (lambda c: c.model.size)(cfg)\n", "model.size"),
        ("    print(f'{cfg.nothing}')\n", "nothing"),
    ],
)
def test_reads_of_missing_keys_are_seen(body: str, path: str) -> None:
    assert [(kind, found) for kind, _, _, found in events(MERGED + body)] == [("missing-key", path)]


def test_recursion_ends() -> None:
    source = f"{ENTRY}    walk(cfg)\n\n\ndef walk(c):\n    walk(c)\n    print(c.nothing)\n"
    assert events(source) == [("missing-key", "src/train.py", 12, "nothing")]
