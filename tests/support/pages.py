"""The pages of documentation, by their paths in the repository."""

import re

from local.stack import ROOT

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("", "docs", "infra", "local/kafka_trigger")
    for path in sorted((ROOT / folder).glob("*.md"))
}
README = PAGES["README.md"]
CLOUDS = ("docs/aws.md", "docs/google-cloud.md", "docs/knative.md")
TRIGGER = ("local/kafka_trigger/README.md", "local/kafka_trigger/COMMANDS.md")

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[str]:
    """The commands that a page has its reader type."""
    return _BLOCK.findall(page)


def section(page: str, title: str) -> str:
    """The text under a heading of the second level of a page, up to the next one."""
    found = PAGES[page].partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, f"{page} has no section {title!r}"
    return found


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table that has this header in a text."""
    table = text.partition(f"{header}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def first_column(text: str) -> set[str]:
    """Return the code spans in the first column of the tables of a text."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub generates for the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
