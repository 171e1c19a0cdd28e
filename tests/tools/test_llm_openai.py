"""The client path over a real loopback server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from policies.errors import BadReply, ModelUnavailable
from tools.llm.base import Message, ModelReply, ModelRequest, Usage
from tools.llm.openai import OpenAIModel
from tools.llm.reading import answer_text

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
REQUEST = ModelRequest(
    purpose="repair",
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="one \ud800 two")),
    schema_name="answer",
    json_schema=SCHEMA,
    max_output_tokens=500,
)
Answer = tuple[int, object]
Script = Callable[[dict[str, Any]], Answer]


def completion(content: str | None = '{"a": 1}', **more: Any) -> dict[str, Any]:
    finish = more.pop("finish_reason", "stop")
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "served-1", "choices": [choice]}
    return {**body, **more}


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


class Server(ThreadingHTTPServer):
    """Answers from a script and keeps what was asked."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[dict[str, Any]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is part of the test."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({"path": self.path})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, asked: dict[str, Any]) -> None:
        self.server.asked.append({**asked, "authorization": self.headers["Authorization"]})
        status, body = self.server.script(asked)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status in (429, 500):
            self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    server = Server(script)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def in_order(*answers: Answer) -> Script:
    left = list(answers)
    return lambda _: left.pop(0)


def model(server: Server, **options: Any) -> OpenAIModel:
    return OpenAIModel("asked-1", base_url=server.url, api_key="sk-secret-value", **options)


def refused(answer: Answer, **options: Any) -> str:
    with serving(lambda _: answer) as server, pytest.raises(ModelUnavailable) as caught:
        model(server, **options).complete(REQUEST)
    assert "sk-secret-value" not in str(caught.value)
    return str(caught.value).replace(server.url, "URL")


def test_sends_a_strict_schema_and_reads_text_and_usage() -> None:
    usage = {
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    with serving(lambda _: (200, completion(usage=usage))) as server:
        reply = model(server).complete(REQUEST)
    assert server.asked == [
        {
            "model": "asked-1",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "one ? two"},
            ],
            "max_completion_tokens": 500,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
            "authorization": "Bearer sk-secret-value",
        }
    ]
    assert reply == ModelReply(
        text='{"a": 1}',
        usage=Usage(input_tokens=11, output_tokens=7, cached_input_tokens=4),
        model="served-1",
        finish_reason="stop",
        wall_s=reply.wall_s,
    )


def test_usage_is_none_when_not_reported_and_no_key_is_needed() -> None:
    with serving(lambda _: (200, completion())) as server:
        reply = OpenAIModel("m", base_url=server.url).complete(REQUEST)
    assert reply.usage == Usage(input_tokens=None, output_tokens=None)
    assert server.asked[0]["authorization"] == "Bearer unused"


def test_steps_down_once_per_model_where_the_endpoint_objects() -> None:
    def old_server(asked: dict[str, Any]) -> Answer:
        if "max_completion_tokens" in asked:
            return 400, error("Unrecognized request argument supplied: max_completion_tokens")
        kind = asked.get("response_format", {}).get("type", "plain")
        if kind != "plain":
            return 422, error(f"'{kind}' is not a supported response_format")
        return 200, completion()

    with serving(old_server) as server:
        talker = model(server)
        assert [talker.complete(REQUEST).text for _ in range(2)] == ['{"a": 1}'] * 2
    kinds = [a.get("response_format", {}).get("type", "plain") for a in server.asked]
    limits = [sorted(k for k in a if k.startswith("max_")) for a in server.asked]
    assert kinds == ["json_schema", "json_schema", "json_object", "plain", "plain"]
    assert limits == [["max_completion_tokens"]] + [["max_tokens"]] * 4
    assert json.dumps(SCHEMA) in server.asked[-1]["messages"][0]["content"]


def test_a_400_about_something_else_is_not_retried() -> None:
    answer = (400, error("maximum context length is 8192 tokens"))
    said = refused(answer)
    assert said.startswith("URL fails with status 400 (maximum context length")


def test_a_busy_endpoint_is_asked_again_by_the_client_alone() -> None:
    answers = in_order((429, error("slow down")), (500, error("oops")), (200, completion()))
    with serving(answers) as server:
        assert model(server).complete(REQUEST).text == '{"a": 1}'
    assert len(server.asked) == 3


def test_messages_say_what_to_do() -> None:
    said = "Incorrect API key provided: sk-secret-value"
    assert "refuses the key" in refused((401, error(said)))
    assert "set OPENAI_API_KEY" in refused((403, error("no")))
    assert "has no model 'asked-1'" in refused((404, error("unknown model")))
    assert "quota is used up (You exceeded" in refused((429, error("You exceeded")), max_retries=0)
    assert "fails with status 500 " in refused((500, error("oops")), max_retries=1)


@pytest.mark.parametrize(
    "body", [b"<html>hello</html>", b'{"hello": 1}', b"[]", b'"text"', b"\xff\xfe", b"null"]
)
def test_garbage_is_a_clear_error(body: bytes) -> None:
    said = refused((200, body))
    assert "did not answer in the form" in said or "cannot be read" in said


def test_a_slow_endpoint_times_out() -> None:
    def slow(_: dict[str, Any]) -> Answer:
        time.sleep(1)
        return 200, completion()

    with serving(slow) as server:
        started = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"no answer within 0\.2 s, 1 times"):
            model(server, timeout_s=0.2, max_retries=0).complete(REQUEST)
        assert time.monotonic() - started < 1


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://user:password@127.0.0.1:{sock.getsockname()[1]}/v1"
        with pytest.raises(ModelUnavailable, match=r"cannot reach .*is it running") as caught:
            OpenAIModel("m", base_url=url, max_retries=0).complete(REQUEST)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (completion('{"a": 1', finish_reason="length"), "cut off at the output limit"),
        (completion(None, message={"refusal": "I cannot."}), "refusal: I cannot."),
        (completion("", finish_reason="content_filter"), "content filter"),
        (completion(None), "empty"),
    ],
)
def test_unusable_answers_are_bad_replies(body: dict[str, Any], problem: str) -> None:
    with serving(lambda _: (200, body)) as server:
        reply = model(server).complete(REQUEST)
    with pytest.raises(BadReply, match=problem):
        answer_text(reply)


def test_survives_what_other_servers_make_of_the_form() -> None:
    parts = [{"type": "text", "text": '{"a":'}, {"type": "text", "text": " 1}"}]
    odd = completion(usage={"prompt_tokens": "many"}, finish_reason=None, message={"content": parts})
    bare = completion()
    bare["choices"][0] = {"index": 0, "message": None}
    with serving(in_order((200, odd), (200, bare))) as server:
        replies = [model(server).complete(REQUEST) for _ in range(2)]
    assert [(r.text, r.finish_reason, r.usage) for r in replies] == [
        ('{"a": 1}', "stop", Usage(input_tokens=None, output_tokens=None)),
        ("", "stop", Usage(input_tokens=None, output_tokens=None)),
    ]


def test_lists_what_is_offered() -> None:
    entry = {"id": "local-7b", "object": "model", "created": 0, "owned_by": "me"}
    with serving(lambda _: (200, {"object": "list", "data": [entry]})) as server:
        assert model(server).offered() == ("local-7b",)
