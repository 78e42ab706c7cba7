"""What stands in for a cloud on one machine: every service and function as a process of its own."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
