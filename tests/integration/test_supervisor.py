"""The supervisor, with small real processes that are started and killed."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.supervisor import Command, NotReady, Process, ProcessRegistry, Supervisor, process_tree
from tests.support.waiting import eventually

SLEEP = ("sleep", "1000")
ROOT = Path(__file__).parents[2]


class Lines(list[str]):
    """The lines that were printed."""

    def __call__(self, line: str) -> None:
        """Append a line."""
        self.append(line)


def lives(pid: int) -> bool:
    """Whether a process runs, and is not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running(process: Process) -> int:
    """Return a process' id once its command has replaced `parent_death.py`."""
    eventually(
        lambda: (
            process.pid is not None
            and psutil.Process(process.pid).name() != Path(sys.executable).name
        )
    )
    assert process.pid is not None
    return process.pid


@pytest.fixture
def printed() -> Lines:
    """The lines that the supervisor has printed."""
    return Lines()


@pytest.fixture
def supervisor(tmp_path: Path, printed: Lines) -> Iterator[Supervisor]:
    """A supervisor whose processes are all stopped afterwards."""
    made = Supervisor(tmp_path, ProcessRegistry(tmp_path / "processes.json"), printed)
    yield made
    made.stop(made.processes, timeout_s=0)


def test_a_killed_process_is_restarted_and_a_line_says_so(
    supervisor: Supervisor, printed: Lines
) -> None:
    """SIGKILL, as from the kernel when memory is short."""
    process = supervisor.start(Command("napper", SLEEP))
    first = running(process)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, first))
    assert printed == ["napper died of SIGKILL; starting it again in 0.1 s"]
    assert not lives(first)


def test_a_process_that_ends_by_itself_is_restarted_too(
    supervisor: Supervisor, printed: Lines
) -> None:
    """No process of a stack is meant to end."""
    process = supervisor.start(Command("quitter", ("sh", "-c", "exit 3")))
    eventually(lambda: process.starts >= 3)
    assert printed[:2] == [
        "quitter ended (3); starting it again in 0.1 s",
        "quitter ended (3); starting it again in 0.2 s",
    ]


def test_the_children_of_a_process_that_died_are_gone_before_it_restarts(
    supervisor: Supervisor,
) -> None:
    """A worker that outlives its parent would keep the port."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000 & wait")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    os.kill(master, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, master))
    eventually(lambda: not lives(worker.pid))


def test_workers_can_be_killed_without_their_parent(supervisor: Supervisor) -> None:
    """As when only a worker crashes."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000; sleep 1000")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    process.kill_workers()
    eventually(lambda: not lives(worker.pid))
    assert lives(master)


def test_a_paused_process_continues_where_it_was(supervisor: Supervisor) -> None:
    """Paused, it and its children hang, but stay alive."""
    process = supervisor.start(Command("napper", SLEEP))
    pid = running(process)
    process.pause()
    eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    process.resume()
    eventually(lambda: psutil.Process(pid).status() != psutil.STATUS_STOPPED)
    assert (process.pid, process.starts) == (pid, 1)


