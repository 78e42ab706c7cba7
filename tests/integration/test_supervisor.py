"""Processes that are kept running: small stand-ins, really started and really killed."""

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


class Told(list[str]):
    """What a person was told."""

    def __call__(self, line: str) -> None:
        """Keep a line."""
        self.append(line)


def lives(pid: int) -> bool:
    """Whether a process runs, and is not just waiting to be collected."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running(process: Process) -> int:
    """The id of a process once its command has taken over from the leash."""
    eventually(
        lambda: (
            process.pid is not None
            and psutil.Process(process.pid).name() != Path(sys.executable).name
        )
    )
    assert process.pid is not None
    return process.pid


@pytest.fixture
def told() -> Told:
    """What the supervisor said."""
    return Told()


@pytest.fixture
def supervisor(tmp_path: Path, told: Told) -> Iterator[Supervisor]:
    """A supervisor, all of whose processes are gone afterwards."""
    made = Supervisor(tmp_path, ProcessRegistry(tmp_path / "processes.json"), told)
    yield made
    made.stop(made.processes, limit=0)


def test_a_process_that_is_killed_is_started_again_and_a_line_says_so(
    supervisor: Supervisor, told: Told
) -> None:
    """SIGKILL, as from the kernel when memory is short."""
    process = supervisor.start(Command("napper", SLEEP))
    first = running(process)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, first))
    assert told == ["napper died of SIGKILL; starting it again in 0.1 s"]
    assert not lives(first)


def test_a_process_that_ends_by_itself_is_started_again_too(
    supervisor: Supervisor, told: Told
) -> None:
    """Nothing of a stack ends on its own account."""
    process = supervisor.start(Command("quitter", ("sh", "-c", "exit 3")))
    eventually(lambda: process.starts >= 3)
    assert told[:2] == [
        "quitter ended (3); starting it again in 0.1 s",
        "quitter ended (3); starting it again in 0.2 s",
    ]


def test_the_children_of_a_process_that_died_are_gone_before_it_starts_again(
    supervisor: Supervisor,
) -> None:
    """A worker that outlives its master would keep the port."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000 & wait")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    os.kill(master, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, master))
    eventually(lambda: not lives(worker.pid))


