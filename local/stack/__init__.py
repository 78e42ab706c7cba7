"""GoalStream on one machine: every service, function and tool as a process of its own."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class StackError(Exception):
    """The stack cannot start; the message says why, and what to do about it."""