def test_a_stopped_process_is_gone_and_is_not_restarted(supervisor: Supervisor) -> None:
    """With its descendants."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000 & wait")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    process.stop()
    assert process.has_ended()
    eventually(lambda: not lives(master) and not lives(worker.pid))


def test_a_process_that_ignores_the_stop_signal_is_killed_in_time(supervisor: Supervisor) -> None:
    """A stack stops within its limits, whatever a process does."""
    stubborn = ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1000; done")
    process = supervisor.start(
        Command("stubborn", stubborn, ready=lambda run: "deaf" in run.output())
    )
    process.wait_ready()
    began = time.monotonic()
    process.stop(timeout_s=0.2)
    assert process.has_ended()
    assert 0.2 <= time.monotonic() - began < 5


TIDY = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(print("tidy")))
print("up")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("paused", [False, True])
def test_a_process_is_stopped_by_the_signal_of_its_command(
    supervisor: Supervisor, paused: bool
) -> None:
    """Such as SIGINT, a fast shutdown of Postgres; even when it is paused."""
    # In Python: a shell can trap no signal that whoever started the tests ignores.
    tidy = (sys.executable, "-u", "-c", TIDY)
    process = supervisor.start(
        Command("tidy", tidy, stop_signal=signal.SIGINT, ready=lambda run: "up" in run.output())
    )
    process.wait_ready()
    if paused:
        process.pause()
    process.stop()
    assert process.log.read_text() == "up\ntidy\n"


def test_a_restarted_process_is_ready_by_its_new_run(supervisor: Supervisor) -> None:
    """The output of the run before does not count."""
    command = Command("greeter", ("sh", "-c", "sleep 0.1; echo up; sleep 1000"))
    process = supervisor.start(dataclasses.replace(command, ready=lambda run: "up" in run.output()))
    process.wait_ready()
    process.restart()
    assert process.log.read_text() == "up\nup\n"


def test_an_error_at_the_start_ends_with_the_last_lines_of_the_log(supervisor: Supervisor) -> None:
    """So that nobody has to look for the reason."""
    broken = Command("broken", ("sh", "-c", "echo no such database; exit 1"), ready=lambda _: False)
    with pytest.raises(NotReady, match=r"broken does not start;.*broken.log ends with\n.*database"):
        supervisor.run(broken, timeout_s=30)


def test_a_process_that_does_not_start_is_reported_once(
    supervisor: Supervisor, printed: Lines
) -> None:
    """By the error of `wait_ready` with the last log lines, not at each restart."""
    broken = Command(
        "broken", ("sh", "-c", "echo read; echo failed; exit 1"), ready=lambda _: False
    )
    with pytest.raises(NotReady) as failed:
        supervisor.run(broken, timeout_s=30)
    log = supervisor.processes["broken"].log
    assert str(failed.value) == f"broken does not start; {log} ends with\n  read\n  failed"
    assert printed == []


def test_a_missing_folder_is_reported_in_a_line(supervisor: Supervisor, tmp_path: Path) -> None:
    """Such as a command's working folder; no log reports that."""
    lost = Command("lost", SLEEP, directory=tmp_path / "gone", ready=lambda _: False)
    with pytest.raises(NotReady) as failed:
        supervisor.run(lost, timeout_s=30)
    why = f"No such file or directory: {tmp_path / 'gone'}"
    assert str(failed.value) == f"lost could not be started: {why}"


def test_a_start_that_takes_too_long_is_an_error(supervisor: Supervisor) -> None:
    """It names the process and the time-out."""
    with pytest.raises(NotReady, match=r"slow is not ready after 0\.1 s"):
        supervisor.run(Command("slow", SLEEP, ready=lambda _: False), timeout_s=0.1)


def test_a_missing_program_is_named(supervisor: Supervisor) -> None:
    """One line, in its log, instead of a traceback."""
    with pytest.raises(NotReady, match="cannot run /no/such: No such file"):
        supervisor.run(Command("absent", ("/no/such",), ready=lambda _: False), timeout_s=30)


def test_a_process_that_runs_once_is_ready_when_its_work_is_done(supervisor: Supervisor) -> None:
    """Such as the migrations."""
    supervisor.run(Command("migrations", ("sh", "-c", "echo done"), once=True), timeout_s=30)
    assert supervisor.processes["migrations"].log.read_text() == "done\n"
    assert supervisor.processes["migrations"].starts == 1


def test_a_process_that_runs_once_and_fails_is_not_tried_again(supervisor: Supervisor) -> None:
    """It would fail in the same way."""
    command = Command("migrations", ("sh", "-c", "echo syntax error; exit 1"), once=True)
    with pytest.raises(NotReady, match=r"migrations failed;.*\n.*syntax error"):
        supervisor.run(command, timeout_s=30)
    assert supervisor.processes["migrations"].starts == 1


def test_nothing_starts_after_close(supervisor: Supervisor) -> None:
    """A thread that still starts processes cannot revive one."""
    supervisor.close()
    with pytest.raises(NotReady):
        supervisor.start(Command("late", SLEEP))


