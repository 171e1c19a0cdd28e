"""Scripted, recorded, replayed and budgeted models, and how they stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.budget import Budget
from policies.errors import LimitReached, ModelUnavailable, UsageError
from policies.records import Spent
from tools.llm.base import Exchange, Message, ModelReply, ModelRequest, Usage
from tools.llm.budgeted import BudgetedModel, Tally
from tools.llm.cassette import Cassette, read_cassette, request_key, write_cassette
from tools.llm.endpoint import endpoint_configured
from tools.llm.open import open_model, wrap_model
from tools.llm.prices import Price, price_of, read_prices
from tools.llm.reading import estimate_request, estimate_tokens
from tools.llm.recording import RecordingModel
from tools.llm.replay import ReplayModel
from tools.llm.scripted import ScriptedModel


def request(text: str = "mend it", limit: int = 1000) -> ModelRequest:
    return ModelRequest(
        purpose="repair",
        messages=(Message(role="user", content=text),),
        schema_name="answer",
        json_schema={"type": "object"},
        max_output_tokens=limit,
    )


def reply(text: str, usage: Usage | None = None) -> ModelReply:
    return ModelReply(text=text, usage=usage or Usage(input_tokens=60, output_tokens=40), model="m")


def test_scripted_list_function_and_end() -> None:
    listed = ScriptedModel(["one", reply("two")])
    assert [listed.complete(request()).text, listed.complete(request("b")).text] == ["one", "two"]
    assert [r.messages[0].content for r in listed.requests] == ["mend it", "b"]
    with pytest.raises(ModelUnavailable, match="no answer number 3"):
        listed.complete(request())
    echo = ScriptedModel(lambda r: r.messages[-1].content.upper())
    assert echo.complete(request()).text == "MEND IT"


def test_recording_hands_over_answers_and_errors() -> None:
    seen: list[Exchange] = []
    model = RecordingModel(ScriptedModel(["fine", ModelUnavailable("down")]), seen.append)
    model.complete(request())
    with pytest.raises(ModelUnavailable, match="down"):
        model.complete(request("again"))
    assert [(e.request.messages[0].content, e.reply.text if e.reply else None, e.error) for e in seen] == [
        ("mend it", "fine", ""),
        ("again", None, "down"),
    ]


def test_recording_keeps_an_interrupted_exchange() -> None:
    def interrupted(_: ModelRequest) -> str:
        raise KeyboardInterrupt

    seen: list[Exchange] = []
    with pytest.raises(KeyboardInterrupt):
        RecordingModel(ScriptedModel(interrupted), seen.append).complete(request())
    assert [e.error for e in seen] == ["interrupted before an answer came"]


def test_a_cassette_survives_the_disk_and_replays_in_order(tmp_path: Path) -> None:
    seen: list[Exchange] = []
    model = RecordingModel(ScriptedModel(["a1", "b1", "a2", ModelUnavailable("down")]), seen.append)
    for text in ("a", "b", "a"):
        model.complete(request(text))
    with pytest.raises(ModelUnavailable):
        model.complete(request("c"))
    path = tmp_path / "sub" / "tape.json"
    write_cassette(path, model.name, seen)
    tape = read_cassette(path)
    assert tape == Cassette(model="scripted", exchanges=tuple(seen))
    replay = ReplayModel(tape)
    assert [replay.complete(request(t, limit=5)).text for t in ("a", "a", "b")] == ["a1", "a2", "b1"]
    with pytest.raises(ModelUnavailable, match="down"):
        replay.complete(request("c"))
    with pytest.raises(
        ModelUnavailable, match=r"no answer to request 5 \(repair, key [0-9a-f]{12}\); 0 recorded"
    ):
        replay.complete(request("a"))


def test_a_miss_says_where_the_request_departs() -> None:
    tape = Cassette(model="m", exchanges=(Exchange(request=request("x\ny"), reply=reply("r")),))
    with pytest.raises(
        ModelUnavailable, match=r"1 recorded ones are unused; line 3 is 'z', recorded was 'y'"
    ):
        ReplayModel(tape).complete(request("x\nz"))


def test_the_key_is_of_what_is_asked() -> None:
    assert request_key(request(limit=1)) == request_key(request(limit=2))
    assert request_key(request("a")) != request_key(request("b"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "model": "m", "exchanges": []}', "\x00"])
def test_what_is_no_cassette(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tape.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not a cassette"):
        read_cassette(path)
    with pytest.raises(UsageError, match="cannot read the cassette"):
        read_cassette(tmp_path / "absent.json")


def test_charges_tokens_calls_and_dollars() -> None:
    tally = Tally(Spent(attempts=2, tokens=10))
    usage = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=400)
    price = Price(input=2.0, output=10.0, cached_input=0.5)
    model = BudgetedModel(ScriptedModel([reply("r", usage)]), budget=Budget(), tally=tally, price=price)
    model.complete(request())
    assert tally.spent == Spent(attempts=2, tokens=1110, calls=1, usd=(600 * 2 + 400 * 0.5 + 100 * 10) / 1e6)


def test_an_unreported_usage_is_estimated_and_a_failed_call_is_a_call() -> None:
    tally = Tally()
    silent = reply("some text", Usage(input_tokens=None, output_tokens=None))
    script = ScriptedModel([silent, ModelUnavailable("down")])
    model = BudgetedModel(script, budget=Budget(), tally=tally)
    model.complete(request())
    with pytest.raises(ModelUnavailable):
        model.complete(request())
    expected = estimate_request(request()) + estimate_tokens("some text")
    assert (tally.spent, tally.estimated_calls) == (Spent(tokens=expected, calls=2), 1)


def test_a_call_that_cannot_fit_is_not_made() -> None:
    script = ScriptedModel(["never"])
    model = BudgetedModel(script, budget=Budget(max_tokens=300), tally=Tally(Spent(tokens=200)))
    with pytest.raises(
        LimitReached, match="tokens budget ends the model's work: 100 tokens are left"
    ) as caught:
        model.complete(request())
    assert (caught.value.limit, script.requests) == ("tokens", [])


def test_the_output_limit_follows_what_is_left_and_an_overrun_stops_the_next_call() -> None:
    script = ScriptedModel([reply("late", Usage(input_tokens=10, output_tokens=900)), "never"])
    tally = Tally()
    model = BudgetedModel(script, budget=Budget(max_tokens=500), tally=tally)
    assert model.complete(request()).text == "late"
    assert script.requests[0].max_output_tokens == 500 - estimate_request(request())
    with pytest.raises(LimitReached, match="0 tokens are left"):
        model.complete(request())
    assert (tally.spent.calls, len(script.requests)) == (1, 1)


def test_a_dollar_limit_stops_before_the_money_is_gone() -> None:
    price = Price(input=1.0, output=1000.0)
    script = ScriptedModel(["x", "never"])
    model = BudgetedModel(script, budget=Budget(max_usd=0.5), tally=Tally(), price=price)
    model.complete(request())
    assert script.requests[0].max_output_tokens == 499
    broke = BudgetedModel(script, budget=Budget(max_usd=0.1), tally=Tally(), price=price)
    with pytest.raises(LimitReached, match=r"0\.1000 USD are left") as caught:
        broke.complete(request())
    assert caught.value.limit == "usd"


def test_prices_come_from_text_or_file(tmp_path: Path) -> None:
    text = json.dumps(
        {"big": {"input": 2, "output": 8}, "big-*": {"input": 1, "output": 4, "cached_input": 0.1}}
    )
    path = tmp_path / "prices.json"
    path.write_text(text)
    table = read_prices(text)
    assert read_prices(str(path)) == table
    assert price_of("big", table) == Price(input=2, output=8)
    assert price_of("big-mini", table) == Price(input=1, output=4, cached_input=0.1)
    assert (price_of("other", table), read_prices(" ")) == (None, {})


@pytest.mark.parametrize("text", ["{", '{"m": 3}', '{"m": {"input": -1, "output": 1}}', "/no/such/file"])
def test_a_bad_price_table_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="SUTURE_PRICES is not a price table"):
        read_prices(text)


def test_off_and_unconfigured_mean_no_model() -> None:
    assert open_model("off", "m", env={"OPENAI_API_KEY": "k"}) is None
    assert open_model("auto", "m", env={}) is None
    assert [endpoint_configured(e) for e in ({}, {"OPENAI_API_KEY": ""}, {"OPENAI_BASE_URL": "u"})] == [
        False,
        False,
        True,
    ]


def test_the_name_comes_from_the_option_then_the_environment() -> None:
    env = {"OPENAI_API_KEY": "k", "SUTURE_MODEL": "from-env"}
    names = [m.name for m in (open_model("auto", "named", env=env), open_model("auto", env=env)) if m]
    assert names == ["named", "from-env"]


def test_a_dollar_limit_without_a_price_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a price for 'm'"):
        open_model("auto", "m", budget=Budget(max_usd=1.0), env={"OPENAI_API_KEY": "k"})


def test_a_refused_call_is_no_exchange() -> None:
    seen: list[Exchange] = []
    tally = Tally(Spent(tokens=999))
    model = wrap_model(
        ScriptedModel(["x"]), budget=Budget(max_tokens=1000), tally=tally, sink=seen.append, env={}
    )
    with pytest.raises(LimitReached):
        model.complete(request())
    assert (seen, tally.spent.calls) == ([], 0)
