"""The judge of kind `endpoint`: models that others run, asked in the best way that they offer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from streamer.decide.token_cap import TokenCap
from streamer.errors import TicketError
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.finding import Finding, Found
from streamer.judging.endpoint.trying import Trying
from streamer.judging.endpoint.way import Way
from streamer.judging.engine.warm_up import warm_up
from streamer.judging.judge import Headers, JudgeScores, OverBudget
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompts
from streamer.judging.surroundings import Surroundings
from streamer.judging.usage import counted
from streamer.records.labelset import LabelSet

_TASK = "{task}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an endpoint is to judge: the tasks of `labels`, asked in this `form`.

    `prompts` reads the prompts of some tasks, where the way of asking needs them. What the endpoint
    took at start it may refuse for `refused_for` seconds. `tokens_per_hour` caps what all processes
    together are charged for.
    """

    labels: Mapping[str, LabelSet]
    prompts: Callable[[Sequence[str]], Prompts]
    form: Form
    refused_for: float = 120.0
    tokens_per_hour: int | None = None


class EndpointJudge:
    """A `Judge`. `met` makes it, since it is not known before how it can be asked."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        found: Mapping[str, Found],
        cap: TokenCap | None,
        surroundings: Surroundings,
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._found = dict(found)
        self._cap = cap
        self._surroundings = surroundings

    @classmethod
    async def met(
        cls,
        address: Address,
        wanted: Wanted,
        surroundings: Surroundings,
        patience: float | None = None,
    ) -> "EndpointJudge":
        """Wait for the endpoint, `patience` seconds at most, and ask it what it can.

        `{task}` in the address stands for a task's name. Raises `ConfigError` where it can't be
        asked about these tasks.
        """
        cap = wanted.tokens_per_hour
        judge = cls(
            [],
            {},
            None if cap is None else TokenCap(cap, time.monotonic()),
            surroundings,
        )
        try:
            for place, tasks in _places(address, wanted.labels).items():
                await judge._meet(place, tasks, wanted, patience)
        except BaseException:
            await judge.stop()
            raise
        return judge

    async def _meet(
        self, address: Address, tasks: Sequence[str], wanted: Wanted, patience: float | None
    ) -> None:
        endpoint = Endpoint(
            address,
            refused_for=wanted.refused_for,
            on_event=self._surroundings.asked,
            on_tokens=self._surroundings.charged,
        )
        self._endpoints = (*self._endpoints, endpoint)
        finding = Finding(
            Trying(endpoint, patience),
            {task: wanted.labels[task] for task in tasks},
            lambda: wanted.prompts(tasks),
            wanted.form,
        )
        found = await finding.found()
        self._found |= dict.fromkeys(tasks, found)
        self._surroundings.tell(f"{', '.join(tasks)}: judged at {address.host} by {found.told}")

    @property
    def knows(self) -> Mapping[str, bool]:
        """By task, whether its verdicts come with probabilities."""
        return {task: found.knows for task, found in self._found.items()}

    async def start(self) -> None:
        """Ask about a few tickets of our own for each task: each answer may cost money.

        Raises `EngineDead`, and `ConfigError` where the model would rather say something else.
        """
        _, texts, *_ = warm_up()
        for task, found in self._found.items():
            label_set = self.label_sets(task)[0].version
            scores = await found.way.score(task, label_set, texts)
            await found.way.check_coverage(task, label_set, scores)

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """See `Judge.label_sets`."""
        found = self._found.get(task)
        return () if found is None else found.way.label_sets(task)

    def version(self, task: str, label_set: str) -> str:
        """See `Judge.version`: the model's name, its build where that is told, prompt and way."""
        return self._way(task).version(task, label_set)

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        way = self._way(task)
        # What is not held is refused before anything else.
        way.version(task, label_set)
        if self._cap is None:
            return await way.score(task, label_set, texts, trace_headers)
        allowed = self._cap.begin(time.monotonic(), self._surroundings.part())
        self._surroundings.capped(self._cap.left, self._cap.spent, self._cap.suspended)
        if not allowed:
            raise OverBudget("this hour's tokens are spent: raise judge.endpoint.tokens_per_hour")
        with counted() as usage:
            try:
                return await way.score(task, label_set, texts, trace_headers)
            finally:
                self._cap.end(usage.charged)

    @property
    def full(self) -> bool:
        """See `Judge.full`; of any endpoint, and of the cap."""
        if self._cap is not None and self._cap.acts(time.monotonic(), self._surroundings.part()):
            return True
        return any(endpoint.full for endpoint in self._endpoints)

    @property
    def out(self) -> bool:
        """Whether an endpoint is known to answer nothing just now, and tickets wait for it."""
        return any(endpoint.out for endpoint in self._endpoints)

    async def healthy(self) -> None:
        """Raises `EngineDead` where another model answers, or everything is refused."""
        for endpoint in self._endpoints:
            endpoint.check()

    async def stop(self) -> None:
        """Close the connections. Waiting calls get `EngineDead`."""
        for endpoint in self._endpoints:
            await endpoint.stop()

    async def shown(self, task: str, label_set: str, text: str) -> str | None:
        """The prompt for one ticket as far as it is known here; None where there is none."""
        return await self._way(task).shown(task, label_set, text)

    def _way(self, task: str) -> Way:
        if task not in self._found:
            raise TicketError("unknown_task", f"no task {task[:200]!r} is configured")
        return self._found[task].way


def _places(address: Address, tasks: Mapping[str, LabelSet]) -> dict[Address, list[str]]:
    """The tasks by the address at which they are judged."""
    found: dict[Address, list[str]] = {}
    for task in tasks:
        model = address.model and address.model.replace(_TASK, task)
        place = replace(address, url=address.url.replace(_TASK, task), model=model)
        found.setdefault(place, []).append(task)
    return found
