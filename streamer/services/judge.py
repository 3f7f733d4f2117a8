"""The judge service: judge requests in, final labels out."""

import asyncio
import os
from collections.abc import Callable

from streamer.config.settings import Settings
from streamer.judging.asked import Form
from streamer.judging.classifier import ClassifierJudge
from streamer.judging.judge import Judge
from streamer.judging.language import LanguageJudge
from streamer.judging.prompts import load_prompts
from streamer.judging.sequence import SequenceJudge
from streamer.judging.settings import EngineSettings
from streamer.observe.exporter import traces_url
from streamer.services.judge_lanes import run_lanes
from streamer.stream.positions import Start


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set; raises as `run_lanes` does."""
    await run_lanes(load, settings, stop, resume)


def load(settings: Settings) -> Judge:
    """The configured judge, not started; raises `ConfigError` where it lacks anything."""
    makers: dict[str, Callable[[Settings], Judge]] = {
        "classifier": _classifier,
        "sequence": _sequence,
        "llm": language,
    }
    return makers[settings.judge.kind](settings)


def language(settings: Settings) -> LanguageJudge:
    """The judge of kind llm, not started; raises `ConfigError` where it lacks anything."""
    judge = settings.judge
    return LanguageJudge.load(
        settings.path(judge.model),
        load_prompts(settings.path(judge.prompts), settings.label_sets),
        Form(judge.codes, judge.contextual, judge.max_ticket_tokens),
        settings=_engine(settings),
        stalled_after=judge.stalled_after,
    )


def _sequence(settings: Settings) -> SequenceJudge:
    judge = settings.judge
    return SequenceJudge.load(
        settings.path(judge.models),
        settings.label_sets,
        max_ticket_tokens=judge.max_ticket_tokens,
        settings=_engine(settings),
        stalled_after=judge.stalled_after,
    )


def _classifier(settings: Settings) -> ClassifierJudge:
    return ClassifierJudge.load(
        settings.path(settings.judge.models),
        settings.label_sets,
        settings=EngineSettings(traces_endpoint=traces_url(os.environ)),
        stalled_after=settings.judge.stalled_after,
    )


def _engine(settings: Settings) -> EngineSettings:
    engine = settings.judge.engine
    return EngineSettings(
        precision=engine.precision,
        max_sequences=engine.max_sequences,
        max_batch_tokens=engine.max_batch_tokens,
        kv_cache_gib=engine.kv_cache_gib,
        gpu_share=engine.gpu_share,
        traces_endpoint=traces_url(os.environ),
    )
