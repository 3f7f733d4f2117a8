"""The demo's acts: play the tickets, judge everything, drain both ways, ask each worker."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer
from rich.console import Console

from streamer.config import Settings
from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.audited import Audited, audited
from streamer.dev.demo.calibrated import TriedCalibration, tried
from streamer.dev.demo.evidence import Drain, OtherJudge, RunEvidence, TaskEvidence, task_evidence
from streamer.dev.demo.judge_only import judge_all
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.other_judge import ask_other_judge
from streamer.dev.demo.playing import play, until_settled
from streamer.dev.demo.scenario import Played, held_back_tickets
from streamer.dev.demo.view import DemoView
from streamer.dev.demo.workers_alone import ask_alone
from streamer.dev.stack import Stack
from streamer.learn.calibrate.targets import JudgeShareTarget
from streamer.services.runtime.kafka import kafka_clients

_PATIENCE_S = 60.0
_DRAINED = 2000
TARGETS = JudgeShareTarget(0.15)

Verdicts = dict[tuple[Played, str], str]


class Performance:
    """One run over a stack that is up. `began` is when the command did, on the monotonic clock."""

    def __init__(self, stack: Stack, config: Path, console: Console, began: float) -> None:
        self._stack = stack
        self._config = config
        self._settings: Settings = stack.settings
        self._console = console
        self._began = began
        self._observer: Observer
        self._producer: AIOKafkaProducer

    async def run(
        self, played: Sequence[Played], good: Sequence[Played], rate: float
    ) -> RunEvidence:
        """Play `played` at `rate` records per second; measure on `good`, those without flaw."""
        kafka = self._settings.kafka
        self._observer = Observer(self._settings)
        clients = kafka_clients(kafka)
        self._producer = clients.producer(limit=kafka.max_record_bytes, compression=None)
        async with clients.started(self._producer), self._observer.watching():
            accounts = await self._live(played, rate)
            verdicts, drains = await self._drains(good)
            others = await self._others(good)
            audits = await self._audit(good)
        tasks = [await self._task(name, good, verdicts, accounts) for name in self._settings.tasks]
        tried = [self._try(task, drains, *audits) for task in tasks]
        first = min((outcome.at_ms for _, outcome, _ in accounts.outcomes()), default=0)
        now_ms, now = time.time() * 1000, time.monotonic()
        first_label_s = (first - now_ms) / 1000 + now - self._began
        restarts = self._stack.restarts()
        kind = self._settings.judge.kind
        return RunEvidence(kind, others, tasks, tried, drains, accounts, first_label_s, restarts)

    async def _others(self, good: Sequence[Played]) -> list[OtherJudge]:
        """The encoder, where a language model judges."""
        if self._settings.judge.kind != "llm":
            return []
        self._console.print("asking the encoder about the same tickets")
        asked = [(ticket, task) for ticket in good for task in ticket.gold]
        return await ask_other_judge(
            self._settings, self._config, self._producer, self._observer, asked
        )

    async def _audit(self, good: Sequence[Played]) -> tuple[Audited, Audited]:
        """What workers and judge say of the held-back and of the test tickets."""
        held_back = held_back_tickets(self._settings)
        self._console.print(f"auditing {len(held_back)} held-back and {len(good)} test tickets")
        both = (held_back, good)
        first, second = [
            await audited(self._settings, self._config, self._producer, tickets) for tickets in both
        ]
        return first, second

    def _try(
        self, task: TaskEvidence, drains: Sequence[Drain], learn: Audited, test: Audited
    ) -> TriedCalibration:
        judge = next(drain.judge_only for drain in drains if task.name in drain.tasks)
        costs = {name: alone.cost for name, alone in task.alone.items()}
        folder = self._settings.path(self._settings.state) / "report" / task.name
        self._console.print(f"calibrating {task.name} and writing its report")
        return tried(
            learn.dataset(task.name), test.dataset(task.name), TARGETS, costs, judge, folder
        )

    async def _live(self, played: Sequence[Played], rate: float) -> Accounts:
        self._console.print(f"playing {len(played)} records at {rate:.0f}/s")
        accounts = self._accounts()
        with DemoView(self._console, accounts, len(played)) as view:
            playing = asyncio.create_task(
                play(self._producer, self._settings.topics.tickets, played, accounts, rate)
            )
            while not playing.done():
                view.tick()
                await asyncio.sleep(0.1)
            await playing
            await until_settled(accounts, _PATIENCE_S, view.tick)
        return accounts

    async def _drains(self, good: Sequence[Played]) -> tuple[Verdicts, list[Drain]]:
        """For each set of tasks that share tickets: both ways, the judge's first."""
        verdicts: Verdicts = {}
        drains = []
        for tasks, tickets in _groups(good).items():
            self._console.print(f"draining {len(tickets)} tickets of {' + '.join(tasks)} both ways")
            asked = [(ticket, task) for ticket in tickets for task in tasks]
            judged = await judge_all(self._producer, self._observer, self._settings, asked)
            verdicts |= dict(zip(asked, judged.labels, strict=True))
            backlog = list(tickets) * -(-_DRAINED // len(tickets))
            seconds = await self._cascade(backlog)
            drains.append(
                Drain(
                    tasks,
                    len(backlog),
                    seconds / (len(backlog) * len(tasks)),
                    judged.seconds / len(asked),
                )
            )
        return verdicts, drains

    async def _cascade(self, backlog: Sequence[Played]) -> float:
        """Seconds from the first ticket's arrival to the last label."""
        accounts = self._accounts()
        topic = self._settings.topics.tickets
        began_ms = time.time() * 1000
        await play(self._producer, topic, backlog, accounts, None)
        await until_settled(accounts, _PATIENCE_S)
        last_ms = max(outcome.at_ms for _, outcome, _ in accounts.outcomes())
        return (last_ms - began_ms) / 1000

    async def _task(
        self,
        name: str,
        good: Sequence[Played],
        verdicts: Mapping[tuple[Played, str], str],
        accounts: Accounts,
    ) -> TaskEvidence:
        tickets = [ticket for ticket in good if name in ticket.gold]
        models = [worker.model for worker in self._settings.tasks[name].workers]
        texts = [ticket.text for ticket in tickets]
        alone = await ask_alone(self._settings.triton.url, models, texts)
        return task_evidence(self._settings, name, tickets, verdicts, alone, accounts)

    def _accounts(self) -> Accounts:
        accounts = Accounts(self._settings.tasks)
        self._observer.tell(accounts, self._settings.source)
        return accounts


def _groups(good: Sequence[Played]) -> dict[tuple[str, ...], list[Played]]:
    groups: dict[tuple[str, ...], list[Played]] = {}
    for ticket in good:
        groups.setdefault(tuple(ticket.gold), []).append(ticket)
    return groups
