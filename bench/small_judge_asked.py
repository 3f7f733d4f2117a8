"""The judge's side of `small_judge`, in its environment: probabilities of held and test tickets."""

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np

from streamer.config import Settings, load
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.llm.answering import ByCode
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.chat_prompt import ChatPrompt
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.prompt import load_prompts
from streamer.judging.llm.scorer import Scorer
from streamer.learn.data.examples import Examples, is_held_back, read_examples

SEED = 20260729


async def ask(settings: Settings, task: str, chances: int) -> dict[str, np.ndarray]:
    """Arrays by name; of the test tickets where nothing else is said."""
    form = Form(codes="letters", max_ticket_tokens=settings.judge.max_ticket_tokens)
    model = ModelFolder.at(settings.path(settings.judge.model))
    chat = Chat.at(model.folder)
    prompts = load_prompts(settings.path(settings.judge.prompts), settings.label_sets)
    asked = PreparedPrompt.of(model, chat, prompts[task][0], form)
    forms = {"plain": asked, **_permuted(asked, chat, form, chances)}
    scorer = Scorer(model, asked.longest)
    served = {name: (one,) for name, one in forms.items()}
    judge = LanguageJudge(scorer, served, form, [scorer.engine])
    empty = LanguageJudge(scorer, {"plain": (asked,)}, replace(form, contextual=True))
    held, test = _examples(settings, task)
    index, version = asked.prompt.label_set.index, asked.prompt.label_set.version
    await judge.start()
    try:
        await empty.calibrate()
        plain = await judge.score("plain", version, test.texts)
        assert plain.coverage is not None
        others = [await judge.score(name, version, test.texts) for name in forms if name != "plain"]
        return {
            "plain": plain.probabilities,
            "coverage": plain.coverage,
            "contextual": (await empty.score("plain", version, test.texts)).probabilities,
            "permuted": np.array([one.probabilities for one in others]),
            "held": (await judge.score("plain", version, held.texts)).probabilities,
            "held_gold": np.array([index[label] for label in held.labels]),
            "gold": np.array([index[label] for label in test.labels]),
        }
    finally:
        await judge.stop()


def _permuted(
    asked: PreparedPrompt, chat: Chat, form: Form, chances: int
) -> dict[str, PreparedPrompt]:
    assert isinstance(asked.answering, ByCode)
    draw, found = np.random.default_rng(SEED), {}
    for number in range(chances):
        order = draw.permutation(len(asked.prompt.label_set)).tolist()
        codes = asked.answering.codes.permuted(order)
        prompt = ChatPrompt.of(
            chat, asked.prompt, codes.texts, max_ticket_tokens=form.max_ticket_tokens
        )
        version = f"{asked.version}-{number}"
        found[f"permuted-{number}"] = replace(
            asked, chat_prompt=prompt, answering=ByCode(codes), version=version
        )
    return found


def _examples(settings: Settings, task: str) -> tuple[Examples, Examples]:
    """Those held back from training, and those of the test file."""
    data = settings.tasks[task].data
    assert data is not None
    assert data.test is not None
    whole, test = (
        read_examples(settings.path(file), text=settings.example_text(data), label=data.label)
        for file in (data.train, data.test)
    )
    kept = [place for place, text in enumerate(whole.texts) if is_held_back(text, data.held_back)]
    held = Examples(
        tuple(whole.texts[place] for place in kept), tuple(whole.labels[place] for place in kept)
    )
    return held, test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("task")
    parser.add_argument("out", type=Path)
    parser.add_argument("chances", type=int)
    given = parser.parse_args()
    found = asyncio.run(ask(load(given.config), given.task, given.chances))
    with given.out.open("wb") as out:
        np.savez(out, **found)


if __name__ == "__main__":
    main()
