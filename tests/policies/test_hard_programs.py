"""Sound programs that grow out of hand when they are followed to the end: a review of each stays short."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from policies.base import Evidence
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.review import review
from policies.run_check import FAILED

LIMIT_S = 5.0
HEAD = "import functools\n\nimport hydra\nimport optuna\nimport torch\nimport wandb\n\n"
MAIN = """

@hydra.main(config_path="../config", config_name="config", version_base=None)
def main(cfg):
    f0(cfg)
"""
START = "def f0(cfg):\n"


def each(count: int, line: Callable[[int], str]) -> str:
    """Lines made from the numbers below `count`."""
    return "".join(line(i) for i in range(count))


def nested(head: str, depth: int) -> str:
    """One block inside the other."""
    return (
        START
        + each(depth, lambda i: f"{'    ' * (i + 1)}{head.format(i=i)}\n")
        + "    " * (depth + 1)
        + "cfg.x\n"
    )


PROGRAMS = {
    "numbers that are none": START
    + "    cfg.a = int(float('inf'))\n    cfg.b = int(1e400)\n    cfg.c = int(float('nan'))\n",
    "every function calls the next twice": each(
        40, lambda i: f"def f{i}(cfg):\n    f{i + 1}(cfg.a)\n    f{i + 1}(cfg.b)\n\n"
    )
    + "def f40(cfg):\n    return cfg.c\n",
    "arguments grow with every call": each(
        30, lambda i: f"def f{i}(cfg, x=1):\n    f{i + 1}(cfg.a, (x, x))\n\n"
    ),
    "all functions call all": each(
        8, lambda i: f"def f{i}(cfg):\n    return {' + '.join(f'f{j}(cfg)' for j in range(8))}\n"
    ),
    "nested loops": nested("for v{i} in cfg.l{i}:", 18),
    "nested branches": nested("if cfg.k{i}:", 80),
    "nested functions": nested("def g{i}(v{i}):", 60),
    "branches in a row": START
    + each(300, lambda i: f"    if x{i}:\n        cfg = cfg.k{i}\n    else:\n        y = cfg.j{i}\n"),
    "doubled values": START
    + "    a0 = cfg.x\n"
    + each(60, lambda i: f"    a{i + 1} = (a{i} + a{i}, a{i})\n")
    + "    wandb.log({'x': a60})\n",
    "doubled texts": "a0 = 'x'\n"
    + each(60, lambda i: f"a{i + 1} = f'{{a{i}}}' + a{i}\n")
    + START
    + "    wandb.log({a60: cfg[a60]})\n",
    "wide values": f"a = 'x' * 10**9\nb = 10 ** 10**10\nc = f'{{1:{10**9}}}'\n{START}"
    "    wandb.log({a: b, c: cfg[a]})\n",
    "keys of three loops": f"keys = {[f'k{i}' for i in range(200)]}\n{START}"
    "    for a in keys:\n        for b in keys:\n            for c in keys:\n"
    "                wandb.log({f'{a}/{b}/{c}': cfg[a][b][c]})\n",
    "merged dictionaries": START
    + "    d0 = {'a': 1}\n"
    + each(60, lambda i: f"    d{i + 1} = {{**d{i}, **d{i}, 'k{i}': d{i}}}\n")
    + "    wandb.log(d60)\n",
    "merged results": each(
        40, lambda i: f"def f{i}(cfg):\n    return {{**f{i + 1}(cfg), **f{i + 1}(cfg)}}\n\n"
    )
    + "def f40(cfg):\n    return {'x': 1}\n\n\ndef g(cfg):\n    wandb.log(f0(cfg))\n",
    "classes of a diamond": "class A0:\n    pass\n\n\nclass B0:\n    pass\n\n\n"
    + each(30, lambda i: "".join(f"class {x}{i + 1}(A{i}, B{i}):\n    pass\n\n\n" for x in "AB"))
    + "def f0(cfg):\n    return A30().x\n",
    "classes of each other": "class A(B):\n    pass\n\n\nclass B(A):\n    pass\n\n\n"
    "def f0(cfg):\n    return A().x(B().y)\n",
    "names of names": each(500, lambda i: f"X{i} = X{i + 1} if X{i + 1} else X{i + 2}\n")
    + "def f0(cfg):\n    return cfg[X0]\n",
    "partial functions": "g0 = print\n"
    + each(60, lambda i: f"g{i + 1} = functools.partial(g{i}, g{i}, g{i})\n")
    + "def f0(cfg):\n    g60(cfg)\n",
    "a long function": START + each(1000, lambda i: f"    x{i} = torch.tensor(cfg.a{i}).to(cfg.d)\n"),
    "a long objective": "def f0(cfg):\n    def objective(trial):\n"
    + each(400, lambda i: f"        cfg.a.b{i} = trial.suggest_float('p{i}', 0, 1)\n")
    + "        return 1\n    optuna.create_study().optimize(objective)\n",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_hard_program_is_reviewed_in_time(name: str) -> None:
    files = {"src/train.py": HEAD + PROGRAMS[name] + MAIN, "config/config.yaml": "mode: full\na: 1\n"}
    runs = {"config/runs/r.yaml": "run_id: r\nmodel: {name: gpt2}\n"}
    started = time.monotonic()
    verdict = review(ParsedBundle(Bundle(files=files, run_configs=runs), STANDARD), Evidence())
    assert time.monotonic() - started < LIMIT_S
    assert [f.evidence for f in verdict.findings if f.message == FAILED or f.check == "syntax-error"] == []
