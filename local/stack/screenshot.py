"""Records a terminal as an SVG in which each line appears when it was printed."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.terminal_theme import MONOKAI

from local.process.console import StdoutConsole

WIDTH = 100
# Rich's own template loads its font from another host; this one takes what the reader has.
TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
@keyframes appear {{ from {{ opacity: 0; }} to {{ opacity: 0; }} }}
text {{ animation: appear 0s backwards; }}
ANIMATION
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Recorder(StdoutConsole):
    """A terminal that remembers what is printed on it, and when; spinners leave no trace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(
            record=True, width=WIDTH, force_terminal=True, force_interactive=False,
            color_system="truecolor",
        )  # fmt: skip
        self._clock = clock
        self._times: list[float] = []  # of each line

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as any console does."""
        super().print(*objects, **options)
        self._note()

    def out(self, *objects: Any, **options: Any) -> None:
        """Print as any console does."""
        super().out(*objects, **options)
        self._note()

    def save(self, path: Path, title: str) -> None:
        """Write all that was printed as an SVG; where nothing is animated, all of it is visible."""
        delays = "\n".join(
            f'[clip-path$="-line-{number})"] {{{{ animation-delay: {at - self._times[0]:.2f}s; }}}}'
            for number, at in enumerate(self._times)
        )
        self.save_svg(
            str(path),
            title=title,
            theme=MONOKAI,
            code_format=TEMPLATE.replace("ANIMATION", delays),
            unique_id="terminal",
        )

    def _note(self) -> None:
        lines = self.export_text(clear=False).count("\n")
        self._times += [self._clock()] * (lines - len(self._times))
