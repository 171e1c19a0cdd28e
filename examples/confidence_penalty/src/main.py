"""Starts one run: `python -m src.main run=<run_id> results_dir=<path> mode=trial|full`."""

import subprocess
import sys

import hydra


@hydra.main(config_path="../config", config_name="config")
def main(cfg: DictConfig) -> None:
    if cfg.mode not in ("trial", "full"):
        raise ValueError(f"mode must be trial or full, not {cfg.mode}")
    command = [
        sys.executable,
        "-m",
        "src.train",
        f"run={cfg.run}",
        f"results_dir={cfg.results_dir}",
        f"mode={cfg.mode}",
    ]
    if cfg.mode == "trial":
        command.append("training.log_every=1")  # watch every step of a short run
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
