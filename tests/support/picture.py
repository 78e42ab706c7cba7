"""Checks of the pictures of the demo that `make screenshot` writes."""

import re
import struct
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

from local.stack.browser import SIZE

NAMESPACE = "{http://www.w3.org/2000/svg}"
GOALS = 6  # of the final
LARGEST = 40_000  # bytes
PNG = b"\x89PNG\r\n\x1a\n"
SMALLEST_PNG, LARGEST_PNG = 50_000, 150_000  # bytes; one of a page without a highlight has 14,000


def assert_is_a_picture_of_the_ticker(path: Path) -> None:
    """Check that it is a PNG of the right size, with more on it than an empty page."""
    png = path.read_bytes()
    assert png.startswith(PNG)
    assert struct.unpack(">II", png[16:24]) == SIZE
    assert SMALLEST_PNG < len(png) < LARGEST_PNG


def assert_shows_the_final(path: Path) -> None:
    """Check that six highlights appear one after the other and no other host is referenced."""
    svg = path.read_text(encoding="utf-8")
    assert len(svg) < LARGEST
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    delays = {
        line: float(delay)
        for line, delay in re.findall(r'(-line-\d+\))"\] \{ animation-delay: ([\d.]+)s', svg)
    }
    shown = [
        delays[str(text.get("clip-path"))[-len(line) :]]
        for text in ET.fromstring(svg).iter(f"{NAMESPACE}text")  # noqa: S314 - our own file
        if (line := _line(text)) and re.fullmatch(r"\s+\d+\sms", text.text or "")
    ]
    assert len(shown) == GOALS
    assert all(before < after for before, after in pairwise(shown))


def _line(text: ET.Element) -> str:
    found = re.search(r"-line-\d+\)", text.get("clip-path", ""))
    return found[0] if found else ""
