"""What every settings block has in common."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A frozen block of settings in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
