"""Standard output that no terminal, pipe or encoding can break."""

import io
import os
import sys

from rich.console import Console


class Output(Console):
    """A console that falls silent when its reader, such as `head`, has gone; the work goes on."""

    def on_broken_pipe(self) -> None:
        """Say nothing more, at exit neither."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def say(self, text: str) -> None:
        """Print a line as it is: no wrapping, no markup, no colours."""
        self.out(text, highlight=False)


def standard_output() -> Output:
    """Return the process's standard output; letters that it cannot encode become `?`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Output()
