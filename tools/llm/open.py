"""From options and environment variables to a model, wrapped as a repair needs it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from policies.budget import Budget
from policies.errors import ModelUnavailable, UsageError
from tools.llm.base import Model
from tools.llm.budgeted import BudgetedModel, Tally
from tools.llm.endpoint import endpoint_configured
from tools.llm.prices import Price, price_of, read_prices
from tools.llm.recording import RecordingModel, Sink

if TYPE_CHECKING:
    from tools.llm.openai import OpenAIModel

DEFAULT_MODEL = "gpt-5"
"""Asked for when no model is named and the endpoint does not offer exactly one."""

log = logging.getLogger(__name__)


def open_model(
    llm: Literal["off", "auto"],
    model_name: str | None = None,
    *,
    budget: Budget | None = None,
    tally: Tally | None = None,
    sink: Sink | None = None,
    layer: Callable[[Model], Model] | None = None,
    timeout_s: float = 300.0,
    env: Mapping[str, str] = os.environ,
) -> Model | None:
    """The model to use, charged to `tally` and recorded to `sink`; None when there is none.

    Args:
        model_name: as the endpoint knows it; None takes SUTURE_MODEL, else the only one offered.
        layer: put around the endpoint, under recording and budget, e.g. to answer from a memory.
        env: OPENAI_API_KEY, OPENAI_BASE_URL, SUTURE_MODEL, SUTURE_PRICES.
    Raises: UsageError for a price table that cannot be read, or a USD limit without a price.
    """
    if llm == "off" or not endpoint_configured(env):
        return None
    limits = budget or Budget()
    inner: Model = _endpoint(model_name or env.get("SUTURE_MODEL") or None, timeout_s, env)
    inner = layer(inner) if layer else inner
    return wrap_model(inner, budget=limits, tally=tally or Tally(), sink=sink, env=env)


def wrap_model(
    inner: Model,
    *,
    budget: Budget,
    tally: Tally,
    sink: Sink | None = None,
    env: Mapping[str, str] = os.environ,
) -> Model:
    """Recording inside, budget outside: a refused call is no exchange."""
    price = _price(inner.name, budget, env)
    recorded = RecordingModel(inner, sink) if sink else inner
    return BudgetedModel(recorded, budget=budget, tally=tally, price=price)


def _price(model: str, budget: Budget, env: Mapping[str, str]) -> Price | None:
    price = price_of(model, read_prices(env.get("SUTURE_PRICES", "")))
    if price is None and budget.max_usd is not None:
        raise UsageError(f"a limit in USD needs a price for {model!r}: set SUTURE_PRICES, or drop --max-usd")
    if price is None:
        log.info("no price is configured for %s: its cost is counted as 0 USD", model)
    return price


def _endpoint(name: str | None, timeout_s: float, env: Mapping[str, str]) -> OpenAIModel:
    from tools.llm.openai import OpenAIModel

    base_url = env.get("OPENAI_BASE_URL") or None
    key = env.get("OPENAI_API_KEY") or None
    chosen = name or DEFAULT_MODEL
    model = OpenAIModel(chosen, base_url=base_url, api_key=key, timeout_s=timeout_s)
    if name or base_url is None:
        return model
    only = _only_offer(model)
    return OpenAIModel(only, base_url=base_url, api_key=key, timeout_s=timeout_s) if only else model


def _only_offer(model: OpenAIModel) -> str | None:
    """The one model that a local server serves; a silent endpoint fails at the first call instead."""
    try:
        offered = model.offered()
    except ModelUnavailable as error:
        log.warning("%s", error)
        return None
    return offered[0] if len(offered) == 1 else None
