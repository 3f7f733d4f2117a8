"""What kind llm does in Triton: a request is answered when its texts are, and waits for no other.

Triton's own module exists only inside of its stub process, so it is passed in as `triton`.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from streamer.backends.remote import Remote
from streamer.backends.remote_model import Away, RemoteModel
from streamer.backends.serving import texts_of
from streamer.errors import DEFECTS, ModelError


class RemoteServing:
    """Answers requests on an event loop in a thread of its own, so that Triton's never waits."""

    def __init__(self, args: Mapping[str, str], triton: Any) -> None:
        """Raises `ModelError` where the version is damaged, or made for other labels."""
        self._triton = triton
        self._model = _loaded(args)
        self._loop = asyncio.new_event_loop()
        self._met = self._loop.create_task(self._model.keep_met())
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def begin(self, requests: Sequence[Any]) -> None:
        """Take requests, which are answered later."""
        for request in requests:
            answered = self._answered(
                texts_of(request, self._triton), request.get_response_sender()
            )
            asyncio.run_coroutine_threadsafe(answered, self._loop)

    def end(self) -> None:
        """Close the connections; Triton has had all its answers."""
        self._loop.call_soon_threadsafe(self._met.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._met)
        except asyncio.CancelledError:
            self._loop.close()

    async def _answered(self, texts: Sequence[str], sender: Any) -> None:
        triton = self._triton
        try:
            probs = await self._model.probabilities(texts)
            response = triton.InferenceResponse([triton.Tensor("PROBS", probs)])
        except Away as away:
            response = self._failed(str(away), triton.TritonError.UNAVAILABLE)
        except DEFECTS as error:
            response = self._failed(type(error).__name__, triton.TritonError.INTERNAL)
        sender.send(response, flags=triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def _failed(self, why: str, code: Any) -> Any:
        return self._triton.InferenceResponse(error=self._triton.TritonError(why, code))


def _loaded(args: Mapping[str, str]) -> RemoteModel:
    folder = Path(args["model_repository"])
    version = folder / args["model_version"]
    remote = Remote.read(version)
    size = json.loads(args["model_config"])["output"][0]["dims"][0]
    named = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    if (len(remote.labels), list(remote.labels)) != (size, named):
        raise ModelError(
            f"{version} was made for other labels than {folder} serves: run `streamer worker` again"
        )
    return RemoteModel(remote, version)
