"""What requests to a model have in common: their rules, their size, the contract, the research context."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from agent.fence import cut
from policies.contract import Contract
from policies.records import ResearchContext
from tools.llm.base import ModelRequest
from tools.llm.reading import estimate_request


@cache
def rules(name: str) -> str:
    """The text of `prompts/NAME.md`; the same for every request, so that endpoints can cache it."""
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text(encoding="utf-8")


def that_fits(build: Callable[[int], ModelRequest], sizes: Iterable[int], max_tokens: int) -> ModelRequest:
    """The request of the first size that keeps to the limit, else that of the last one."""
    request: ModelRequest | None = None
    for size in sizes:
        request = build(size)
        if estimate_request(request) <= max_tokens:
            break
    assert request is not None, "there is at least one size"
    return request


def contract_lines(contract: Contract) -> list[str]:
    """The files, commands and mode switch, a line each."""
    mode = contract.mode
    return [
        f"Files, exactly these: {', '.join(contract.files)}",
        f"Run configs (given): {contract.run_config_dir}/<run_id>.yaml",
        f"Full run: {' '.join(contract.train)}",
        f"Trial run: {' '.join(contract.trial)}",
        f"Evaluation: {' '.join(contract.evaluate)}",
        f"Mode switch: {mode.key}={mode.trial} or {mode.key}={mode.full}",
    ]


def context_text(context: ResearchContext, *, hypothesis: int, method: int, design: int) -> str:
    """The research context, each long part cut to so many characters."""
    lines = [
        f"Primary metric: {context.primary_metric}" if context.primary_metric else "",
        f"Metrics: {', '.join(context.metrics)}" if context.metrics else "",
        *(f"Run {r.run_id}: method {r.method}, model {r.model}, data {r.dataset}" for r in context.runs),
        f"Hypothesis: {cut(context.hypothesis, hypothesis)}" if context.hypothesis else "",
        f"Method: {cut(context.method, method)}" if context.method else "",
        f"Design: {cut(context.design, design)}" if context.design else "",
    ]
    return "\n".join(line for line in lines if line)
