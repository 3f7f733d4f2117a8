"""The kinds of judges, by what `judge.kind` calls them."""

from collections.abc import Callable

from streamer.config.settings import Settings
from streamer.judging.classifier.classifier import ClassifierJudge
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.judge import Judge
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import load_prompts
from streamer.judging.sequence.sequence import SequenceJudge


def load(settings: Settings, traces: str | None = None) -> Judge:
    """The configured judge, not started; its engine sends spans to the address `traces`.

    Raises `ConfigError` where the judge lacks anything.
    """
    makers: dict[str, Callable[[Settings, str | None], Judge]] = {
        "classifier": _classifier,
        "sequence": _sequence,
        "llm": _language,
    }
    return makers[settings.judge.kind](settings, traces)


def _language(settings: Settings, traces: str | None) -> LanguageJudge:
    judge = settings.judge
    return LanguageJudge.load(
        settings.path(judge.model),
        load_prompts(settings.path(judge.prompts), settings.label_sets),
        Form(judge.codes, judge.contextual, judge.max_ticket_tokens, judge.min_coverage),
        settings=_engine(settings, traces),
        stalled_after=judge.stalled_after,
    )


def _sequence(settings: Settings, traces: str | None) -> SequenceJudge:
    judge = settings.judge
    return SequenceJudge.load(
        settings.path(judge.models),
        settings.label_sets,
        max_ticket_tokens=judge.max_ticket_tokens,
        settings=_engine(settings, traces),
        stalled_after=judge.stalled_after,
    )


def _classifier(settings: Settings, traces: str | None) -> ClassifierJudge:
    return ClassifierJudge.load(
        settings.path(settings.judge.models),
        settings.label_sets,
        settings=_engine(settings, traces),
        stalled_after=settings.judge.stalled_after,
    )


def _engine(settings: Settings, traces: str | None) -> EngineSettings:
    return EngineSettings(**settings.judge.engine.model_dump(), traces_endpoint=traces)
