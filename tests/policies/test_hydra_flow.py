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
    found = [e for e in found if e.kind != "may-miss-key"]
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


CLASSES = """class Base:
    def __init__(self, cfg):
        self.cfg = cfg


class Model(Base):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.size = cfg.model.size

    @property
    def name(self):
        return self.cfg.model.title

    @staticmethod
    def rate(cfg):
        return cfg.training.rate

    def forward(self, x):
        return self.cfg.model.depth
"""


def test_objects_carry_the_config_to_their_methods() -> None:
    source = (
        f"from src.model import Model\n{MERGED}    m = Model(cfg)\n    print(m.name, m.rate(cfg), m(1))\n"
    )
    assert events(source, model=CLASSES) == [
        ("missing-key", "src/model.py", 9, "model.size"),
        ("missing-key", "src/model.py", 13, "model.title"),
        ("missing-key", "src/model.py", 17, "training.rate"),
        ("missing-key", "src/model.py", 20, "model.depth"),
    ]


def test_an_attribute_set_twice_decides_no_branch() -> None:
    model = """class Model:
    def __init__(self, cfg):
        self.state = None
        self.cfg = cfg

    def step(self):
        if self.state is None:
            return self.cfg.nothing
        self.state = 1
"""
    source = f"from src.model import Model\n{MERGED}    Model(cfg).step()\n"
    assert events(source, model=model) == []


@pytest.mark.parametrize(
    "body",
    [
        "    if unknown():\n        return\n    print(cfg.nothing)\n",
        "    if unknown() and cfg.nothing:\n        print(1)\n",
        "    OmegaConf.select(cfg, 'training.nothing')\n",
    ],
)
def test_doubt_is_no_finding(body: str) -> None:
    assert events(MERGED + body) == []


@pytest.mark.parametrize(
    "body",
    [
        "    if step() % 10 == 0:\n        print(cfg.nothing)\n",
        "    import torch\n    if torch.cuda.is_available() and cfg.nothing:\n        print(1)\n",
        "    study().optimize(lambda trial: cfg.nothing)\n",
        "    if OmegaConf.select(cfg, 'training.epochs') == 3:\n        print(cfg.nothing)\n",
    ],
)
def test_what_surely_happens_in_a_real_run_is_certain(body: str) -> None:
    assert [path for *_, path in events(MERGED + body)] == ["nothing"]


def test_a_defect_of_the_decorator_does_not_hide_what_lies_behind() -> None:
    source = MERGED.replace(', config_name="config"', "") + "    print(cfg.nothing)\n"
    assert events(source) == [("missing-key", "src/train.py", 10, "nothing")]


def test_a_run_that_cannot_be_selected_does_not_hide_what_lies_behind() -> None:
    config = "defaults:\n  - _self_\n  - run: null\nmode: full\nresults_dir: r\nrun: {}\n"
    files = {"config/config.yaml": config, "src/train.py": f"{ENTRY}    cfg.optuna.n_trials = 0\n"}
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    found = [(e.kind, e.path) for launch in launches(subject) for e in launch.events]
    assert found == [("missing-key", "optuna")] * 2


MATCH = (
    "    match cfg.mode:\n        case 'trial' | 'test':\n            cfg.model.size = 1\n"
    "        case 'full':\n            cfg.model.length = 2\n"
    "        case other:\n            raise ValueError(other)\n"
)


def test_the_case_of_the_mode_is_followed() -> None:
    assert events(MERGED + MATCH + "    print(cfg.model.size)\n") == []
    missing = ("missing-key", "src/train.py", 17, "model.length")
    assert events(MERGED + MATCH + "    print(cfg.model.length)\n") == [missing]


def test_cases_that_are_not_known_may_all_be_taken() -> None:
    cases = (
        "        case 1:\n            return\n        case _ if cfg.mode:\n            cfg.model.size = 1\n"
    )
    body = f"    match unknown():\n{cases}"
    assert events(f"{MERGED}{body}    print(cfg.model.size)\n") == []


@pytest.mark.parametrize(
    "text", ["from src import model\n", "import src.model as model\n", "from . import model\n"]
)
def test_function_of_a_module_that_is_imported_whole_is_followed(text: str) -> None:
    model = "def build(config):\n    return config.model.size\n"
    source = f"{text}{MERGED}    model.build(cfg)\n"
    assert events(source, model=model) == [("missing-key", "src/model.py", 2, "model.size")]
