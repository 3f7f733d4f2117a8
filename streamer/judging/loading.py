"""The kinds of judges, by what `judge.kind` calls them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.judging.classifier.classifier import ClassifierJudge
from streamer.judging.classifier.embedding import Embedding
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.endpoint_judge import EndpointJudge, Wanted
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.judge import Judge
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.nearest import Embed, LabelledTickets, load_labelled
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompts, load_prompts, prompts_folder
from streamer.judging.sequence.sequence import SequenceJudge
from streamer.judging.surroundings import Surroundings


def load(settings: Settings, traces: str | None = None) -> EngineJudge:
    """The configured judge, not started; its engine sends spans to the address `traces`.

    Raises `ConfigError` where the judge lacks anything, or has no engine here.
    """
    makers: dict[str, Callable[[Settings, str | None], EngineJudge]] = {
        "classifier": _classifier,
        "sequence": _sequence,
        "llm": _language,
    }
    if settings.judge.kind not in makers:
        raise ConfigError(
            f"a judge of kind {settings.judge.kind} runs elsewhere, and this needs its model here: "
            "set judge.kind to llm"
        )
    return makers[settings.judge.kind](settings, traces)


async def loaded(
    settings: Settings,
    surroundings: Surroundings | None = None,
    *,
    traces: str | None = None,
    patience: float | None = None,
) -> Judge:
    """As `load`, or one behind an endpoint, which is asked what it can.

    It is waited for, `patience` seconds at most. Raises `ConfigError` where the judge lacks
    anything.
    """
    surroundings = surroundings or Surroundings()
    if settings.judge.kind == "endpoint":
        return await _endpoint(settings, surroundings, patience)
    judge = load(settings, traces)
    surroundings.watch(judge.collect)
    return judge


async def _endpoint(
    settings: Settings, surroundings: Surroundings, patience: float | None
) -> EndpointJudge:
    judge, endpoint = settings.judge, settings.judge.endpoint
    assert endpoint.url is not None  # refused with the configuration

    def prompts(tasks: Sequence[str]) -> Prompts:
        labels = {task: settings.label_sets[task] for task in tasks}
        return load_prompts(settings.path(judge.prompts), labels)

    address = Address(
        url=endpoint.url,
        model=endpoint.model,
        key=endpoint.key,
        ca_file=endpoint.ca_file and settings.path(endpoint.ca_file),
        timeout=endpoint.timeout,
        in_flight=endpoint.in_flight,
    )
    wanted = Wanted(
        labels=settings.label_sets,
        prompts=prompts,
        form=form(settings),
        refused_for=judge.stalled_after,
        tokens_per_hour=endpoint.tokens_per_hour,
    )
    met = await EndpointJudge.met(address, wanted, surroundings, patience)
    try:
        _check_rules(settings, met)
    except ConfigError:
        await met.stop()
        raise
    return met


def _check_rules(settings: Settings, judge: EndpointJudge) -> None:
    """Raises `ConfigError` for what needs probabilities, where the endpoint tells none."""
    for name, task in settings.tasks.items():
        if judge.knows[name]:
            continue
        needs = [] if task.review_below is None else ["review_below"]
        if (task.after.kind, task.after.alpha) != ("v3", 0):
            needs.append(f"after ({task.after.kind}, alpha {task.after.alpha:g})")
        if needs:
            raise ConfigError(
                f"tasks.{name}: {' and '.join(needs)} needs the judge's probabilities, and this "
                "endpoint names a label and nothing more: leave it out, or take an endpoint that "
                "tells the likeliest tokens"
            )


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
    model, own = settings.path(settings.judge.model), settings.path(settings.judge.prompts)
    labelled = {}
    if settings.judge.examples:
        labelled = load_labelled(own, settings.label_sets, encoder())
    prompts = load_prompts(prompts_folder(model, own), settings.label_sets)
    asked = (prompts, form(settings))
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
