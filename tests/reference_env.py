"""Builds the environment that tests rehearse in, once, and prints its interpreter.

Run by `make test`; the pins are those of `tools/trial/constraints.txt`.
"""

from __future__ import annotations

import sys

from policies.errors import SutureError
from policies.records import Bundle
from tools.trial.environment import default_cache_root, resolve_environment

PYPROJECT = """
[project]
name = "reference"
version = "0"
dependencies = [
  "torch", "transformers", "datasets", "peft", "accelerate", "evaluate", "sentencepiece", "protobuf",
  "hydra-core", "omegaconf", "optuna", "wandb", "scikit-learn", "scipy", "pandas", "numpy",
  "matplotlib", "seaborn", "tqdm", "seqeval", "rouge_score", "absl-py", "nltk",
]
"""


def main() -> int:
    """The interpreter's path on standard output; progress and trouble on standard error."""
    try:
        result = resolve_environment(
            "auto",
            Bundle(files={"pyproject.toml": PYPROJECT}),
            cache_root=default_cache_root(),
            progress=lambda message: print(message, file=sys.stderr, flush=True),  # noqa: T201
        )
    except SutureError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 3
    if result.environment is None:
        print(result.failure, file=sys.stderr)  # noqa: T201
        return 1
    print(result.environment.python)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
