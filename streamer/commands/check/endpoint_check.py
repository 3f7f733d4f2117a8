"""Whether the judge's endpoint answers, and how it can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.config.settings import Settings
from streamer.errors import StreamerError
from streamer.judging.loading import loaded
from streamer.judging.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """A line for each problem, and one for how tasks are judged there."""

    problems: Sequence[str] = ()
    seen: Sequence[str] = ()


async def endpoint_report(settings: Settings, patience_s: float) -> EndpointReport:
    """Empty for a judge of another kind. Asks a few questions, of none of the user's tickets."""
    if settings.judge.kind != "endpoint":
        return EndpointReport()
    seen: list[str] = []
    try:
        judge = await loaded(settings, Surroundings(tell=seen.append), patience=patience_s)
    except StreamerError as error:
        return EndpointReport([str(error)])
    await judge.stop()
    return EndpointReport(seen=[f"judge   {line}" for line in seen])
