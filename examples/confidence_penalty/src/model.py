"""The classifier and its two objectives."""

import torch
from torch.nn import functional as F
from transformers import AutoModelForSequenceClassification


def build_model(cfg) -> torch.nn.Module:
    """A pretrained encoder with a fresh classification head."""
    return AutoModelForSequenceClassification.from_pretrained(
        cfg.model.name, num_labels=cfg.model.num_labels, cache_dir=".cache/"
    )


def objective(logits: torch.Tensor, labels: torch.Tensor, entropy_weight: float) -> torch.Tensor:
    """Cross-entropy minus a weighted entropy bonus; a weight of 0 is plain cross-entropy."""
    loss = F.cross_entropy(logits, labels)
    if entropy_weight > 0:
        log_p = F.log_softmax(logits, dim=-1)
        entropy = -(log_p.exp() * log_p).sum(dim=-1).mean()
        loss = loss - entropy_weight * entropy
    return loss


def expected_calibration_error(probabilities: torch.Tensor, labels: torch.Tensor, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over confidence bins, weighted by their size."""
    confidence, predicted = probabilities.max(dim=-1)
    correct = predicted.eq(labels).float()
    edges = torch.linspace(0, 1, bins + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = (confidence[inside].mean() - correct[inside].mean()).abs()
            error += gap.item() * inside.float().mean().item()
    return error
