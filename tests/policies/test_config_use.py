"""Which settings of the run configs count as read."""

from __future__ import annotations

import pytest

from policies import claims
from policies.base import Evidence
from policies.config_use import unread_keys
from policies.contract import STANDARD
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Bundle

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
RUNS = {
    "config/runs/a.yaml": "run_id: a\nmodel:\n  name: x\n  size: 3\n  extra:\n    gamma: 2\n"
    "  frozen: true\n  width: 4\n"
}


def unread(body: str) -> list[tuple[str, int]]:
    """Path and line of every unread key."""
    files = {**CONFIG, "src/train.py": f"{MERGED}    print(cfg.model.size, cfg.model.width)\n{body}"}
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    return [(found.path, found.line) for found in unread_keys(subject)]


GAMMA, FROZEN = ("model.extra.gamma", 6), ("model.frozen", 7)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", [GAMMA, FROZEN]),
        ("    print(cfg.model.extra.gamma)\n", [FROZEN]),
        ("    print(getattr(cfg.model, 'frozen', False))\n", [GAMMA]),
        ("    make(**cfg.model.extra)\n", [FROZEN]),
        ("    for key in cfg.model.extra:\n        print(key)\n", [FROZEN]),
        ("    options = {k: v for k, v in cfg.model.items()}\n", []),
        ("    build(cfg.model)\n\n\ndef build(m):\n    return make(**m.extra)\n", [FROZEN]),
        ("    library.build(cfg.model)\n", []),
        ("    OmegaConf.save(cfg, 'out.yaml')\n", [GAMMA, FROZEN]),
        ('    """gamma and frozen"""\n', [GAMMA, FROZEN]),
    ],
)
def test_reading(body: str, expected: list[tuple[str, int]]) -> None:
    body = body.replace('    """', '    pass\n\n\ndef told():\n    """')
    assert unread(body) == expected


@pytest.mark.parametrize(
    ("call", "status"), [("make(**cfg.model.extra)", "unverified"), ("make()", "confirmed")]
)
def test_what_a_splat_brings_along_is_not_called_unread(call: str, status: str) -> None:
    files = {**CONFIG, "src/train.py": f"{MERGED}    print(cfg.model.size)\n    {call}\n"}
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    (claim,) = claims.test_claims(["The key `gamma` is never read."], subject, (), Evidence())
    assert claim.status == status


def test_a_loader_that_is_not_called_misses_no_cache() -> None:
    subject = ParsedBundle(Bundle(files={**CONFIG, "src/train.py": f"{MERGED}    print(cfg)\n"}), STANDARD)
    (claim,) = claims.test_claims(["`cache_dir` is not passed to load_dataset."], subject, (), Evidence())
    assert claim.status == "unverified"
