"""A language model as it is fed: one of random weights, and offline vLLM on the same prompts.

Four layers of width 512, some ten million weights: on two cores a ticket then keeps the model busy
for about as long as a GPU needs for one with a model of some billion weights. With a smaller one
the loop around it would be compared with itself: here, other than on a GPU, both share the cores.
"""

import os
import time
from pathlib import Path

import yaml

from bench.asked import LABELS, TASK, text
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.llm.answering import ByCode
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.prompt import load_prompts
from streamer.judging.llm.scorer import Scorer, sampling
from tests.judging.tiny import save_model

_WIDTH, _LAYERS = 512, 4
_WARM = 256
_PROMPT = {
    "instructions": "You sort the tickets of a shop's help desk by what they are about.",
    "labels": {
        "account": "signing in, passwords, names and addresses of a customer",
        "billing": "invoices, charges, refunds and cards",
        "delivery": "parcels, couriers, late or lost orders",
        "other": "anything else, such as faults of the programs",
    },
    "examples": [
        {"text": "I can't sign in since I changed my address.", "label": "account"},
        {"text": "Why is there a second charge on my card?", "label": "billing"},
        {"text": "The courier says that nobody was at home.", "label": "delivery"},
        {"text": "The export stops in the middle.", "label": "other"},
    ],
}


def prepare(folder: Path) -> None:
    """`folder`/model and `folder`/prompts."""
    save_model(folder / "model", width=_WIDTH, layers=_LAYERS)
    (folder / "prompts").mkdir()
    (folder / "prompts" / f"{TASK}.yaml").write_text(yaml.safe_dump(_PROMPT, sort_keys=False))


def offline(folder: Path, count: int) -> dict[str, float]:
    """Seconds for all prompts given to vLLM at once, and their tokens; loading is left out.

    The prefix cache is on, and what warms it up are other tickets than those that are counted.
    """
    settings, model = EngineSettings(), ModelFolder.at(folder / "model")
    os.environ.update(settings.environment())
    from vllm import LLM

    [prompt] = load_prompts(folder / "prompts", {TASK: LABELS})[TASK]
    asked = PreparedPrompt.of(model, Chat.at(model.folder), prompt, Form(codes="letters"))
    assert isinstance(asked.answering, ByCode)
    arguments = Scorer.arguments(model, asked.longest, settings)
    del arguments["enable_log_requests"]
    # vLLM's class for offline use wants a tokenizer, which token ids don't go through.
    engine = LLM(**arguments | {"skip_tokenizer_init": False})
    tickets = asked.chat_prompt.encode([text(number) for number in range(count + _WARM)])
    prompts = [{"prompt_token_ids": ticket.ids} for ticket in tickets]
    params = sampling(asked.answering.codes.ids)
    engine.generate(prompts[count:], params, use_tqdm=False)
    began = time.perf_counter()
    engine.generate(prompts[:count], params, use_tqdm=False)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": sum(len(ticket.ids) for ticket in tickets[:count])}
