"""Preparing a deployment on AWS Lambda."""

import sys

import pytest

from infra.aws.prepare import StepFailed, handler, prepare


def test_the_steps_run_in_order_and_their_output_is_the_result() -> None:
    """For the caller of the function, not only for its log."""
    steps = [lambda: print("created: a"), lambda: print("applied: b")]  # noqa: T201
    assert prepare(steps) == ["created: a", "applied: b"]


def test_a_step_that_fails_is_an_error_with_its_message() -> None:
    """Without an exit, and without the steps after it."""
    done: list[str] = []
    with pytest.raises(StepFailed, match="the topics could not be created: no"):
        prepare([lambda: sys.exit("the topics could not be created: no"), lambda: done.append("")])
    assert done == []


def test_an_event_may_run_the_enrichment_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else in the VPC could run it; an exit is an error with its message."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@127.0.0.1:1/d")
    with pytest.raises(StepFailed, match="The database does not answer"):
        handler({"enrichment": ["status"]}, None)
    with pytest.raises(StepFailed, match="2"):
        handler({"enrichment": ["retry"]}, None)
