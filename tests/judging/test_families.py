"""Models of several architectures, scored by vLLM as by whole passes of transformers."""

from pathlib import Path

import numpy as np
import pytest

from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.scorer import Scorer
from tests.judging.brute_force import BruteForce, softmax
from tests.judging.families import ARCHITECTURES, save_family
from tests.judging.tiny import make_prompt

TEXTS = ("Please return my money for the invoice.", "The app crashes.", "", "parcel " * 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
async def test_scores_are_those_of_whole_passes(name: str, tmp_path: Path) -> None:
    save_family(tmp_path, name)
    model, chat = ModelFolder.at(tmp_path), Chat.at(tmp_path)
    prompts = [
        PreparedPrompt.of(model, chat, make_prompt(6), Form(codes=codes, max_ticket_tokens=128))
        for codes in ("letters", "names")
    ]
    scorer = Scorer(model, max(one.longest for one in prompts), EngineSettings(precision="float32"))
    truth = BruteForce(tmp_path)
    letters, names = (
        np.array([truth.scores(prompt, text) for text in TEXTS]) for prompt in prompts
    )
    # A model that says the same of all would prove nothing.
    assert np.ptp(softmax(letters), axis=0).max() > 0.01
    await scorer.engine.start()
    try:
        for prompt, wanted in zip(prompts, (letters, names), strict=True):
            tickets = [ticket.ids for ticket in prompt.chat_prompt.encode(TEXTS)]
            for _ in ("cold", "warm"):
                found = await prompt.answering.scores(scorer, tickets, None)
                worst = np.abs(softmax(found) - softmax(wanted)).max()
                print(f"{name}: p differs by {worst:.1e} at most")
                assert worst < 1e-3
    finally:
        await scorer.engine.stop()
