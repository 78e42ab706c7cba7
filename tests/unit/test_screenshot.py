"""The pictures of the demo: of what is printed on a terminal, and of the ticker."""

from pathlib import Path

from rich.text import Text

from local.stack import ROOT
from local.stack.screenshot import Recorder
from tests.support.picture import assert_is_a_picture_of_the_ticker, assert_shows_the_final


def test_the_picture_of_the_readme_is_one_of_the_demo() -> None:
    """Each goal of the final appears in it, one after the other."""
    assert_shows_the_final(ROOT / "docs" / "demo.svg")


def test_the_picture_of_the_ticker_is_small_and_not_empty() -> None:
    """README loads it."""
    assert_is_a_picture_of_the_ticker(ROOT / "docs" / "ticker.png")


def test_each_line_appears_when_it_was_printed(tmp_path: Path) -> None:
    """From the first one on; a spinner is not in the picture."""
    now = 100.0
    recorder = Recorder(clock=lambda: now)
    with recorder.status("waiting"):
        recorder.out("one")
        recorder.print(Text("two\nthree"))
    now += 1.5
    recorder.out("four")
    recorder.save(tmp_path / "made.svg", "title")
    svg = (tmp_path / "made.svg").read_text()
    for line, seconds in enumerate(("0.00", "0.00", "0.00", "1.50")):
        assert f'-line-{line})"] {{ animation-delay: {seconds}s; }}' in svg
    assert "four" in svg
    assert "waiting" not in svg
