"""Standard output that no terminal, pipe or encoding can break."""

import io
import sys

from rich.console import Console

from local.process.broken_pipe import fall_silent


class Output(Console):
    """A console that falls silent when its reader, such as `head`, has gone; the work goes on."""

    def on_broken_pipe(self) -> None:
        """Say nothing more, at exit neither."""
        self.quiet = True
        fall_silent()

    def say(self, text: str) -> None:
        """Print a line as it is: no wrapping, no markup, no colours."""
        self.out(text, highlight=False)


def standard_output() -> Output:
    """Return the process's standard output; letters that it cannot encode become `?`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Output()
