"""One run: optional hyper-parameter search, training, validation, logging."""

from pathlib import Path

import hydra
import optuna
import torch
import wandb
from omegaconf import DictConfig, OmegaConf
from sklearn.metrics import accuracy_score, confusion_matrix
from transformers import AdamW

from .model import build_model, expected_calibration_error, objective
from .preprocess import build_loaders
from .utils import set_seed

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def evaluate(model, loader, max_batches) -> dict:
    """Validation accuracy, calibration error and confusion matrix."""
    model.eval()
    probabilities, labels = [], []
    with torch.no_grad():
        for step, batch in enumerate(loader):
            if max_batches is not None and step >= max_batches:
                break
            batch = {k: v.to(DEVICE) for k, v in batch.items()}
            labels.append(batch.pop("labels"))
            probabilities.append(model(**batch).logits.softmax(dim=-1))
    probabilities, labels = torch.cat(probabilities).cpu(), torch.cat(labels).cpu()
    predicted = probabilities.argmax(dim=-1)
    return {
        "val_accuracy": accuracy_score(labels, predicted),
        "val_ece": expected_calibration_error(probabilities, labels),
        "confusion_matrix": confusion_matrix(labels, predicted, labels=[0, 1]).tolist(),
    }


def train(cfg: DictConfig, log=None) -> dict:
    """Train with the settings of `cfg`; returns the last validation result."""
    set_seed(cfg.training.seed)
    loaders = build_loaders(cfg, cfg.training.batch_size)
    model = build_model(cfg).to(DEVICE)
    optimizer = AdamW(model.parameters(), lr=cfg.training.learning_rate)
    step, result = 0, {}
    for epoch in range(cfg.training.epochs):
        model.train()
        for index, batch in enumerate(loaders["train"]):
            if cfg.training.max_batches is not None and index >= cfg.training.max_batches:
                break
            batch = {k: v.to(DEVICE) for k, v in batch.items()}
            labels = batch.pop("labels")
            loss = objective(model(**batch).logits, labels, cfg.training.entropy_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if log is not None:
                log({"train_loss": loss.item(), "epoch": epoch}, step=step)
        result = evaluate(model, loaders["validation"], cfg.training.max_batches)
        if log is not None:
            log({"val_accuracy": result["val_accuracy"], "val_ece": result["val_ece"]}, step=step)
        print(f"epoch {epoch}: accuracy {result['val_accuracy']:.3f}, ece {result['val_ece']:.3f}")
    return result


def search(cfg: DictConfig) -> None:
    """Let Optuna choose the values named in the search space, and write the best ones into `cfg`."""

    def run_trial(trial: optuna.Trial) -> float:
        candidate = OmegaConf.deepcopy(cfg)
        for path, space in cfg.optuna.search_space.items():
            value = trial.suggest_float(path, space.low, space.high, log=True)
            OmegaConf.update(candidate, path, value)
        return train(candidate)["val_accuracy"]

    study = optuna.create_study(direction=cfg.optuna.direction)
    study.optimize(run_trial, n_trials=cfg.optuna.n_trials)
    for path, value in study.best_params.items():
        OmegaConf.update(cfg, path, value)


@hydra.main(config_path="../config")
def main(cfg: DictConfig) -> None:
    run_file = Path(__file__).resolve().parents[1] / "config" / "runs" / f"{cfg.run}.yaml"
    cfg = OmegaConf.merge(cfg, OmegaConf.load(run_file))
    if cfg.mode == "trial":
        cfg.training.epochs = 1
        cfg.training.max_batches = 2
        cfg.trial_started = True

    if cfg.optuna.n_trials > 0:
        search(cfg)

    run = wandb.init(
        entity=cfg.wandb.entity,
        project=cfg.wandb.project,
        id=cfg.run.run_id,
        mode=cfg.wandb.mode,
        config=OmegaConf.to_container(cfg, resolve=True),
    )
    result = train(cfg, log=run.log)
    for key, value in result.items():
        run.summary[key] = value
    run.finish()


if __name__ == "__main__":
    main()
