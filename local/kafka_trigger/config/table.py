"""What all tables of a triggers' file share."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """No unknown keys, and values that stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)
