"""Which parts of which packages are indexed: modules by depth, classes and callables by name."""

from __future__ import annotations

from dataclasses import dataclass

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
    "torch.sparse": TENSORS,
    "torch.cuda.sparse": TENSORS,
    "torch.monitor": frozenset({"COUNT", "MAX", "MEAN", "MIN", "SUM", "VALUE", "data_value_t"}),
    "transformers": frozenset({"DummyObject", "requires_backends"}),
    "wandb": frozenset({"START_TIME"}),
}
"""Names that exist but that no source or stub of the package shows."""


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
    classes: tuple[str, ...] = ()
    """`module.Class` whose attributes are listed."""
    callables: tuple[str, ...] = ()
    """`module.callable` or `module.Class.method` whose keywords are listed."""


def _each(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


PLAN: dict[str, Scope] = {
    "omegaconf": Scope(
        "omegaconf",
        depth=2,
        classes=("omegaconf.OmegaConf",),
        callables=_each(
            "omegaconf.OmegaConf",
            "create load save to_container to_yaml to_object merge unsafe_merge update select resolve "
            "set_struct set_readonly is_missing is_config from_cli from_dotlist structured masked_copy",
        )
        + _each("omegaconf", "open_dict read_write flag_override"),
    ),
    "hydra": Scope(
        "hydra-core",
        depth=3,
        callables=("hydra.main", "hydra.utils.to_absolute_path", "hydra.utils.get_original_cwd"),
    ),
    "datasets": Scope(
        "datasets",
        depth=1,
        classes=_each("datasets", "Dataset DatasetDict IterableDataset Features ClassLabel Split Value"),
        callables=_each("datasets", "concatenate_datasets interleave_datasets load_from_disk")
        + _each(
            "datasets.Dataset", "map filter select shuffle train_test_split rename_column remove_columns sort"
        ),
    ),
    "transformers": Scope(
        "transformers",
        depth=1,
        inner=("transformers.models", "transformers.utils", "transformers.data", "transformers.generation"),
        classes=_each("transformers", "AutoTokenizer AutoConfig Trainer PreTrainedModel"),
        callables=_each(
            "transformers",
            "TrainingArguments Seq2SeqTrainingArguments Trainer set_seed get_scheduler get_constant_schedule "
            "get_constant_schedule_with_warmup get_linear_schedule_with_warmup "
            "get_cosine_schedule_with_warmup get_polynomial_decay_schedule_with_warmup "
            "get_inverse_sqrt_schedule DataCollatorWithPadding "
            "DataCollatorForTokenClassification DataCollatorForSeq2Seq DataCollatorForLanguageModeling "
            "EarlyStoppingCallback default_data_collator AdamW Adafactor",
        ),
    ),
    "wandb": Scope(
        "wandb",
        depth=1,
        inner=("wandb.sdk", "wandb.apis", "wandb.integration"),
        classes=_each("wandb", "Api Run Artifact Table Image Histogram"),
        callables=_each("wandb", "init Table Artifact Image Histogram Html Api finish login")
        + _each("wandb.Run", "log finish watch log_artifact define_metric")
        + _each("wandb.Api", "run runs artifact"),
    ),
    "optuna": Scope(
        "optuna",
        depth=2,
        classes=_each("optuna", "Trial Study"),
        callables=_each("optuna", "create_study load_study")
        + _each("optuna.Trial", "suggest_float suggest_int suggest_categorical report set_user_attr")
        + _each("optuna.Study", "optimize enqueue_trial"),
    ),
    "peft": Scope(
        "peft",
        depth=1,
        inner=("peft.tuners", "peft.utils"),
        classes=_each("peft", "TaskType PeftModel"),
        callables=_each(
            "peft", "LoraConfig AdaLoraConfig PrefixTuningConfig PromptTuningConfig IA3Config get_peft_model"
        ),
    ),
    "evaluate": Scope("evaluate", depth=1),
    "accelerate": Scope(
        "accelerate", depth=1, classes=("accelerate.Accelerator",), callables=("accelerate.Accelerator",)
    ),
    "sklearn": Scope(
        "scikit-learn",
        depth=1,
        callables=_each(
            "sklearn.metrics",
            "accuracy_score f1_score precision_score recall_score precision_recall_fscore_support "
            "roc_auc_score confusion_matrix classification_report matthews_corrcoef mean_squared_error",
        )
        + _each("sklearn.model_selection", "train_test_split"),
    ),
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
        callables=_each("torch.optim", "Adam AdamW SGD RMSprop Adagrad Adadelta")
        + _each(
            "torch.optim.lr_scheduler",
            "CosineAnnealingLR CosineAnnealingWarmRestarts StepLR MultiStepLR ExponentialLR LinearLR "
            "LambdaLR OneCycleLR ReduceLROnPlateau SequentialLR ConstantLR PolynomialLR",
        )
        + _each("torch.utils.data", "DataLoader Subset TensorDataset random_split")
        + _each(
            "torch.nn",
            "Linear LayerNorm Dropout Embedding CrossEntropyLoss MSELoss KLDivLoss BCEWithLogitsLoss",
        )
        + _each("torch.nn.functional", "cross_entropy kl_div mse_loss dropout softmax log_softmax normalize")
        + ("torch.amp.GradScaler", "torch.amp.autocast"),
    ),
    "numpy": Scope("numpy", depth=0),
    "scipy": Scope("scipy", depth=1),
    "pandas": Scope("pandas", depth=0),
    "matplotlib": Scope("matplotlib", depth=0, modules=("matplotlib.pyplot",)),
    "seaborn": Scope("seaborn", depth=0),
}
