"""Which parts of which packages are indexed: modules by depth, classes and callables by name."""

from __future__ import annotations

from dataclasses import dataclass

from policies.class_body import words

CLOSED = ("torch", "numpy", "sklearn", "scipy")
"""Packages whose `__getattr__` or native code adds nothing beyond submodules, stubs and the names below."""

TENSORS = frozenset(
    f"{kind}Tensor"
    for kind in (
        "BFloat16",
        "Bool",
        "Byte",
        "Char",
        "Double",
        "Float",
        "Half",
        "Int",
        "Long",
        "Short",
        "Complex",
    )
)
"""Tensor types that native code adds to several modules."""

UNLISTED: dict[str, frozenset[str]] = {
    "torch": frozenset(
        {
            "AVG",
            "SUM",
            "ArgumentSpec",
            "Capsule",
            "Code",
            "CompleteArgumentSpec",
            "DeepCopyMemoTable",
            "ExecutionPlan",
        }
        | {"ExcludeDispatchKeyGuard", "FatalError", "Gradient", "OperatorInfo", "PyObjectType", "ScriptClass"}
        | {
            "ScriptClassFunction",
            "ScriptDictIterator",
            "ScriptDictKeyIterator",
            "ScriptListIterator",
            "StaticModule",
        }
        | {"ScriptObjectProperty", "bit", "cpp", "quint8", "qint8", "qint32"}
        | {f"{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8)}
        | {
            f"{verb}_autocast_{device}_{what}"
            for verb in ("get", "is", "set")
            for device in ("ipu", "xla", "cpu")
            for what in ("dtype", "enabled")
        }
    ),
    "numpy": frozenset({"complex256", "float128", "complex512", "float256", "float96", "complex192"}),
    "torch.cuda": TENSORS,
    "torch.xpu": TENSORS,
    "torch.sparse": TENSORS,
    "torch.cuda.sparse": TENSORS,
    "torch.monitor": frozenset({"COUNT", "MAX", "MEAN", "MIN", "SUM", "VALUE", "data_value_t"}),
    "transformers": frozenset({"DummyObject", "requires_backends"}),
    "wandb": frozenset({"START_TIME"}),
}
"""Names that exist but that no source or stub of the package shows."""


LEAVES = frozenset(
    {
        "optuna.study.study.Study",
        "optuna.trial._trial.Trial",
        "optuna.trial._frozen.FrozenTrial",
        "pandas.core.frame.DataFrame",
        "pandas.core.series.Series",
        "torch._tensor.Tensor",
        "datasets.arrow_dataset.Dataset",
        "datasets.dataset_dict.DatasetDict",
        "wandb.apis.public.api.Api",
        "wandb.apis.public.runs.Run",
        "wandb.sdk.wandb_run.Run",
        "matplotlib.figure.Figure",
    }
)
"""Classes that nothing extends in practice: an annotation with one of them says what an object has."""

CLOSED_CLASSES: dict[str, frozenset[str]] = {
    "torch.nn.modules.module.Module": frozenset(),
    "torch._C.TensorBase": words("cdouble cfloat const_data_ptr ipu is_xla mtia name volatile norm stft"),
    "wandb.apis.public.runs.Run": words(
        "id tags name displayName display_name sweepName sweep_name state config group jobType "
        "job_type commit readOnly read_only createdAt created_at heartbeatAt heartbeat_at "
        "description notes systemMetrics system_metrics summaryMetrics summary_metrics "
        "historyLineCount history_line_count user historyKeys history_keys projectId project_id "
        "internalId internal_id storageId storage_id project entity"
    ),
    "wandb.apis.attrs.Attrs": frozenset(),  # its other subclasses are in SERVED_BY
    "transformers.training_args.TrainingArguments": frozenset(),
    "transformers.tokenization_utils_base.SpecialTokensMixin": frozenset(
        f"{kind}_token{end}"
        for kind in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
        for end in ("", "_id")
    )
    | {"additional_special_tokens", "additional_special_tokens_ids"},
}
"""Classes that have nothing beyond their text, registered attributes and the names given here, although
their `__getattr__`, or a stub in the place of their source, leaves that open."""


SERVED_BY = frozenset({"wandb.apis.attrs.Attrs"})
"""Bases that serve attributes from data: what extends them is open unless it is closed by name."""
_DATASETS = "|".join(
    (
        "datasets.arrow_dataset.Dataset",
        "datasets.dataset_dict.DatasetDict",
        "datasets.iterable_dataset.IterableDataset",
        "datasets.dataset_dict.IterableDatasetDict",
    )
)
TOKENIZERS = "transformers.tokenization_utils_base.AnyTokenizer"
"""Stands for whatever tokenizer an automatic class returns."""

RETURNS = {
    "datasets.load.load_dataset()": _DATASETS,
    "datasets.load.load_from_disk()": _DATASETS,
    "transformers.models.auto.tokenization_auto.AutoTokenizer.from_pretrained()": TOKENIZERS,
    "wandb.apis.public.api.Api.run()": "wandb.apis.public.runs.Run",
    **{
        f"transformers.optimization.get_{kind}_schedule{end}()": "torch.optim.lr_scheduler.LambdaLR"
        for kind, end in (
            ("constant", ""),
            ("constant", "_with_warmup"),
            ("linear", "_with_warmup"),
            ("cosine", "_with_warmup"),
            ("polynomial_decay", "_with_warmup"),
            ("inverse_sqrt", ""),
        )
    },
}
"""What callables give whose annotation does not say; several classes are joined by `|`."""


@dataclass(frozen=True)
class Family:
    """Classes that take one another's place: which one an object has is not known before the run."""

    name: str
    """Dotted name of the class that stands for all of them."""
    modules: str
    """Files that define them, as a pattern below site-packages."""
    bases: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """What of one package is indexed."""

    distribution: str
    """Distribution that installs it."""
    depth: int = 1
    """Dots below the package down to which modules are listed."""
    modules: tuple[str, ...] = ()
    """Single modules below that depth."""
    inner: tuple[str, ...] = ()
    """Modules below that depth that are listed with everything directly in them."""
    undescribed: tuple[str, ...] = ()
    """Prefixes of modules whose classes and functions are listed by name only."""
    described: tuple[str, ...] = ()
    """Exceptions from `undescribed`."""
    families: tuple[Family, ...] = ()


PLAN: dict[str, Scope] = {
    "omegaconf": Scope("omegaconf", depth=2),
    "hydra": Scope("hydra-core", depth=3),
    "datasets": Scope("datasets", depth=1),
    "transformers": Scope(
        "transformers",
        depth=1,
        inner=("transformers.models", "transformers.utils", "transformers.data", "transformers.generation"),
        undescribed=("transformers.models.", "transformers.utils.dummy_"),
        described=("transformers.models.auto.",),
        families=(
            Family(
                TOKENIZERS,
                "transformers/models/*/tokenization_*.py",
                (
                    "transformers.tokenization_utils.PreTrainedTokenizer",
                    "transformers.tokenization_utils_fast.PreTrainedTokenizerFast",
                ),
            ),
        ),
    ),
    "wandb": Scope("wandb", depth=1, inner=("wandb.sdk", "wandb.apis", "wandb.integration")),
    "optuna": Scope("optuna", depth=2),
    "peft": Scope("peft", depth=1, inner=("peft.tuners", "peft.utils")),
    "evaluate": Scope("evaluate", depth=1),
    "accelerate": Scope("accelerate", depth=1),
    "huggingface_hub": Scope("huggingface_hub", depth=0),
    "sklearn": Scope("scikit-learn", depth=1),
    "tqdm": Scope("tqdm", depth=1),
    "torch": Scope(
        "torch",
        depth=1,
        inner=(
            "torch.nn",
            "torch.nn.utils",
            "torch.optim",
            "torch.utils",
            "torch.utils.data",
            "torch.cuda",
            "torch.cuda.amp",
            "torch.backends",
            "torch.amp",
        ),
        undescribed=tuple(
            f"torch.{name}"
            for name in ("_inductor", "_dynamo", "fx.", "onnx.", "testing.", "ao.", "distributed.")
        ),
    ),
    "numpy": Scope("numpy", depth=0, modules=("numpy.linalg", "numpy.random")),
    "scipy": Scope("scipy", depth=1, undescribed=("scipy.stats._new_distributions",)),
    "pandas": Scope("pandas", depth=0),
    "matplotlib": Scope(
        "matplotlib",
        depth=0,
        modules=tuple(f"matplotlib.{name}" for name in ("pyplot", "cm", "colors", "ticker", "patches")),
    ),
    "seaborn": Scope("seaborn", depth=0),
}