def test_workers_can_be_killed_without_their_master(supervisor: Supervisor) -> None:
    """As when only a worker crashes."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000; sleep 1000")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    process.kill_workers()
    eventually(lambda: not lives(worker.pid))
    assert lives(master)


def test_a_paused_process_goes_on_where_it_was(supervisor: Supervisor) -> None:
    """It hangs, with its children, and is not dead."""
    process = supervisor.start(Command("napper", SLEEP))
    pid = running(process)
    process.pause()
    eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    process.resume()
    eventually(lambda: psutil.Process(pid).status() != psutil.STATUS_STOPPED)
    assert (process.pid, process.starts) == (pid, 1)


def test_a_stopped_process_is_gone_and_stays_away(supervisor: Supervisor) -> None:
    """With all that it forked."""
    process = supervisor.start(Command("master", ("sh", "-c", "sleep 1000 & wait")))
    master = running(process)
    eventually(lambda: len(psutil.Process(master).children()) > 0)
    [worker] = psutil.Process(master).children()
    process.stop()
    assert process.is_over()
    eventually(lambda: not lives(master) and not lives(worker.pid))


def test_a_process_that_does_not_want_to_stop_is_killed_in_time(supervisor: Supervisor) -> None:
    """A stack stops within its limits, whatever a process does."""
    stubborn = ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1000; done")
    process = supervisor.start(
        Command("stubborn", stubborn, ready=lambda run: "deaf" in run.said())
    )
    process.wait_ready()
    began = time.monotonic()
    process.stop(limit=0.2)
    assert process.is_over()
    assert 0.2 <= time.monotonic() - began < 5


TIDY = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(print("tidy")))
print("up")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("paused", [False, True])
def test_a_process_is_stopped_by_the_signal_that_it_likes(
    supervisor: Supervisor, paused: bool
) -> None:
    """Postgres takes SIGINT as "now, in good order", even when it hung."""
    # In Python: a shell can trap no signal that whoever started the tests ignores.
    tidy = (sys.executable, "-u", "-c", TIDY)
    process = supervisor.start(
        Command("tidy", tidy, stop_signal=signal.SIGINT, ready=lambda run: "up" in run.said())
    )
    process.wait_ready()
    if paused:
        process.pause()
    process.stop()
    assert process.log.read_text() == "up\ntidy\n"


def test_a_restarted_process_is_ready_by_its_new_run(supervisor: Supervisor) -> None:
    """What the run before has logged does not count."""
    command = Command("greeter", ("sh", "-c", "sleep 0.1; echo up; sleep 1000"))
    process = supervisor.start(dataclasses.replace(command, ready=lambda run: "up" in run.said()))
    process.wait_ready()
    process.restart()
    assert process.log.read_text() == "up\nup\n"


def test_what_cannot_start_is_told_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    """A person should not have to look for the reason."""
    broken = Command("broken", ("sh", "-c", "echo no such database; exit 1"), ready=lambda _: False)
    with pytest.raises(NotReady, match=r"broken does not start;.*broken.log ends with\n.*database"):
        supervisor.run(broken, limit=30)


def test_what_does_not_come_up_is_told_once(supervisor: Supervisor, told: Told) -> None:
    """By who waits for it, with its last lines: not at each of its starts."""
    broken = Command(
        "broken", ("sh", "-c", "echo read; echo failed; exit 1"), ready=lambda _: False
    )
    with pytest.raises(NotReady) as failed:
        supervisor.run(broken, limit=30)
    log = supervisor.processes["broken"].log
    assert str(failed.value) == f"broken does not start; {log} ends with\n  read\n  failed"
    assert told == []


def test_a_folder_that_is_gone_is_told_in_a_line(supervisor: Supervisor, tmp_path: Path) -> None:
    """Such as the one in which a command would run; no log has that."""
    lost = Command("lost", SLEEP, directory=tmp_path / "gone", ready=lambda _: False)
    with pytest.raises(NotReady) as failed:
        supervisor.run(lost, limit=30)
    why = f"No such file or directory: {tmp_path / 'gone'}"
    assert str(failed.value) == f"lost could not be started: {why}"


def test_what_takes_too_long_is_told(supervisor: Supervisor) -> None:
    """A limit, and which process did not keep it."""
    with pytest.raises(NotReady, match=r"slow is not ready after 0\.1 s"):
        supervisor.run(Command("slow", SLEEP, ready=lambda _: False), limit=0.1)


def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    """One line, in its log, instead of a traceback."""
    with pytest.raises(NotReady, match="cannot run /no/such: No such file"):
        supervisor.run(Command("absent", ("/no/such",), ready=lambda _: False), limit=30)


def test_a_process_that_runs_once_is_ready_when_its_work_is_done(supervisor: Supervisor) -> None:
    """Such as the migrations."""
    supervisor.run(Command("migrations", ("sh", "-c", "echo done"), once=True), limit=30)
    assert supervisor.processes["migrations"].log.read_text() == "done\n"
    assert supervisor.processes["migrations"].starts == 1


def test_a_process_that_runs_once_and_fails_is_not_tried_again(supervisor: Supervisor) -> None:
    """It would fail in the same way."""
    command = Command("migrations", ("sh", "-c", "echo syntax error; exit 1"), once=True)
    with pytest.raises(NotReady, match=r"migrations failed;.*\n.*syntax error"):
        supervisor.run(command, limit=30)
    assert supervisor.processes["migrations"].starts == 1


def test_nothing_starts_once_all_is_being_stopped(supervisor: Supervisor) -> None:
    """A thread that still starts things cannot bring one back to life."""
    supervisor.close()
    with pytest.raises(NotReady):
        supervisor.start(Command("late", SLEEP))


GUARDIAN = """
    import sys, time
    from pathlib import Path
    from local.supervisor import Command, Register, Supervisor
    folder = Path(sys.argv[1])
    supervisor = Supervisor(folder, Register(folder / "processes.json"), print)
    process = supervisor.start(
        Command("orphan", ("sh", "-c", sys.argv[2]), ready=lambda run: "up" in run.said())
    )
    process.wait_ready()
    print(process.pid, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def orphaned(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Runs a script whose guardian is then killed with SIGKILL; gives its id."""
    left: list[int] = []

    def orphan(script: str) -> int:
        with subprocess.Popen(
            (sys.executable, "-c", textwrap.dedent(GUARDIAN), str(tmp_path), script),
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as guardian:
            assert guardian.stdout is not None
            left.append(int(guardian.stdout.readline()))
            guardian.kill()
        return left[-1]

    yield orphan
    for pid in left:
        process_tree.kill_group(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of such a death")
def test_a_process_is_asked_to_stop_when_its_guardian_is_killed(
    tmp_path: Path, orphaned: Callable[[str], int]
) -> None:
    """Nothing is left behind, even then."""
    orphan = orphaned("trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.01; done")
    eventually(lambda: not lives(orphan))
    assert "asked" in (tmp_path / "orphan.log").read_text()


DEAF = "trap '' TERM INT; echo up; while :; do sleep 0.1; done"


def test_what_a_killed_stack_left_is_ended_by_the_next(
    tmp_path: Path, told: Told, orphaned: Callable[[str], int]
) -> None:
    """By force, if it does not want to go."""
    left = orphaned(DEAF)
    ProcessRegistry(tmp_path / "processes.json").end_leftovers(told, patience=0.3)
    eventually(lambda: not lives(left))
    assert told == ["ending orphan, which a killed stack left running"]


@pytest.mark.parametrize("is_ours", [True, False])
def test_of_a_group_without_its_leader_only_what_bears_our_mark_is_ended(
    tmp_path: Path, told: Told, is_ours: bool
) -> None:
    """A worker of ours would keep its port; a stranger in a group of the same id stays."""
    notes = tmp_path / "processes.json"
    with subprocess.Popen(
        ("/bin/sh", "-c", "sleep 1000 >&- & echo $!"),
        stdout=subprocess.PIPE,
        env={**os.environ, **(ProcessRegistry(notes).mark if is_ours else {})},
        start_new_session=True,
    ) as leader:
        assert leader.stdout is not None
        worker = int(leader.stdout.readline())
    notes.write_text(json.dumps({"trigger": [leader.pid, time.time()]}))
    try:
        assert [process.pid for process in process_tree.group(leader.pid)] == [worker]
        ProcessRegistry(notes).end_leftovers(told)
        assert lives(worker) is not is_ours
        assert bool(told) is is_ours
    finally:
        process_tree.kill_group(leader.pid)


def test_a_process_that_only_has_the_id_of_an_old_one_is_left_alone(
    tmp_path: Path, told: Told
) -> None:
    """Ids are given out again, after a restart of the machine for example."""
    notes = tmp_path / "processes.json"
    with subprocess.Popen(SLEEP, start_new_session=True) as stranger:
        notes.write_text(json.dumps({"postgres": [stranger.pid, time.time() - 1000]}))
        ProcessRegistry(notes).end_leftovers(told)
        assert stranger.poll() is None
        stranger.kill()
    assert told == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": ["x", 2]}'])
def test_a_note_that_was_cut_short_keeps_nothing_from_starting(
    tmp_path: Path, told: Told, content: str
) -> None:
    """The machine may have lost its power while it was written."""
    notes = tmp_path / "processes.json"
    notes.write_text(content)
    ProcessRegistry(notes).end_leftovers(told)
    assert told == []


def test_a_long_log_begins_anew_and_what_it_held_is_kept(supervisor: Supervisor) -> None:
    """Its writer goes on at the new beginning, and is as ready as it was, though nobody reads why.

    A short one stays.
    """
    loop = "echo up; i=0; while read -r line; do i=$((i+1)); echo line $i; done"
    ticks = f"(while sleep 0.01; do echo; done) | ({loop})"
    process = supervisor.start(
        Command(
            "talker", ("sh", "-c", ticks), ready=lambda run: run.was_ready or "up" in run.said()
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


def test_a_log_that_cannot_be_kept_stays_as_it_is(supervisor: Supervisor) -> None:
    """On a full disk what it says is needed most."""
    process = supervisor.start(Command("talker", ("sh", "-c", "echo up; exec sleep 1000")))
    eventually(lambda: process.log.stat().st_size > 0)
    process.log.with_name("talker.log.1").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        supervisor.rotate_logs(1)
    assert process.log.read_text() == "up\n"


def test_a_process_that_cannot_be_noted_runs_all_the_same_and_once(
    supervisor: Supervisor, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk: it is said, and none is started beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProcessRegistry, "note", full)
    process = supervisor.start(Command("sleeper", SLEEP))
    pid = running(process)
    eventually(lambda: len(told) > 0)
    assert told == ["sleeper is not noted in the state folder: No space left on device"]
    assert (process.pid, process.starts) == (pid, 1)
