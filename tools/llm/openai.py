"""Any endpoint that speaks the chat completions API, through the official client, which owns the retries.

Import this module only when a model is used: the client takes 0.4 s to load.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletion

from policies.errors import ModelUnavailable
from tools.llm.base import ModelReply, ModelRequest, Usage

OFFICIAL_BASE_URL = "https://api.openai.com/v1"
_FORMAT_WORDS = re.compile(r"response_?format|json_?schema|json_?object|structured.?output|grammar", re.I)
_LIMIT_WORDS = re.compile(r"max_(completion_)?tokens", re.I)


class OpenAIModel:
    """One model behind one endpoint. A parameter that the endpoint rejects is tried once, then left out."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 300.0,
        connect_s: float = 10.0,
        max_retries: int = 2,
    ) -> None:
        """`timeout_s` is the longest silence of the endpoint, per try; `max_retries` counts further tries."""
        self._name = name
        self._key = api_key or ""
        self._base_url = base_url or OFFICIAL_BASE_URL
        self._timeout_s = timeout_s
        self._tries = max_retries + 1
        self._formats = ["json_schema", "json_object", "plain"]
        self._limits = ["max_completion_tokens", "max_tokens", ""]
        self._client = openai.OpenAI(
            # Local endpoints want no key, the client insists on one.
            api_key=self._key or "unused",
            base_url=self._base_url,
            timeout=openai.Timeout(timeout_s, connect=min(connect_s, timeout_s)),
            max_retries=max_retries,
        )

    @property
    def name(self) -> str:
        """The model's name as it is asked for."""
        return self._name

    @property
    def endpoint(self) -> str:
        """Scheme, host and path of the endpoint; user names and passwords in the URL are left out."""
        parts = urlsplit(self._base_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    def offered(self) -> tuple[str, ...]:
        """The names of the models that the endpoint lists. Raises ModelUnavailable."""
        try:
            return tuple(m.id for m in self._client.with_options(timeout=10.0, max_retries=0).models.list())
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            raise self._unavailable(error) from error

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request. Raises ModelUnavailable."""
        while True:
            started = time.monotonic()
            try:
                completion = self._client.chat.completions.create(**self._arguments(request))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self._simplify(error):
                    raise self._unavailable(error) from error
            except (openai.OpenAIError, ValueError) as error:
                raise self._unavailable(error) from error
            else:
                return self._reply(completion, time.monotonic() - started)

    def _arguments(self, request: ModelRequest) -> dict[str, Any]:  # keyword arguments of the vendor's client
        messages = [{"role": m.role, "content": _clean(m.content)} for m in request.messages]
        arguments: dict[str, Any] = {"model": self._name, "messages": messages}
        if self._limits[0]:
            arguments[self._limits[0]] = request.max_output_tokens
        if self._formats[0] == "json_schema":
            schema = {"name": request.schema_name, "schema": request.json_schema, "strict": True}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
            return arguments
        if self._formats[0] == "json_object":
            arguments["response_format"] = {"type": "json_object"}
        messages[0]["content"] += (
            "\n\nAnswer with exactly one JSON object, without any text around it, that is valid under this "
            f"JSON schema:\n{json.dumps(request.json_schema)}"
        )
        return arguments

    def _simplify(self, error: openai.APIStatusError) -> bool:
        """Give up the parameter that the endpoint objects to; False when it objects to something else."""
        said = f"{getattr(error, 'param', '') or ''} {error.message}"
        for words, ladder in ((_FORMAT_WORDS, self._formats), (_LIMIT_WORDS, self._limits)):
            if words.search(said) and len(ladder) > 1:
                del ladder[0]
                return True
        return False

    def _reply(self, completion: object, wall_s: float) -> ModelReply:
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise ModelUnavailable(
                f"{self.endpoint} did not answer in the form of the chat completions API "
                f"({str(completion)[:200]!r}): check OPENAI_BASE_URL, which usually ends in /v1"
            )
        choice = completion.choices[0]
        refusal = _text(getattr(choice.message, "refusal", None))
        return ModelReply(
            text=refusal or _text(getattr(choice.message, "content", None)),
            usage=_usage(completion),
            model=_text(completion.model) or self._name,
            finish_reason="refusal" if refusal else (_text(choice.finish_reason) or "stop"),
            wall_s=round(wall_s, 3),
        )

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        """Ours for theirs: what failed, and what to do."""
        said = self._redacted(re.sub(r"^Error code: \d+ - ", "", str(error)))[:400]
        match error:
            case openai.APITimeoutError():
                what = f"{self.endpoint} gave no answer within {self._timeout_s:g} s, {self._tries} times"
            case openai.APIConnectionError():
                cause = self._redacted(str(error.__cause__ or said))[:200]
                what = f"cannot reach {self.endpoint} ({cause}): is it running, is OPENAI_BASE_URL right?"
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                what = f"{self.endpoint} refuses the key ({said}): set OPENAI_API_KEY"
            case openai.NotFoundError():
                what = f"{self.endpoint} has no model {self._name!r} ({said}): name one with --model"
            case openai.RateLimitError():
                what = f"{self.endpoint} limits the rate or the quota is used up ({said}): wait, or raise it"
            case openai.APIStatusError():
                what = f"{self.endpoint} fails with status {error.status_code} ({said})"
            case _:
                what = f"{self.endpoint} gave an answer that cannot be read ({type(error).__name__}: {said})"
        return ModelUnavailable(what)

    def _redacted(self, text: str) -> str:
        """Endpoints like to quote the key they refuse."""
        quoted = text.replace(self._key, "***") if self._key else text
        return re.sub(r"\b(sk|key)-[\w*.\-]{6,}", "***", quoted)


def _usage(completion: ChatCompletion) -> Usage:
    usage = completion.usage
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input_tokens=_count(getattr(usage, "prompt_tokens", None)),
        output_tokens=_count(getattr(usage, "completion_tokens", None)),
        cached_input_tokens=_count(getattr(details, "cached_tokens", None)),
    )


def _count(value: object) -> int | None:
    """The client does not validate what it reads; a count that is none was not reported."""
    return value if isinstance(value, int) and value >= 0 else None


def _text(value: object) -> str:
    """Text as a string, or as the list of parts that some endpoints send."""
    if isinstance(value, str):
        return value
    parts = value if isinstance(value, list) else []
    return "".join(_text(part.get("text")) for part in parts if isinstance(part, dict))


def _clean(text: str) -> str:
    """Lone surrogates cannot be sent; they become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
