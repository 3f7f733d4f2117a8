"""How far a judge request has to go through the code, and so whoever reads along."""

from collections.abc import Mapping, Sequence
from functools import partial

from aiokafka import TopicPartition

from streamer.decide.sampling import drawn
from streamer.observe.measured import MeasuredConsumer
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.judge.judge_handler import JudgeHandler
from streamer.services.judge.observing import Observing
from streamer.services.judge.publishing import JudgePublisher
from streamer.services.judge.recent_results import RecentResults
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.isolation.in_flight_journal import InFlightJournal
from streamer.stream.isolation.poison_isolation import PoisonIsolation
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock
from tests.services.judging import OUTPUTS, Scripted, decided, record, request
from tests.way import of_the_second, walked


async def _noted(
    partitions: Sequence[TopicPartition],
) -> Mapping[TopicPartition, tuple[int, str]]:
    return {}


async def made(
    measured: MeasuredConsumer, metrics: Metrics, dead_letters: DeadLetters
) -> tuple[PoisonIsolation, InFlightJournal]:
    tracing = Tracing("test", 0.01)
    logged = partial(drawn, salt="salt", purpose="log", share=0.0)
    handler = JudgeHandler(
        judge=Scripted(),
        publisher=JudgePublisher(OUTPUTS, decided(), logged),
        dead_letters=dead_letters,
        recent=RecentResults(100),
        tracing=tracing,
        observing=Observing(metrics, tracing),
    )
    journal = InFlightJournal(measured, _noted)
    return PoisonIsolation(handler, journal, SharedExclusiveLock(), handler.set_aside), journal


def test_the_way_of_a_request_does_not_grow() -> None:
    # The first commit says what is in flight, the second that it is done.
    walk = partial(walked, record(request("good")), made, commits=2)
    way = of_the_second(walk)
    assert way.topics == {"labels"}
    assert way.within(46, 170, 72)
