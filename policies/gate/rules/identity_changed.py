"""Values in code that make the experiment what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.gate.base import GateRule, Objection, Pair, asked, change, code
from policies.gate.syntax import UNKNOWN
from policies.gate.values import Named, identity_values, same, spelled_values

_CODE = code("""
    import torch
    from datasets import load_dataset
    from transformers import AutoModel


    def fit(cfg, trial):
        torch.manual_seed(42)
        model = AutoModel.from_pretrained("bert-base-cased", num_labels=3)
        data = load_dataset("glue", "mnli", split="validation_matched")
        optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.training.learning_rate)
        lam = trial.suggest_float("lam", 0.1, 5.0)
        return model, data, optimizer, lam
""")


class IdentityChanged(GateRule):
    """Model, data set, split, metric, seed, hyperparameters and search space are what the paper reports.

    A repair may give one another place or a loadable spelling. It changes one only when a finding names it.
    """

    ID = "identity-changed"
    REFUSED = (
        change(_CODE, _CODE.replace("bert-base-cased", "prajjwal1/bert-tiny")),
        change(_CODE, _CODE.replace('"mnli"', '"sst2"')),
        change(_CODE, _CODE.replace("manual_seed(42)", "manual_seed(7)")),
        change(_CODE, _CODE.replace("lr=cfg.training.learning_rate", "lr=0.1")),
        change(_CODE, _CODE.replace("validation_matched", "train")),
        change(_CODE, _CODE.replace("AdamW", "SGD")),
        change(_CODE, _CODE.replace("0.1, 5.0", "1.0, 1.1")),
        change(_CODE, _CODE.replace("num_labels=3", "num_labels=2")),
        change(_CODE + ")\n", _CODE.replace("num_labels=3", "num_labels=2")),
    )
    ACCEPTED = (
        change(_CODE + ")\n", _CODE),
        change(_CODE, _CODE.replace('"glue"', '"nyu-mll/glue"')),
        change(_CODE, _CODE.replace("cfg.training.learning_rate", "cfg.run.training.learning_rate")),
        change(
            _CODE,
            _CODE.replace("torch.optim.AdamW", "AdamW").replace(
                "import torch\n", "from torch.optim import AdamW\nimport torch\n"
            ),
        ),
        change(_CODE, _CODE.replace('"lam", 0.1', '"training.lam", 0.1')),
        change(_CODE, _CODE.replace('"bert-base-cased", ', 'cfg.model.name, cache_dir=".cache/", ')),
        change(
            _CODE,
            _CODE.replace("bert-base-cased", "google-bert/bert-base-multilingual-cased"),
            findings=(asked("the hub has no model `bert-base-cased`", line=8),),
        ),
        change(
            _CODE,
            _CODE.replace("num_labels=3", "num_labels=2"),
            findings=(asked("num_labels=3, but the data set has 2 classes", line=8),),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every key of which a value went and another literal came."""
        before = _by_key(identity_values(pair.base))
        after = _by_key(identity_values(pair.attempt))
        for key, old in before.items():
            new = after.get(key, [])
            gone, come = _unmatched(old, new), _unmatched(new, old)
            come = [n for n in come if n.value != UNKNOWN]
            for lost, gained in zip(gone, come, strict=False):
                yield _objection(key, lost, gained)
        yield from _in_broken_files(pair, after)


def _in_broken_files(pair: Pair, after: dict[str, list[Named]]) -> Iterator[Objection]:
    """A file that did not parse has values all the same: those that its text spells out."""
    for path, module in pair.base.subject.modules.items():
        spelled = spelled_values(module.text) if module.tree is None else {}
        for key, values in spelled.items():
            now = [n for n in after.get(key, ()) if n.place.module.path == path and n.value != UNKNOWN]
            if now and not any(same(value, n.value) for value in values for n in now):
                what = f"{key} was {values[0]!r}, now it is {_shown(now[0])}"
                yield Objection(
                    what, path, keys=(key,), values=tuple(v for v in values if isinstance(v, str))
                )


def _objection(key: str, lost: Named, gained: Named) -> Objection:
    values = (lost.value,) if isinstance(lost.value, str) and lost.value != UNKNOWN else ()
    line = range(lost.place.line, getattr(lost.place.node, "end_lineno", lost.place.line) + 1)
    what = f"{key} was {_shown(lost)}, now it is {_shown(gained)}"
    return Objection(what, lost.place.module.path, line, keys=(key,), values=values)


def _shown(named: Named) -> str:
    return "computed" if named.value == UNKNOWN else repr(named.value)


def _by_key(values: Iterator[Named]) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for named in values:
        found.setdefault(named.key, []).append(named)
    return found


def _unmatched(these: Sequence[Named], those: Sequence[Named]) -> list[Named]:
    """The values of `these` that find no partner among `those`."""
    left = list(those)
    alone: list[Named] = []
    for one in these:
        partner = next((o for o in left if same(one.value, o.value) or same(o.value, one.value)), None)
        if partner is None:
            alone.append(one)
        else:
            left.remove(partner)
    return alone
