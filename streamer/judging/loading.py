"""The kinds of judges, by what `judge.kind` calls them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from streamer.config.settings import Settings
from streamer.judging.classifier.classifier import ClassifierJudge
from streamer.judging.classifier.embedding import Embedding
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.judge import Judge
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.nearest import Embed, LabelledTickets, load_labelled
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompts, load_prompts
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


def form(settings: Settings) -> Form:
    """How a language model is asked, as configured."""
    judge = settings.judge
    return Form(
        codes=judge.codes,
        contextual=judge.contextual,
        shifts=judge.shifts,
        examples=judge.examples,
        max_ticket_tokens=judge.max_ticket_tokens,
        min_coverage=judge.min_coverage,
    )


def load_several(
    settings: Settings,
    asked: Sequence[tuple[Prompts, Form]],
    labelled: Mapping[str, LabelledTickets],
    traces: str | None = None,
) -> list[LanguageJudge]:
    """The configured language model in several ways of asking, all on one engine.

    Start and stop any one of them. Raises `ConfigError` as `load` does.
    """
    return LanguageJudge.load_several(
        settings.path(settings.judge.model),
        asked,
        labelled=labelled,
        settings=_engine(settings, traces),
        stalled_after=settings.judge.stalled_after,
    )


def encoder() -> Embed:
    """Embeds with the packaged encoder, which is loaded when it is first asked."""

    @cache
    def loaded() -> Embedding:
        return Embedding(Encoder.packaged())

    return lambda texts: loaded().of(texts)


def _language(settings: Settings, traces: str | None) -> LanguageJudge:
    prompts = settings.path(settings.judge.prompts)
    labelled = {}
    if settings.judge.examples:
        labelled = load_labelled(prompts, settings.label_sets, encoder())
    asked = (load_prompts(prompts, settings.label_sets), form(settings))
    [judge] = load_several(settings, [asked], labelled, traces)
    return judge


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
