"""How a server wants to be talked to: the options that it takes, found by trying."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.judging.llm.chat import SWITCHES


@dataclass(frozen=True, slots=True)
class Dialect:
    """`length` is the name of the option that bounds an answer; `options` go with each request.

    Without `system` its text stands before the ticket, in one message of the user.
    """

    length: str = "max_tokens"
    options: Mapping[str, Any] = field(default_factory=dict)
    system: bool = True

    def talk(self, model: str, system: str, user: str, most: int) -> dict[str, Any]:
        """The body of a chat request that is answered by `most` tokens at most."""
        split = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        whole = [{"role": "user", "content": f"{system}\n\n{user}"}]
        messages = split if self.system else whole
        return {"model": model, "messages": messages, self.length: most, **self.options}


_COLD: Mapping[str, Any] = {"temperature": 0}
_PLAIN: Mapping[str, Any] = {"chat_template_kwargs": SWITCHES, **_COLD}

DIALECTS: Sequence[Dialect] = (
    # Of servers that render a template themselves: thinking is switched off.
    Dialect(options=_PLAIN),
    Dialect(options=_PLAIN, system=False),
    Dialect(options=_COLD),
    Dialect(options=_COLD, system=False),
    # OpenAI's newer models refuse max_tokens, and those that think any temperature.
    Dialect("max_completion_tokens", _COLD),
    Dialect("max_completion_tokens"),
)
"""What is tried, in this order."""
