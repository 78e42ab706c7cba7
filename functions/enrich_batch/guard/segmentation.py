"""Division of runs of a script without spaces into words."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from functions.enrich_batch.guard.tokens import Kind, Token


def divide(run: Token, is_known: Callable[[str], bool], longest: int) -> Iterator[Token]:
    """Divide a run so that as few characters as possible are unknown, in as few words as possible.

    No known word is of more than `longest` characters.
    """
    text = run.raw
    # Of each beginning of the run: its unknown characters, its words, the length of the last.
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for end in range(1, len(text) + 1):
        choices = [(best[end - 1][0] + 1, best[end - 1][1] + 1, 1)]
        for length in range(1, min(longest, end) + 1):
            if is_known(text[end - length : end]):
                unknown, words, _ = best[end - length]
                choices.append((unknown, words + 1, length))
        best.append(min(choices, key=lambda choice: choice[:2]))
    ends = [len(text)]
    while ends[-1]:
        ends.append(ends[-1] - best[ends[-1]][2])
    for start, end in pairwise(reversed(ends)):
        word = text[start:end]
        yield Token(Kind.DENSE, word, word, word, run.spaced and start == 0, True)
