"""Why fields are not valid: pydantic's errors in plain words, by the names of the fields."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

FieldErrors = dict[str, list[str]]

# A sender of much nonsense is not answered with more of it.
MAX_ERRORS = 50
MAX_NAME_LENGTH = 64
MAX_ERRORS_PER_LINE = 10


def explain(
    errors: Sequence[Any], known: Sequence[str], *, prefix: tuple[int, ...] = ()
) -> FieldErrors:
    """The reasons in the first MAX_ERRORS of pydantic's errors, by field.

    `prefix` is where the validated part stands in the whole input: with `(3,)` a field of a batch's
    item is `3.player`. `known` are the names of fields that are suggested for unknown ones.
    """
    explained: FieldErrors = {}
    for error in errors[:MAX_ERRORS]:
        name = _dotted((*prefix, *error["loc"])) or "body"
        if error["type"] == "extra_forbidden":
            reason = explain_unknown(str(error["loc"][-1])[:MAX_NAME_LENGTH], known)
        else:
            reason = error["msg"].removeprefix("Value error, ")
        explained.setdefault(name, []).append(reason)
    return explained


def explain_unknown(name: str, known: Sequence[str]) -> str:
    """The reason why an unknown name is not valid, with a hint if it is nearly a known one."""
    folded = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower().replace("_", ""), folded, n=1, cutoff=0.7)
    return f"is unknown; did you mean {folded[close[0]]}?" if close else "is unknown"


def summarize(errors: Sequence[Any]) -> str:
    """The first MAX_ERRORS_PER_LINE of pydantic's errors, in one line."""
    return "; ".join(
        f"{_dotted(error['loc']) or 'data'}: {error['msg']}"
        for error in errors[:MAX_ERRORS_PER_LINE]
    )


def _dotted(location: Sequence[str | int]) -> str:
    return ".".join(str(part)[:MAX_NAME_LENGTH] for part in location)
