"""A console on standard output that no terminal, pipe or encoding can break."""

import io
import sys

from rich.console import Console

from local.process.broken_pipe import discard_stdout


class StdoutConsole(Console):
    """A console that goes silent when its reader, such as `head`, has gone; the work goes on."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, not even at exit."""
        self.quiet = True
        discard_stdout()

    def print_line(self, text: str) -> None:
        """Print a line as it is: no wrapping, no markup, no colours."""
        self.out(text, highlight=False)


def stdout_console() -> StdoutConsole:
    """Return a console on standard output; characters that it cannot encode become `?`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return StdoutConsole()
