"""What a version of a worker of kind llm asks, and where: all that it needs lies in its folder.

<version>/asks.json     the address and the form, the name of the key's variable, and who answered
<version>/<task>.yaml   the prompt, where the model is asked by one
<version>/ca.pem        the certificate's authority, where it has one of its own
"""

from hashlib import blake2b
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from streamer.config.base import Block
from streamer.errors import ModelError, in_words
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.endpoint_judge import EndpointJudge, Wanted
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import load_prompts
from streamer.records.labelset import LabelSet

ASKS = "asks.json"
CA = "ca.pem"

# As many as the configuration takes for a version.
_VERSIONS = 999_999_999


class Remote(Block):
    """A task with its labels, and the endpoint that is asked about it.

    `key_from` is the variable of Triton's environment that holds the key. `identity` is what
    answered when this was written: host, model, prompt and way of asking. `timeout` is in seconds.
    """

    task: str
    labels: tuple[str, ...] = Field(min_length=2)
    url: str = Field(pattern=r"^https?://[^\s@]+$")
    model: str | None = None
    key_from: str | None = None
    codes: Literal["letters", "names"] | None = None
    max_ticket_tokens: int = Field(ge=32)
    min_coverage: float = Field(ge=0, le=1)
    timeout: float = Field(gt=0)
    identity: str = ""

    @classmethod
    def read(cls, version: Path) -> "Remote":
        """Raises `ModelError` where a version's file is missing, damaged, or another's."""
        path = version / ASKS
        try:
            remote = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            why = in_words(error) if isinstance(error, OSError) else "it is damaged"
            raise ModelError(f"can't load {path}: {why}; run `streamer worker` again") from None
        if str(remote.number) != version.name:
            raise ModelError(
                f"{path} is of version {remote.number}: a version is never changed; run "
                "`streamer worker` again"
            )
        return remote

    @property
    def number(self) -> int:
        """The version: of what answers otherwise it is another one."""
        digest = blake2b(self.identity.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % _VERSIONS + 1

    @property
    def label_set(self) -> LabelSet:
        return LabelSet(self.labels)

    def address(self, folder: Path, key: str | None) -> Address:
        """Where it is; `folder` holds the certificate's authority, where there is one."""
        ca = folder / CA
        return Address(
            url=self.url,
            model=self.model,
            key=key,
            ca_file=ca if ca.exists() else None,
            timeout=self.timeout,
        )

    def wanted(self, prompts: Path) -> Wanted:
        """What it is asked; the prompt is read from the folder `prompts` where it is needed."""
        labels = {self.task: self.label_set}
        return Wanted(
            labels=labels,
            prompts=lambda tasks: load_prompts(prompts, {task: labels[task] for task in tasks}),
            form=Form(
                codes=self.codes,
                max_ticket_tokens=self.max_ticket_tokens,
                min_coverage=self.min_coverage,
            ),
        )

    def identity_of(self, address: Address, judge: EndpointJudge) -> str:
        """Of a judge that was met there: its host, and its version for this task."""
        return f"{address.host} {judge.version(self.task, self.label_set.version)}"
