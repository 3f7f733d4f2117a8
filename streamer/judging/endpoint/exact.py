"""The exact way: the embedded language model's own prompts and scores, by a vLLM server."""

import asyncio
from dataclasses import dataclass

from streamer.errors import ConfigError, TicketError
from streamer.judging.endpoint.faults import Refused
from streamer.judging.endpoint.identity import Identity
from streamer.judging.endpoint.server_scorer import ServerScorer
from streamer.judging.endpoint.server_wording import ServerWording
from streamer.judging.endpoint.trying import Trying
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.prompt import Prompts

NAME = "exact"


@dataclass(frozen=True, slots=True)
class Served:
    """The model behind an endpoint; `folder` is what messages call it."""

    folder: str
    max_tokens: int
    digest: str
    taught: bool = False


@dataclass(frozen=True, slots=True)
class Exact:
    """That the exact way can be gone, and what for."""

    scorer: ServerScorer
    wording: ServerWording
    served: Served

    @classmethod
    async def tried(cls, trying: Trying, model: str) -> "Exact | None":
        """None where the server does not tokenise, or tells no probabilities of chosen tokens."""
        endpoint = trying.endpoint
        wording, scorer = ServerWording(endpoint, model), ServerScorer(endpoint, model)
        try:
            await trying.answered(lambda: asyncio.to_thread(wording.fetch))
        except (ConfigError, Refused, TicketError) as no:
            trying.no(NAME, str(no))
            return None
        prompt = await asyncio.to_thread(wording.template, wording.frame.after)
        # Not a likely one to come next: no list of likely ones would hold it by chance.
        question = scorer.question(prompt, prompt[:1])
        said = await trying.tried(NAME, question)
        if said is None:
            return None
        identity = Identity.of(said)
        where = f"{model} behind {endpoint.address.host}"
        endpoint.rely_on(identity, wording.question(where), question)
        return cls(scorer, wording, Served(where, wording.max_tokens, str(identity or model)))

    async def judge(self, prompts: Prompts, form: Form) -> LanguageJudge:
        """Raises `ConfigError` where a prompt is too long, or the labels can't be told apart."""

        def made() -> LanguageJudge:
            asked = {
                task: tuple(
                    PreparedPrompt.of(self.served, self.wording, prompt, form) for prompt in held
                )
                for task, held in prompts.items()
            }
            return LanguageJudge(self.scorer, asked, form)

        judge = await asyncio.to_thread(made)
        if form.contextual:
            await judge.calibrate()
        return judge
