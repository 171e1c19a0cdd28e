"""Which parts of a bundle cannot be read: what they would say is unknown, so "nothing does it" is a guess."""

from __future__ import annotations

from typing import Literal

from policies.parsed import ParsedBundle

Part = Literal["entry", "code", "config"]
"""The module that the trial starts, all modules of the contract, the main config."""
CONFIG = "config/config.yaml"


def lost_parts(subject: ParsedBundle) -> frozenset[Part]:
    """The parts of which a file is there, but is empty or does not parse."""
    return subject.memo("lost-files.parts", _lost_parts)


def _lost_parts(subject: ParsedBundle) -> frozenset[Part]:
    contract = subject.contract
    gone = {
        path
        for path, module in subject.modules.items()
        if path in contract.files and (module.tree is None or module.empty)
    }
    found: set[Part] = set()
    if gone:
        found.add("code")
    if contract.entry_file in gone:
        found.add("entry")
    document = subject.documents.get(CONFIG)
    if document is not None and not document.data:
        found.add("config")
    return frozenset(found)
