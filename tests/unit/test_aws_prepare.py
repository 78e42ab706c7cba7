"""What a deployment on AWS Lambda calls before its triggers are on."""

import sys

import pytest

from infra.aws.prepare import Failed, handler, prepare


def test_the_steps_are_done_in_their_order_and_tell_what_they_did() -> None:
    """To who invoked the function, and not to the log."""
    steps = [lambda: print("created: a"), lambda: print("applied: b")]  # noqa: T201
    assert prepare(steps) == ["created: a", "applied: b"]


def test_a_step_that_fails_is_an_error_with_its_message() -> None:
    """Without an exit, and without the steps after it."""
    done: list[str] = []
    with pytest.raises(Failed, match="the topics could not be created: no"):
        prepare([lambda: sys.exit("the topics could not be created: no"), lambda: done.append("")])
    assert done == []


def test_an_event_may_ask_for_the_operators_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else in the VPC could run it; what goes wrong is an error with its message."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@127.0.0.1:1/d")
    with pytest.raises(Failed, match="The database does not answer"):
        handler({"enrichment": ["status"]}, None)
    with pytest.raises(Failed, match="2"):
        handler({"enrichment": ["retry"]}, None)
