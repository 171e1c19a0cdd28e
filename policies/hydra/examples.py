"""Pieces that the examples of the Hydra checks share."""

from __future__ import annotations

HEAD = "import hydra\nfrom omegaconf import OmegaConf\n\n\n"
DECORATOR = '@hydra.main(version_base=None, config_path="../config", config_name="config")\n'
ENTRY = f"{HEAD}{DECORATOR}def main(cfg):\n"
CONFIG = {"config/config.yaml": "run: null\nmode: full\nresults_dir: results\ntraining: {}\n"}
RUNS = {"config/runs/a.yaml": "run_id: a\nmodel:\n  name: x\ntraining:\n  epochs: 3\n"}
GROUP_CONFIG = {
    "config/config.yaml": "defaults:\n  - _self_\n  - run: null\nmode: full\nresults_dir: results\n"
}
GROUP_RUNS = {"config/run/a.yaml": "run_id: a\nmodel:\n  name: x\ntraining:\n  epochs: 3\n"}
LOAD = '    run_cfg = OmegaConf.load(f"config/runs/{cfg.run}.yaml")\n'