OWNER = """
    import sys, time
    from pathlib import Path
    from local.supervisor import Command, ProcessRegistry, Supervisor
    folder = Path(sys.argv[1])
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    process = supervisor.start(
        Command("orphan", ("sh", "-c", sys.argv[2]), ready=lambda run: "up" in run.output())
    )
    process.wait_ready()
    print(process.pid, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def orphaned(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """A function that runs a script, kills the script's parent with SIGKILL, and returns its id."""
    orphans: list[int] = []

    def orphan(script: str) -> int:
        with subprocess.Popen(
            (sys.executable, "-c", textwrap.dedent(OWNER), str(tmp_path), script),
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as owner:
            assert owner.stdout is not None
            orphans.append(int(owner.stdout.readline()))
            owner.kill()
        return orphans[-1]

    yield orphan
    for pid in orphans:
        process_tree.kill_group(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of such a death")
def test_a_process_is_asked_to_stop_when_its_parent_is_killed(
    tmp_path: Path, orphaned: Callable[[str], int]
) -> None:
    """No process is left behind, even then."""
    orphan = orphaned("trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.01; done")
    eventually(lambda: not lives(orphan))
    assert "asked" in (tmp_path / "orphan.log").read_text()


DEAF = "trap '' TERM INT; echo up; while :; do sleep 0.1; done"


def test_the_next_stack_stops_what_a_killed_one_left(
    tmp_path: Path, printed: Lines, orphaned: Callable[[str], int]
) -> None:
    """It kills what ignores the signal."""
    orphan_id = orphaned(DEAF)
    ProcessRegistry(tmp_path / "processes.json").stop_leftovers(printed, timeout_s=0.3)
    eventually(lambda: not lives(orphan_id))
    assert printed == ["ending orphan, which a killed stack left running"]


@pytest.mark.parametrize("is_ours", [True, False])
def test_of_a_group_without_its_leader_only_our_processes_are_stopped(
    tmp_path: Path, printed: Lines, is_ours: bool
) -> None:
    """A worker of ours would keep its port; another process with the same group id stays."""
    entries = tmp_path / "processes.json"
    with subprocess.Popen(
        ("/bin/sh", "-c", "sleep 1000 >&- & echo $!"),
        stdout=subprocess.PIPE,
        env={**os.environ, **(ProcessRegistry(entries).environment if is_ours else {})},
        start_new_session=True,
    ) as leader:
        assert leader.stdout is not None
        worker = int(leader.stdout.readline())
    entries.write_text(json.dumps({"trigger": [leader.pid, time.time()]}))
    try:
        # While a process executes another program its environment is empty.
        eventually(lambda: psutil.Process(worker).name() == "sleep")
        assert [process.pid for process in process_tree.group(leader.pid)] == [worker]
        ProcessRegistry(entries).stop_leftovers(printed, timeout_s=0.3)
        assert lives(worker) is not is_ours
        assert bool(printed) is is_ours
    finally:
        process_tree.kill_group(leader.pid)


def test_a_process_with_the_id_of_an_old_one_is_left_alone(tmp_path: Path, printed: Lines) -> None:
    """Ids are reused, after a restart of the machine for example."""
    entries = tmp_path / "processes.json"
    with subprocess.Popen(SLEEP, start_new_session=True) as other:
        entries.write_text(json.dumps({"postgres": [other.pid, time.time() - 1000]}))
        ProcessRegistry(entries).stop_leftovers(printed)
        assert other.poll() is None
        other.kill()
    assert printed == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": ["x", 2]}'])
def test_a_damaged_registry_is_ignored(tmp_path: Path, printed: Lines, content: str) -> None:
    """The machine may have lost its power while it was written."""
    entries = tmp_path / "processes.json"
    entries.write_text(content)
    ProcessRegistry(entries).stop_leftovers(printed)
    assert printed == []


def test_a_long_log_is_rotated(supervisor: Supervisor) -> None:
    """Its writer continues at the new beginning, and stays ready, which the log no longer shows.

    A short one stays.
    """
    loop = "echo up; i=0; while read -r line; do i=$((i+1)); echo line $i; done"
    ticks = f"(while sleep 0.01; do echo; done) | ({loop})"
    process = supervisor.start(
        Command(
            "talker", ("sh", "-c", ticks), ready=lambda run: run.was_ready or "up" in run.output()
        )
    )
    process.wait_ready()
    eventually(lambda: process.log.stat().st_size > 200)
    supervisor.rotate_logs(100_000)
    assert process.log.read_text().startswith("up\n")
    supervisor.rotate_logs(100)
    former = process.log.with_name("talker.log.1").read_text()
    assert former.startswith("up\nline 1\n")
    eventually(lambda: "line" in process.log.read_text())
    assert process.log.read_text().startswith("line")  # and no hole where it was before
    assert process.is_ready()
    process.restart()
    assert "up" in process.log.read_text()


def test_a_log_that_cannot_be_rotated_stays_as_it_is(supervisor: Supervisor) -> None:
    """On a full disk its content is needed most."""
    process = supervisor.start(Command("talker", ("sh", "-c", "echo up; exec sleep 1000")))
    eventually(lambda: process.log.stat().st_size > 0)
    process.log.with_name("talker.log.1").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        supervisor.rotate_logs(1)
    assert process.log.read_text() == "up\n"


def test_a_process_that_cannot_be_recorded_runs_all_the_same_and_once(
    supervisor: Supervisor, printed: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk: it is reported, and the process is not started twice."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProcessRegistry, "add", full)
    process = supervisor.start(Command("sleeper", SLEEP))
    pid = running(process)
    eventually(lambda: len(printed) > 0)
    assert printed == ["sleeper is not recorded in the state folder: No space left on device"]
    assert (process.pid, process.starts) == (pid, 1)
