"""Tells failures of the bundle from limits of the machine and from gaps in the doubles."""

from __future__ import annotations

import re

from policies.parsed import ParsedBundle
from policies.records import Failure, Proof, Rehearsal
from policies.requirements import comes_with, declared, distributions

NO_GPU = re.compile(
    r"not compiled with CUDA|Found no NVIDIA driver|No CUDA GPUs are available|\bNVML|nvidia-smi|libcuda|"
    r"CUDA driver|requires? (?:a|an) (?:NVIDIA )?GPU|CUDA is not available|no available (?:CUDA )?GPU|"
    r"(?:fp16|bf16)[^.\n]{0,40}(?:requires?|need|support)[^.\n]{0,40}(?:gpu|cuda)|Invalid device id|"
    r"bitsandbytes[^\n]{0,80}(?:CUDA|GPU)",
    re.IGNORECASE,
)
NO_KERNEL = re.compile(r"not implemented for '?(?:Half|BFloat16|Float8\w*)'?", re.IGNORECASE)
LOADING = re.compile(
    r"RepositoryNotFound|GatedRepo|EntryNotFound|HfHubHTTP|LocalEntryNotFound|OfflineMode|DatasetNotFound|"
    r"not a valid model identifier|[Cc]ouldn't (?:connect|find|reach)|doesn't exist on the Hub|"
    r"401 Client Error|404 Client Error|ConnectionError|Max retries exceeded|does not appear to have a file",
)
GAP = re.compile(r"hub double (?:does not (?:know|speak)|has no stand-in)")
FEW_PASSES = 4
"""Training passes that a trial may make, by the contract's one or two batches taken twice."""
SERVED = "is served"
"""Ends an assumption about an id that got a stand-in; a failure to load cannot come from it."""


def machine_limit(rehearsal: Rehearsal, subject: ParsedBundle) -> str:
    """Why the failure says nothing about the bundle, in one sentence; empty when it does."""
    failure = rehearsal.failure
    if failure is None:
        return ""
    if failure.exception == "ModuleNotFoundError":
        return _not_installed(failure, subject)
    if failure.exception == "MemoryLimit":
        return "the rehearsal's memory limit ended it; a larger machine may run it"
    if failure.exception == "Timeout":
        return _slow(rehearsal.proof)
    if NO_GPU.search(failure.message) or (failure.exception.startswith("NVML")):
        return "the rehearsal has no GPU; on a machine with one this may work"
    if NO_KERNEL.search(failure.message):
        return "the CPU lacks this half-precision kernel; on a GPU this may work"
    return hub_gap(failure, rehearsal.proof)


def _not_installed(failure: Failure, subject: ParsedBundle) -> str:
    """An import that the bundle declares and the interpreter of the rehearsal does not have."""
    named = re.search(r"No module named '([\w.]+)'", failure.message)
    names = declared(subject)
    if named is None or names is None or not comes_with(names).intersection(distributions(named[1])):
        return ""
    return (
        f"the interpreter that was used lacks {named[1]!r}, which the bundle declares; --env auto installs it"
    )


def _slow(proof: Proof | None) -> str:
    """A trial that keeps training is unbounded; one that did next to nothing yet may only be slow here."""
    if proof is not None and (proof.optimizer_steps > 0 or proof.backward_passes > FEW_PASSES):
        return ""
    return "it was still running at the rehearsal's time limit; a faster machine may finish it"


def hub_gap(failure: Failure, proof: Proof | None) -> str:
    """The assumption of the hub double that a failure to load something comes from; empty when none does."""
    if proof is None or not LOADING.search(f"{failure.exception}: {failure.message}\n{failure.tail}"):
        return ""
    gaps = (text for text in proof.assumptions if GAP.search(text) and not text.endswith(SERVED))
    return next((text for text in gaps if _concerns(text, failure)), "")


def _concerns(assumption: str, failure: Failure) -> bool:
    """Whether an assumption is about an id that the failure names."""
    words = re.findall(r"[\w.\-]+/[\w.\-]+", assumption)
    told = f"{failure.message}\n{failure.tail}"
    return any(word in told or word.rpartition("/")[2] in told for word in words)
