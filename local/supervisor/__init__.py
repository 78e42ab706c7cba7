"""Keeps processes running: each in its own session, with its log, restarted when it dies."""

from local.supervisor.command import Command, Run, User
from local.supervisor.process import Process
from local.supervisor.process_registry import ProcessRegistry
from local.supervisor.readiness import NotReady
from local.supervisor.supervisor import Supervisor

__all__ = ["Command", "NotReady", "Process", "ProcessRegistry", "Run", "Supervisor", "User"]
