"""A server that answers as vLLM's does, word for word, but for the model: it can be broken.

Its tokens are bytes, and a few special ones. It is as good as sure of the label whose name stands
first in a ticket; of those that don't, the first of the list.
"""

import asyncio
import json
import math
import re
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web

Way = Literal["classes", "exact", "listed", "said"]
Break = Literal[
    "busy", "later", "error", "garbage", "nonsense", "half", "hang", "reset", "refuse", "moved"
]

SPECIAL = {256: "<|im_start|>", 257: "<|im_end|>", 258: "[INST]", 259: "<think>", 260: "</think>"}
_IDS = {text: token for token, text in SPECIAL.items()}
_SPLIT = re.compile("(" + "|".join(map(re.escape, SPECIAL.values())) + ")")
_LISTED = re.compile(r"^(?:(\w{1,2})\. )?(\w+): ", re.MULTILINE)
_TICKET = re.compile(r"<ticket>\n(.*?)\n</ticket>", re.DOTALL)
SURE, REST = math.log(0.9), math.log(0.02)


class Served:
    """What is asked of it stands in `asked`, paths and bodies. `breaks` says of each request what
    goes wrong with it, None for nothing; it may be replaced at any time. It says that its cache had
    `cached` tokens of each prompt, if that is not None."""

    def __init__(
        self,
        offers: Collection[Way] = ("exact", "listed", "said"),
        *,
        model: str = "toy",
        build: str | None = "vllm-0.32.0-0a1b2c3d",
        key: str | None = None,
        classes: Sequence[str] = (),
        strict: Collection[str] = (),
    ) -> None:
        """`strict` are names of options that it refuses."""
        self.offers = set(offers)
        self.model = model
        self.build = build
        self.key = key
        self.classes = classes
        self.strict = strict
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.headers: list[Mapping[str, str]] = []
        self.lossy = False
        self.cached: int | None = None
        self.open = self.most_open = 0
        self.takes = 0.0
        self.breaks: Callable[[str, str], Break | None] = lambda path, text: None
        self.url = ""
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def running(
        self, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> AsyncIterator["Served"]:
        """On a port of its own, or on the one that is given."""
        self._ended = asyncio.Event()
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # Who left is no longer served, so that `open` counts what clients have in flight.
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        bound = runner.addresses[0][1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{bound}"
        try:
            yield self
        finally:
            self._ended.set()
            await runner.cleanup()

    def judged(self) -> list[str]:
        """The tickets that labels were asked for, in the order in which they came."""
        return [self._read(body) for path, body in self.asked if "token" not in path]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        path = request.path
        self.headers.append(dict(request.headers))
        if path != "/v1/models":
            self.asked.append((path, body))
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "no such key")
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(self.takes)
            broken = self.breaks(path, self._read(body))
            if broken is not None:
                return await self._break(request, broken)
            return self._sound(path, body)
        finally:
            self.open -= 1

    async def _break(self, request: web.Request, broken: Break) -> web.StreamResponse:
        if broken == "busy":
            return web.json_response({}, status=429, headers={"Retry-After": "0.3"})
        if broken == "later":
            return web.json_response({}, status=503, headers={"Retry-After": "1"})
        if broken == "error":
            return _error(500, "an error of the server's own")
        if broken == "refuse":
            return _error(400, "not this one")
        if broken == "moved":
            return web.Response(status=307, headers={"Location": "http://elsewhere.invalid/"})
        if broken == "garbage":
            return web.Response(text="<html>502</html>", content_type="text/html")
        if broken == "nonsense":
            return web.json_response({"choices": [], "data": [], "tokens": None})
        if broken == "hang":
            await self._ended.wait()
        if broken == "half":
            half = web.StreamResponse(headers={"Content-Length": "1000"})
            await half.prepare(request)
            await half.write(b'{"choices": [{"logprobs"')
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _sound(self, path: str, body: Mapping[str, Any]) -> web.Response:
        if path == "/v1/models":
            return web.json_response({"object": "list", "data": [{"id": self.model}]})
        if odd := [name for name in self.strict if name in body]:
            return _error(400, f"unknown option {odd[0]}")
        if body.get("model") != self.model:
            return _error(404, f"The model `{body.get('model')}` does not exist.")
        if path == "/tokenize" and "exact" in self.offers:
            return self._tokenize(body)
        if path == "/detokenize" and "exact" in self.offers:
            text = _text(body["tokens"])
            return web.json_response({"prompt": text.replace("\n", " ") if self.lossy else text})
        if path == "/v1/completions" and "exact" in self.offers:
            return self._complete(body)
        if path == "/classify" and "classes" in self.offers:
            return self._classify(body)
        if path == "/v1/chat/completions" and self.offers & {"listed", "said"}:
            return self._chat(body)
        return _error(404, "Not Found")

    def _tokenize(self, body: Mapping[str, Any]) -> web.Response:
        if "messages" in body:
            thinks = body.get("chat_template_kwargs", {}).get("enable_thinking", True)
            text = "".join(
                f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n"
                for one in body["messages"]
            )
            if body["add_generation_prompt"]:
                text += "<|im_start|>assistant\n"
                text += "<think>\n" if thinks else "<think>\n\n</think>\n\n"
        else:
            text = body["prompt"]
        tokens = _tokens(text)
        return web.json_response(
            {"count": len(tokens), "max_model_len": 8192, "tokens": tokens, "token_strs": None}
        )

    def _complete(self, body: Mapping[str, Any]) -> web.Response:
        scores = self._scores(_text(body["prompt"]))
        asked = body.get("logprob_token_ids", [ord(code[0]) for code in scores])
        listed = {f"token_id:{token}": scores.get(chr(token), -20.0) for token in asked}
        listed = {"token_id:10": -3.0, **listed}
        logprobs = {"tokens": ["token_id:10"], "token_logprobs": [-3.0], "top_logprobs": [listed]}
        choice = {"index": 0, "text": "\n", "logprobs": logprobs, "finish_reason": "length"}
        return self._said("text_completion", len(body["prompt"]), {"choices": [choice]})

    def _chat(self, body: Mapping[str, Any]) -> web.Response:
        text = "\n".join(one["content"] for one in body["messages"])
        scores = self._scores(text)
        likely = sorted(scores, key=lambda code: -scores[code])
        if "response_format" in body:
            if "said" not in self.offers:
                return _error(400, "response_format is not supported")
            (field,) = body["response_format"]["json_schema"]["schema"]["properties"].values()
            assert set(field["enum"]) == set(scores or field["enum"])
            content, logprobs = json.dumps({"label": (likely or field["enum"])[0]}), None
        elif body.get("logprobs"):
            if "listed" not in self.offers:
                return _error(400, "logprobs are not supported")
            listed = [
                {"token": code, "logprob": scores[code]} for code in likely[: body["top_logprobs"]]
            ]
            content = likely[0]
            logprobs = {"content": [{**listed[0], "top_logprobs": listed}]}
        else:
            content, logprobs = likely[0], None
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
        return self._said("chat.completion", len(text) // 4, {"choices": [choice]})

    def _classify(self, body: Mapping[str, Any]) -> web.Response:
        sure = _first(self.classes, body["input"])
        rest = 0.1 / (len(self.classes) - 1)
        probs = [0.9 if name == sure else rest for name in self.classes]
        data = {"index": 0, "label": sure, "probs": probs, "num_classes": len(probs)}
        return self._said("list", len(body["input"]) // 4, {"data": [data]})

    def _said(self, kind: str, tokens: int, more: Mapping[str, Any]) -> web.Response:
        details = None if self.cached is None else {"cached_tokens": self.cached}
        usage = {
            "prompt_tokens": tokens,
            "total_tokens": tokens + 1,
            "completion_tokens": 1,
            "prompt_tokens_details": details,
        }
        build = {} if kind == "list" else {"system_fingerprint": self.build}
        return web.json_response(
            {"id": "x", "object": kind, "model": self.model, **build, **more, "usage": usage}
        )

    def _scores(self, prompt: str) -> dict[str, float]:
        """Log-probabilities by code, or by name where the prompt lists no codes."""
        listed = _LISTED.findall(prompt.partition("<ticket>")[0])
        codes = {name: code or name for code, name in listed}
        sure = _first(list(codes), _ticket(prompt))
        return {code: SURE if name == sure else REST for name, code in codes.items()}

    def _read(self, body: Mapping[str, Any]) -> str:
        """The ticket in a request, or all the text there is."""
        if "prompt" in body:
            prompt = body["prompt"]
            return _ticket(prompt if isinstance(prompt, str) else _text(prompt))
        if "messages" in body:
            return _ticket("\n".join(one["content"] for one in body["messages"]))
        return str(body.get("input", ""))


def _first(names: Sequence[str], text: str) -> str:
    places = {name: text.find(name) for name in names if name in text}
    return min(places, key=lambda name: places[name]) if places else (names or [""])[0]


def _ticket(text: str) -> str:
    found = _TICKET.findall(text)
    return found[-1] if found else text


def _tokens(text: str) -> list[int]:
    parts = [[_IDS[part]] if part in _IDS else list(part.encode()) for part in _SPLIT.split(text)]
    return [token for part in parts for token in part]


def _text(tokens: Sequence[int]) -> str:
    raw = b"".join(
        SPECIAL[token].encode() if token in SPECIAL else bytes([token]) for token in tokens
    )
    return raw.decode(errors="replace")


def _error(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "Error", "param": None, "code": status}
    return web.json_response({"error": error}, status=status)
