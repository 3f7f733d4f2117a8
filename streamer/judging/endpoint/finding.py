"""Finds out how an endpoint can be asked, by trying."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from streamer.errors import ConfigError
from streamer.judging.endpoint.class_way import ClassWay
from streamer.judging.endpoint.dialect import DIALECTS
from streamer.judging.endpoint.exact import Exact
from streamer.judging.endpoint.faults import Refused
from streamer.judging.endpoint.identity import Identity
from streamer.judging.endpoint.talk_way import Listed, Reply, Said, TalkWay
from streamer.judging.endpoint.trying import Trying
from streamer.judging.endpoint.way import Way
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompts
from streamer.records.labelset import LabelSet

_TRIED = "The invoice for March shows two seats that we cancelled."
_LETTERS = 26
# So many tokens most servers list, and some no more than these.
_LISTS = (20, 5)
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A way for some tasks. `knows` says whether it tells probabilities, `told` what it is."""

    way: Way
    knows: bool
    told: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Looks for the best way to ask about the tasks of `labels`.

    `prompts` reads their prompts, where a way needs them.
    """

    trying: Trying
    labels: Mapping[str, LabelSet]
    prompts: Callable[[], Prompts]
    form: Form

    async def found(self) -> Found:
        """In this order: classes, exact probabilities, listed ones, a label alone.

        Raises `ConfigError` where there is no way, where key or model are wrong, or where the
        endpoint does not answer in time.
        """
        model = await self._model()
        for look in (self._classes, self._exact, self._listed, self._said):
            if (found := await look(model)) is not None:
                return found
        raise ConfigError(
            f"the endpoint {self._where} can't be asked for labels in any way that is known "
            f"({'; '.join(self.trying.refused)}): take another server or model, or correct "
            "judge.endpoint"
        )

    @property
    def _where(self) -> str:
        return self.trying.endpoint.address.host

    async def _model(self) -> str:
        """The name that the model is served by."""
        address = self.trying.endpoint.address
        names = await self._names(f"{address.base}/models")
        if address.model is not None and address.model in (names or [address.model]):
            return address.model
        if address.model is None and len(names) == 1:
            return names[0]
        known = ", ".join(names[:_TOLD]) or "models that it does not list"
        raise ConfigError(f"judge.endpoint.model: {self._where} serves {known}; name one of them")

    async def _names(self, url: str) -> list[str]:
        """What is served there; empty where it is not told."""
        try:
            said = await self.trying.answered(lambda: self.trying.endpoint.get(url))
            return [str(one["id"]) for one in said["data"]]
        except Refused as refused:
            if refused.status not in (401, 403):
                return []
            raise ConfigError(
                f"judge.endpoint.key: {self._where} refuses it ({refused}); set the variable that "
                "the configuration names to a key that may ask this model"
            ) from None
        except (KeyError, TypeError):
            return []

    async def _classes(self, model: str) -> Found | None:
        (task, labels), *more = self.labels.items()
        endpoint, most = self.trying.endpoint, self.form.max_ticket_tokens
        way = ClassWay(endpoint, model, task, labels, most)
        said = await self.trying.tried("classes", way.trial(_TRIED))
        if said is None:
            return None
        if more:
            raise ConfigError(
                f"judge.endpoint.model: {model} is a classifier for one task, and would be asked "
                f"about {', '.join(self.labels)}: write {{task}} in judge.endpoint.url or "
                "judge.endpoint.model, where the task's name belongs"
            )
        way.check_fit(said)
        identity = Identity.of(said)
        endpoint.rely_on(identity, way.question(_TRIED))
        return Found(way, True, f"{identity or model}, by its classes")

    async def _exact(self, model: str) -> Found | None:
        exact = await Exact.tried(self.trying, model)
        if exact is None:
            return None
        judge = await exact.judge(self.prompts(), self.form)
        codes = self.form.codes or "names"
        return Found(judge, True, f"{exact.served.digest}, by exact probabilities of {codes}")

    async def _listed(self, model: str) -> Found | None:
        if self.form.told:
            raise ConfigError(
                f"judge.contextual and judge.shifts need exact probabilities, and {self._where} "
                f"tells none ({'; '.join(self.trying.refused)}): leave them out"
            )
        most = max(len(one.label_set) for held in self.prompts().values() for one in held)
        if most > _LETTERS:
            self.trying.no("listed", f"{most} labels are more than there are letters")
            return None
        return await self._talked(model, *map(Listed, _LISTS))

    async def _said(self, model: str) -> Found | None:
        return await self._talked(model, Said())

    async def _talked(self, model: str, *replies: Reply) -> Found | None:
        prompts, endpoint = self.prompts(), self.trying.endpoint
        prompt = next(iter(prompts.values()))[0]
        for reply, dialect in product(replies, DIALECTS):
            way = TalkWay(endpoint, model, prompts, dialect, reply, self.form)
            question = way.question(prompt, _TRIED)
            said = await self.trying.tried(reply.name, question)
            if said is not None:
                identity = Identity.of(said)
                endpoint.rely_on(identity, question)
                return Found(way, reply.knows, f"{identity or model}, by {reply.told}")
        return None
