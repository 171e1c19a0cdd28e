"""Data: tokenised loaders for a text classification set of the hub, and the seed of everything random."""

import random

import numpy as np
import torch
from datasets import load_dataset, load_metric
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, DataCollatorWithPadding

CACHE_DIR = ".cache/"


def set_seed(seed: int) -> None:
    """Make Python, NumPy and PyTorch repeatable."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def build_loaders(cfg, batch_size: int) -> dict[str, DataLoader]:
    """Loaders for training and validation; labels arrive as `labels`."""
    tokenizer = AutoTokenizer.from_pretrained(cfg.model.name, cache_dir=CACHE_DIR)
    data = load_dataset(cfg.dataset.name, cfg.dataset.subset)
    column = cfg.dataset.text_column

    def encode(batch):
        return tokenizer(batch[column], truncation=True, max_length=cfg.dataset.max_length)

    collate = DataCollatorWithPadding(tokenizer)
    loaders = {}
    for split in ("train", "validation"):
        rows = data[split]
        if cfg.mode == "trial":
            rows = rows.select(range(min(len(rows), 2 * batch_size)))
        unused = [name for name in rows.column_names if name != "label"]
        encoded = rows.map(encode, batched=True, remove_columns=unused)
        loaders[split] = DataLoader(
            encoded, batch_size=batch_size, shuffle=split == "train", collate_fn=collate
        )
    return loaders
