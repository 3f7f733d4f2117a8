"""The ways in which the configured judge can be asked, and a judge for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.commands.judge_test.embedded import Embedded
from streamer.config.settings import Settings
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.judge import Judge
from streamer.judging.llm.codes import LARGEST
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompt, prompts_folder
from streamer.judging.loading import form, load_several, loaded
from streamer.learn.judge_test.examination import all_questions
from streamer.learn.judge_test.variant import OWN, Codes, Question, Variant

TYPICAL = "typical examples"


@dataclass(frozen=True, slots=True)
class Ways:
    """`questions` to begin with, how it is asked as `configured`, and all `judges` that a test may
    need, on one engine, which has `begun` or is started with any of them. `prompts` are those of a
    language model that can be asked otherwise, by name.
    """

    questions: tuple[Question, ...]
    configured: Variant
    judges: Mapping[Question, Judge]
    prompts: Mapping[str, Prompt]
    begun: bool = False

    @classmethod
    async def of(
        cls,
        settings: Settings,
        task: str,
        files: Sequence[Path],
        examples: int,
        embedded: Embedded,
    ) -> "Ways":
        """With the prompts in `files` beside the configured one, and so many `examples` that are
        like a ticket. Raises `ConfigError`.
        """
        if settings.judge.kind != "llm" or _model(settings).taught:
            # One way alone: what it was trained for, or what an endpoint offers.
            judge = await loaded(settings)
            begun = settings.judge.kind == "endpoint"
            return cls((Question(),), Variant(), {Question(): judge}, {}, begun)
        label_set = settings.tasks[task].label_set
        prompts = _prompts(settings, task, files, embedded)
        codes: tuple[Codes, ...] = ("names",)
        if len(label_set) <= LARGEST:
            codes = ("names", "letters")
        questions = tuple(
            Question(prompt, each, 0, count)
            for count in dict.fromkeys((0, examples))
            for prompt in prompts
            if not (count and prompt == TYPICAL)
            for each in codes
        )
        configured = _configured(settings, len(label_set))
        wanted = all_questions(questions, configured, len(label_set))
        forms = [_form(form(settings), question) for question in wanted]
        judges = load_several(
            settings,
            [
                ({task: (prompts[question.prompt],)}, asked)
                for question, asked in zip(wanted, forms, strict=True)
            ],
            {task: embedded.labelled()},
        )
        return cls(questions, configured, dict(zip(wanted, judges, strict=True)), prompts)


def _prompts(
    settings: Settings, task: str, files: Sequence[Path], embedded: Embedded
) -> dict[str, Prompt]:
    label_set = settings.tasks[task].label_set
    judge = settings.judge
    folder = prompts_folder(settings.path(judge.model), settings.path(judge.prompts))
    own = Prompt.load(folder / f"{task}.yaml", task, label_set)
    found = {OWN: own}
    if not own.examples:
        found[TYPICAL] = replace(own, examples=embedded.typical())
    return found | {str(file): Prompt.load(file, task, label_set) for file in files}


def _configured(settings: Settings, labels: int) -> Variant:
    judge = settings.judge
    codes: Codes = "names" if labels > LARGEST else judge.codes or "names"
    question = Question(OWN, codes, 0, judge.examples)
    return Variant(question, judge.contextual, min(judge.shifts, labels))


def _model(settings: Settings) -> ModelFolder:
    return ModelFolder.at(settings.path(settings.judge.model))


def _form(configured: Form, question: Question) -> Form:
    return Form(
        codes=question.codes,
        first=question.shift,
        examples=question.examples,
        max_ticket_tokens=configured.max_ticket_tokens,
    )
