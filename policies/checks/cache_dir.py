"""Models and data sets are cached where the contract says."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from policies.add_argument import add_argument
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.imported import qualified, qualified_names
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.wording import clip

LOADERS = {"datasets.load_dataset"}
PRETRAINED = ("transformers.", "diffusers.")
VARIABLES = {
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_DATASETS_CACHE",
    "TRANSFORMERS_CACHE",
    "XDG_CACHE_HOME",
}
LOCAL = ("path", "dir", "ckpt", "checkpoint", "folder", "file")


class CacheDir(ModuleCheck):
    """Without `cache_dir` the Hugging Face libraries fill a cache in the home directory.

    The contract wants all downloads in one folder of the working directory, so that runs share them and they
    can be deleted. Calls that pass any `cache_dir` not known to be another folder, or `**kwargs`, or load
    from a local path, are left alone, and so are metrics, which are neither models nor data, and a bundle
    that sets `HF_HOME` or its like.
    """

    ID = "cache-dir"
    CRITERION = 3
    SEVERITY = Severity.ADVISORY
    STAGE = 55
    GOOD = (
        Good("from datasets import load_dataset\nload_dataset('glue', cache_dir='.cache')\n"),
        Good(
            "from datasets import load_dataset as f\nC = './.cache/hf'\nf('a', cache_dir=C)\nf('x', **more)\n"
        ),
        Good("import evaluate\nevaluate.load('f1')\n"),
        Good("import os, datasets\nos.environ['HF_HOME'] = '.cache'\ndatasets.load_dataset('glue')\n"),
        Good(
            "from datasets import load_dataset\nload_dataset('glue')\n",
            files={"src/main.py": "e.setdefault('HF_HOME', 'x')\n"},
        ),
        Good("from transformers import AutoModel as A\nA.from_pretrained(out_dir)\nA.from_config(c)\n"),
        Good("from peft import PeftModel as P\nP.from_pretrained(m, p)\nNet.from_pretrained('x')\n"),
        Good("from datasets import load_dataset\nload_dataset('glue', cache_dir=cfg.cache_dir)\n"),
    )
    BAD = (
        Bad(
            """\
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")  # fast
model = AutoModel.from_pretrained(
    cfg.model.name,  # ours
    num_labels=(2),
)
""",
            lines=(3, 4),
            fixed="""\
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased", cache_dir=".cache/")  # fast
model = AutoModel.from_pretrained(
    cfg.model.name,  # ours
    num_labels=(2),
    cache_dir=".cache/",
)
""",
        ),
        Bad(
            """\
import datasets

CACHE = ".cache"
rows = [datasets.load_dataset("glue", é, split="train")
        for é in names]


def load(cache_dir, name):
    return datasets.load_dataset(name)
""",
            lines=(4, 9),
            fixed="""\
import datasets

CACHE = ".cache"
rows = [datasets.load_dataset("glue", é, split="train", cache_dir=CACHE)
        for é in names]


def load(cache_dir, name):
    return datasets.load_dataset(name, cache_dir=cache_dir)
""",
        ),
        Bad("from datasets import load_dataset\nload_dataset('glue', cache_dir='/data/hf')\n", lines=(2,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Nothing when the environment decides; else what every module says."""
        if not any(n.value in VARIABLES for _, n in each(subject, ast.Constant)):
            yield from super().find(subject, evidence)

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every loading call whose cache is not the contract's, in line order."""
        wanted = subject.contract.cache_dir
        for node, name in _loads(module):
            stated = _stated(module, node)
            if stated is None or (stated and not _inside(stated, wanted)):
                what = "does not say `cache_dir`" if stated is None else f"caches in `{stated}`"
                message = f"`{_shown(node, name)}` {what}"
                yield self.finding(module.path, node.lineno, message, f"the contract's cache is `{wanted}`")

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The call with `cache_dir`, by the name that the module has for the folder."""
        module = subject.modules[finding.file]
        for node, name in _loads(module):
            told = node.lineno == finding.line and finding.message.startswith(f"`{_shown(node, name)}`")
            if told and _stated(module, node) is None:
                value = _name_for(module, node, subject.contract.cache_dir)
                return rewrite(subject.bundle, module.path, add_argument(module, node, "cache_dir", value))
        return None


def _shown(node: ast.Call, name: str) -> str:
    """The call with its first argument, which tells two calls apart."""
    first = clip(ast.unparse(node.args[0]), 60) if node.args else ""
    return f"{name.partition('.')[2]}({first})"


def _loads(module: Module) -> list[tuple[ast.Call, str]]:
    """Calls that download models or data, with their names, in line order."""
    names = qualified_names(module)
    calls = [(node, qualified(node.func, names)) for node in of_kind(module, ast.Call)]
    found = [(node, name) for node, name in calls if name in LOADERS or _pretrained(node, name)]
    return sorted(found, key=lambda item: (item[0].lineno, item[0].col_offset))


def _pretrained(node: ast.Call, name: str) -> bool:
    """`from_pretrained` of a library's class, from a hub name rather than a folder."""
    if not name.startswith(PRETRAINED) or not name.endswith(".from_pretrained") or not node.args:
        return False
    source = ast.unparse(node.args[0]).lower()
    return "name" in source or not any(word in source for word in LOCAL)


def _stated(module: Module, node: ast.Call) -> str | None:
    """The folder that the call names; empty when it names one that is not known, None when it names none."""
    for keyword in node.keywords:
        if keyword.arg is None:
            return ""
        if keyword.arg == "cache_dir":
            value = keyword.value
            if isinstance(value, ast.Name):
                return _constants(module).get(value.id, "")
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return "" if any(isinstance(argument, ast.Starred) for argument in node.args) else None


def _constants(module: Module) -> Mapping[str, str]:
    """Module-level names that are bound once, to a string."""
    assert module.tree is not None, "only a parsed module is searched"
    return {
        target.id: node.value.value
        for node in module.tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def _inside(folder: str, wanted: str) -> bool:
    """Whether `folder` is the wanted one or lies in it."""
    return f"{folder.removeprefix('./').rstrip('/')}/".startswith(f"{wanted.removeprefix('./').rstrip('/')}/")


def _name_for(module: Module, node: ast.Call, wanted: str) -> str:
    """What the module calls the cache: an argument of the function, a constant, or the folder itself."""
    function = module.enclosing_function(node)
    if function and any(a.arg == "cache_dir" for a in (*function.args.args, *function.args.kwonlyargs)):
        return "cache_dir"
    constant = next((name for name, value in _constants(module).items() if _inside(value, wanted)), None)
    return constant or f'"{wanted}"'
