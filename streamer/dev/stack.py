"""The whole local stack as child processes: Kafka, Triton and our services."""

import asyncio
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Literal

from streamer.commands.topic_recipe import recipes
from streamer.config import Settings, load
from streamer.dev.kafka import Kafka
from streamer.dev.ports import LOOPBACK, free_port, port_here
from streamer.dev.service import Service
from streamer.dev.supervisor import Say, Supervisor
from streamer.dev.triton import Triton
from streamer.services.runtime.kafka import connection
from streamer.stream.topics import create_topics

Verb = Literal["classify", "judge", "table", "monitor"]
Part = Literal["kafka", "triton"] | Verb


_ADDRESSES: Mapping[Part, str] = {"kafka": "kafka.bootstrap", "triton": "triton.url"}


class Stack:
    """Everything that a configuration describes, on this machine and supervised.

    `overrides` are those of `streamer.config.load`; one of kafka.bootstrap or triton.url means
    that such a server runs already. Data and logs lie in the configured state folder. `say` gets
    a line when a part ends unexpectedly and when it is back.
    """

    def __init__(self, config: Path, overrides: Mapping[str, str], say: Say) -> None:
        self.settings = load(config, overrides)
        self._config = config.resolve()
        self._where = dict(overrides)
        self._say = say
        self._state = self.settings.path(self.settings.state)
        self._parts: dict[Part, Supervisor] = {}
        self.services: dict[Part, Service] = {}
        self.logs = self._state / "logs"

    def owns(self, part: Part) -> bool:
        """Whether the part is run here, and not a server that runs already."""
        return not self._is_there(part) or part in self._parts

    def begin(self, part: Part) -> "Future[None]":
        """Start a part and return at once; the future is done when it is ready.

        Nothing is started for a server that runs already. Begin classify after Kafka and Triton,
        judge, table and monitor after Kafka: they are told where these are.
        """
        if part not in self._parts and not self._is_there(part):
            # Made only now: a port that was free before minutes of training may be taken.
            self._parts[part] = self._make(part)
        if part in self._parts:
            return self._parts[part].begin()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def start(self, *parts: Part) -> None:
        """Start parts, all at once, and wait until they are ready; raises what the first raised."""
        for waiting in [self.begin(part) for part in parts]:
            waiting.result()

    def restart(self, *parts: Part, settings: Mapping[str, str] | None = None) -> None:
        """Stop these parts in their order and start them again in the other, with other `settings`
        from now on.
        """
        for part in parts:
            self._parts.pop(part).stop()
            # Where it was is no longer a server that runs already.
            self._where.pop(_ADDRESSES.get(part, ""), None)
        self._where |= settings or {}
        self.settings = load(self._config, self._where)
        for part in reversed(parts):
            self.start(part)

    def make_topics(self) -> None:
        """Create the configured topics that Kafka doesn't have."""
        client = connection(self.settings.kafka).options()
        bootstrap = client.pop("bootstrap_servers")
        asyncio.run(create_topics(bootstrap, recipes(self.settings), client=client))

    def restarts(self) -> int:
        """How often any part was started again because it had ended."""
        return sum(part.restarts for part in self._parts.values())

    def stop(self) -> None:
        """Stop everything; the services first, while Kafka and Triton are still there for them."""
        services = [part for name, part in self._parts.items() if name in self.services]
        servers = [part for name, part in self._parts.items() if name not in self.services]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Supervisor.stop, services))
            list(pool.map(Supervisor.stop, servers))

    def __enter__(self) -> "Stack":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _is_there(self, part: Part) -> bool:
        return _ADDRESSES.get(part) in self._where

    def _make(self, part: Part) -> Supervisor:
        if part == "kafka":
            kafka = Kafka(
                self._state / "kafka", port=self._port("Kafka", self.settings.kafka.bootstrap, 9092)
            )
            self._tell("kafka.bootstrap", kafka.bootstrap)
            return Supervisor("Kafka", kafka, self._say)
        if part == "triton":
            models = self.settings.path(self.settings.triton.models)
            triton = Triton(
                self._state / "triton",
                models,
                models=_models(self.settings),
                grpc_port=self._port("Triton", self.settings.triton.url, 8001),
            )
            self._tell("triton.url", triton.url)
            return Supervisor("Triton", triton, self._say, healthy=triton.healthy)
        self.services[part] = self._service(part)
        return Supervisor(part, self.services[part], self._say)

    def _port(self, name: str, configured: str, usual: int) -> int:
        """The configured port on this machine where it is free; else another, which is said."""
        here = port_here(configured)
        wanted = usual if here is None else here
        port = free_port(wanted)
        if here is None:
            self._say(f"{name} is at {LOOPBACK}:{port}, on this machine, and not at {configured}")
        elif wanted and port != wanted:
            self._say(f"{LOOPBACK}:{wanted} is taken: {name} is at {LOOPBACK}:{port} instead")
        return port

    def _tell(self, key: str, value: str) -> None:
        self._where[key] = value
        self.settings = load(self._config, self._where)

    def _service(self, verb: Verb) -> Service:
        settings = self.settings
        # One member each on this machine: a killed one is back at once, not after a timeout.
        given = {"kafka.member": f"{settings.kafka.group}-{verb}-1", **self._where}
        arguments = ["--config", str(self._config)]
        arguments += [part for item in given.items() for part in ("--set", "=".join(item))]
        # One behind an endpoint needs no engine, and so no environment of its own.
        judges = verb == "judge" and settings.judge.kind != "endpoint"
        wanted = getattr(settings, verb).listen.port
        return Service(
            verb,
            settings.judge_python if judges else Path(sys.executable),
            arguments,
            self.logs,
            port=self._port(verb, f"{LOOPBACK}:{wanted}", wanted),
            grace_s=settings.kafka.drain + 10,
        )


def _models(settings: Settings) -> list[str]:
    return [worker.model for task in settings.tasks.values() for worker in task.workers]
