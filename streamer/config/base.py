"""What every settings block has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A frozen block of settings in which an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True
    )

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        # Any value may come from a secret in the environment, and end up in somebody's log.
        return []
