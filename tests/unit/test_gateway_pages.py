"""The files of the ticker and of the page that posts goals."""

import re
from pathlib import Path

import pytest

from local.stack import ROOT

FOLDER = ROOT / "local" / "gateway" / "pages"
OWN = sorted(path for path in FOLDER.iterdir() if path.name != "swagger.html")
NAMESPACE = "http://www.w3.org/2000/svg"
# What makes markup or code of a text.
SINKS = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|eval\(|Function\("


def test_the_pages_are_html_css_and_modules_as_they_are_written() -> None:
    """There is no build step, and no other kind of file."""
    assert {path.suffix for path in OWN} == {".html", ".css", ".js", ".svg"}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_page_names_no_other_host_and_makes_no_markup_of_text(path: Path) -> None:
    """Nor has it a script, a style or a handler in its markup, which its policy would block."""
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert re.findall(r"https?:|@import|url\(", text) == []
    assert re.findall(SINKS, text) == []
    if path.suffix == ".html":
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text) == []
        assert all('src="pages/' in tag for tag in re.findall(r"<script[^>]*>", text))


def test_the_policy_of_the_pages_allows_only_their_own_host() -> None:
    """Nothing inline, no frame around it, and no markup made of text."""
    (policy,) = re.findall(
        r'Content-Security-Policy "([^"]*)"', (ROOT / "local/gateway/Caddyfile").read_text()
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("require-trusted-types-for") == "'script'"
    blocked = {"default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"}
    assert {name for name, value in rules.items() if value == "'none'"} == blocked
    own = {"script-src", "style-src", "connect-src", "img-src"}
    assert {name for name, value in rules.items() if value == "'self'"} == own
    assert rules.keys() == blocked | own
