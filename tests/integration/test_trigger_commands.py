"""The trigger's commands, against a real broker and a small function."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.stack import ROOT
from local.stack.ports import free_port
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_process import PARTITIONS, World
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually

HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff"), ("null", None)]


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator["Commanded"]:
    """A topic and a function that takes all."""
    with FunctionServer() as function:
        yield Commanded(broker, function, tmp_path)


class Commanded(World):
    """A world with a file for commands, and a topic for dead letters."""

    def __init__(self, broker: Broker, function: FunctionServer, folder: Path) -> None:
        super().__init__(broker, function, folder)
        self.dead_letters = broker.create()
        self.file = folder / "commands.toml"
        self.file.write_text(self.configuration("", {"dead_letter_topic": self.dead_letters}))

    def command(self, name: str, *arguments: str) -> "Ended":
        """Run a command with the file."""
        command = [sys.executable, "-m", "local.kafka_trigger", name, str(self.file), *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def standing(self, *arguments: str) -> list[dict[str, Any]]:
        """What `status` says of the partitions."""
        ended = self.command("status", "--json", *arguments)
        assert ended.status == 0, ended.complaint
        partitions: list[dict[str, Any]] = json.loads(ended.said)["partitions"]
        return partitions

    def letters(self, *arguments: str) -> list[dict[str, Any]]:
        """What `dlq list` has."""
        ended = self.command("dlq", "list", "--json", *arguments)
        assert ended.status == 0, ended.complaint
        letters: list[dict[str, Any]] = json.loads(ended.said)["deadLetters"]
        return letters

    def refuse_poison(self, request: Request) -> Reply:
        """Refuse what is no JSON by name, and take the rest."""
        events = orjson.loads(request.body)
        poison = [each for each in events if "data_base64" in each]
        self.taken += [each for each in events if each not in poison]
        items = [
            {
                "itemIdentifier": f"{self.topic}-{each['kafkapartition']}-{each['kafkaoffset']}",
                "retryable": False,
                "reason": "poison",
            }
            for each in poison
        ]
        return Reply(200, orjson.dumps({"batchItemFailures": items}))


class Ended:
    """What a command said, and its exit status."""

    def __init__(self, status: int, said: str, complaint: str) -> None:
        self.status = status
        self.said = said
        self.complaint = complaint


def test_a_poison_record_is_buried_listed_and_brought_home_once(world: Commanded) -> None:
    """Of 1,000 records 999 are taken; the last one is when the function is mended."""
    world.function.reply = world.refuse_poison
    world.write(range(500))
    world.broker.write(world.topic, [b"poison"], key=b"\xff", headers=HEADERS)
    world.write(range(501, 1000))
    with world.trigger(dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({0: 1000}))
        assert world.numbers() == [*range(500), *range(501, 1000)]
        [letter] = world.letters()
        assert (letter["id"], letter["offset"], letter["key"]) == ("0:0", 500, "0xff")
        assert (letter["status"], letter["error"], letter["state"]) == ("200", "poison", "open")

        assert world.command("dlq", "redrive", "--all", "--dry-run").status == 0
        assert len(world.letters()) == 1
        world.function.reply = world.take
        redriven = world.command("dlq", "redrive", "--all")
        assert (redriven.status, redriven.said.splitlines()) == (
            0,
            [f"0:0: redriven to {world.topic} 0:1000", "1 redriven, 0 failed"],
        )
        eventually(lambda: len(world.taken) == 1000)
        assert world.taken[-1]["data_base64"] == "cG9pc29u"

        assert world.letters() == []
        assert world.letters("--redriven")[0]["state"] == "redriven"
        for again in ("--all", "0:0"):
            assert world.command("dlq", "redrive", again).said.endswith("0 redriven, 0 failed\n")
        eventually(lambda: world.is_committed({0: 1001}))
    home = world.broker.read(world.topic, 1001)[-1]
    assert (home.key(), home.value()) == (b"\xff", b"poison")
    assert home.headers() == [*HEADERS, ("dlq_redrives", b"1")]


def test_a_redriven_record_that_fails_again_is_a_new_letter(world: Commanded) -> None:
    """It is listed with how often it was redriven, and the old one is not."""
    world.function.reply = world.refuse_poison
    world.broker.write(world.topic, [b"poison"])
    with world.trigger(dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({0: 1}))
        assert world.command("dlq", "redrive", "0:0").status == 0
        eventually(lambda: world.is_committed({0: 2}))
    [letter] = world.letters()
    assert (letter["offset"], letter["redrives"]) == (1, 1)


def test_a_letter_is_shown_whole(world: Commanded) -> None:
    """All headers, and the value; an id that is none is told in a line."""
    world.function.reply = lambda _: Reply(422, b"no event")
    world.broker.write(world.topic, [b'{"a": [1]}'], key=b"k", headers=HEADERS)
    with world.trigger(dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({0: 1}))
    shown = json.loads(world.command("dlq", "show", "0:0", "--json").said)
    assert shown["value"] == {"json": {"a": [1]}}
    assert shown["headers"][:4] == [
        {"name": "ce_id", "text": "1"},
        {"name": "twice", "text": "a"},
        {"name": "twice", "hex": "ff"},
        {"name": "null", "json": None},
    ]
    assert "dlq_error: HTTP 422: no event" in world.command("dlq", "show", "0:0").said
    unknown = world.command("dlq", "show", "0:9")
    assert (unknown.status, unknown.complaint) == (
        2,
        "dlq: no dead letter 0:9: see `dlq list`\n",
    )


def test_status_tells_the_lag_of_what_was_written(world: Commanded) -> None:
    """Before the trigger ran, and after; a partition without records has none."""
    world.write(range(250), 0)
    world.write(range(3), 1)
    before = world.standing()
    assert [(each["committed"], each["end"], each["lag"]) for each in before] == [
        (None, 250, 250),
        (None, 3, 3),
        (None, 0, 0),
    ]
    with world.trigger():
        eventually(lambda: world.is_committed({0: 250, 1: 3}))
    world.write(range(7), 1)
    after = world.standing()
    assert [(each["committed"], each["end"], each["lag"]) for each in after] == [
        (250, 250, 0),
        (3, 10, 7),
        (None, 0, 0),
    ]


def test_status_asks_the_triggers_that_run(world: Commanded) -> None:
    """What is in flight and how often it was sent; who does not answer is named."""
    world.write(range(10), 1)
    world.function.reply = lambda _: Reply(503)
    port = free_port()
    world.options = ("--port", str(port))
    url, nobody = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    with world.trigger():
        eventually(lambda: (world.standing("--url", url)[1]["attempts"] or 0) > 2)
        ended = world.command("status", "--url", url, "--url", nobody)
    idle, busy = (line for line in ended.said.splitlines() if "partition=2" not in line)
    assert "in_flight=10 paused=no" in busy
    assert "in_flight=0 paused=no attempts=0 oldest_age_s=-" in idle
    assert ended.complaint.startswith(f"{nobody}: no trigger answers: ")


def test_a_replay_brings_records_again_and_touches_no_offset(world: Commanded) -> None:
    """From an offset to another, in order, in the trigger's batches."""
    world.write(range(300))
    world.write(range(5), 1)
    with world.trigger():
        eventually(lambda: world.is_committed({0: 300, 1: 5}))
    world.taken.clear()
    part = world.command("replay", "--from", "50", "--to", "290", "--partition", "0")
    assert (part.status, part.said.splitlines()[-1]) == (0, "240 taken, 0 not taken")
    assert world.numbers() == list(range(50, 290))
    assert max(request.body.count(b'"data"') for request in world.function.requests) == 100
    assert world.command("replay", "--from", "earliest").status == 0
    assert world.numbers(0)[240:] == list(range(300))
    assert world.numbers(1) == list(range(5))
    assert world.is_committed({0: 300, 1: 5})


def test_a_replay_from_a_time_begins_with_the_first_record_of_it(world: Commanded) -> None:
    """In the midst of a batch too; a time to come has none."""
    for second in range(10):
        world.broker.write(world.topic, [str(second).encode()], timestamp=1_000_000 + second * 1000)
    first, last = "1970-01-01T00:16:43Z", "1970-01-01T01:16:46+01:00"
    assert world.command("replay", "--from", first, "--to", last).status == 0
    assert world.numbers() == [3, 4, 5]
    later = world.command("replay", "--from", "2999-01-01T00:00:00Z")
    assert later.said.splitlines()[-1] == "0 taken, 0 not taken"


def test_a_replay_reports_what_is_not_taken_and_buries_nothing(world: Commanded) -> None:
    """Its exit status is 1; a dry run says what would be delivered."""
    world.write(range(5))
    world.broker.write(world.topic, [b"poison"])
    dry = world.command("replay", "--from", "earliest", "--dry-run")
    assert "partition 0: 6 records, offsets 0 to 5" in dry.said
    assert not world.taken
    world.function.reply = world.refuse_poison
    ended = world.command("replay", "--from", "earliest")
    assert ended.status == 1
    assert ended.said.splitlines() == [
        f"not taken: {world.topic} 0:5: poison",
        "partition 0: 5 records taken",
        "partition 1: 0 records taken",
        "partition 2: 0 records taken",
        "5 taken, 1 not taken",
    ]
    assert world.letters() == []


def test_a_replay_counts_what_the_trigger_s_filters_let_through(world: Commanded) -> None:
    """A dry run too; tombstones are records like any other."""
    world.broker.write(world.topic, [None, b'{"n": 1}', b"2", None, b'{"n": 1}'])
    wanted = "[[trigger.filter]]\nvalue = { n = [1] }\n"
    plain = world.file.read_text()
    world.file.write_text(plain + "\n" + wanted)
    dry = world.command("replay", "--from", "earliest", "--dry-run")
    assert "partition 0: 2 records, offsets 1 to 4" in dry.said
    ended = world.command("replay", "--from", "earliest")
    assert ended.said.splitlines()[-1] == "2 taken, 0 not taken, 3 passed over by the filters"
    world.file.write_text(plain)
    ended = world.command("replay", "--from", "earliest")
    assert ended.said.splitlines()[-1] == "5 taken, 0 not taken"


def test_a_redrive_goes_on_though_nobody_reads_what_it_says(world: Commanded) -> None:
    """As after `| head`; and though its producer takes few records at once."""
    world.function.reply = world.refuse_poison
    world.broker.write(world.topic, [b"poison"] * 300)
    with world.trigger(dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({0: 300}))
    producer = "[kafka.producer]\nqueue.buffering.max.messages = 10\n[[trigger]]"
    world.file.write_text(world.file.read_text().replace("[[trigger]]", producer))
    command = [sys.executable, "-m", "local.kafka_trigger", "dlq", str(world.file)]
    with subprocess.Popen(
        [*command, "redrive", "--all"], cwd=ROOT, env=os.environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(60) == 0
    assert world.letters() == []


def test_a_replay_that_is_broken_off_tells_how_to_go_on(world: Commanded) -> None:
    """Each partition that has something left has a command; with these nothing is missing."""
    impatient = world.file.read_text().replace("max_attempts = 3", "max_age_s = 0.3")
    world.file.write_text(impatient)
    for partition in range(PARTITIONS):
        world.write(range(300), partition)

    def leave(request: Request) -> Reply:
        return Reply(503) if len(world.taken) >= 500 else world.take(request)

    world.function.reply = leave
    url = f"{world.function.url}replay"
    ended = world.command("replay", "--from", "earliest", "--function", url)
    assert (ended.status, ended.said.splitlines()[-1]) == (1, "500 taken, 0 not taken")
    _, why, told = ended.complaint.partition("replay: the function is away: HTTP 503; go on with\n")
    assert why
    go_on = f"  python -m local.kafka_trigger replay {world.file} --trigger test --partition"
    commands = told.splitlines()
    assert commands == [
        f"{go_on} 1 --from 200 --to 300 --function {url}",
        f"{go_on} 2 --from 0 --to 300 --function {url}",
    ]
    world.function.reply = world.take
    for command in commands:
        _, _, _, name, _, *arguments = shlex.split(command)
        assert world.command(name, *arguments).status == 0
    assert [world.numbers(each) for each in range(PARTITIONS)] == [list(range(300))] * PARTITIONS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "--from", "5"), "an offset is one of a partition: --partition N is needed"),
        (("replay", "--from", "5", "--partition", "3"), "has 0 to 2"),
        (("replay", "--from", "earliest", "--trigger", "no"), "there is none of that name here"),
        (("dlq", "redrive"), "either ids or --all"),
        (("replay", "--from", "earliest", "--function", "f:80"), "is no http:// or https://"),
        (("replay", "--from", "yesterday"), "'yesterday' is neither an offset, nor a time"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    world: Commanded, arguments: tuple[str, ...], said: str
) -> None:
    """With exit status 2."""
    ended = world.command(*arguments)
    assert ended.status == 2
    assert said in ended.complaint


def test_letters_in_another_cluster_are_left_alone(world: Commanded) -> None:
    """They cannot be brought home from there."""
    producer = '[kafka.producer]\nbootstrap.servers = "127.0.0.1:1"\n[[trigger]]'
    world.file.write_text(world.file.read_text().replace("[[trigger]]", producer))
    ended = world.command("dlq", "list")
    assert (ended.status, len(ended.complaint.splitlines())) == (2, 1)
    assert "letters are in another cluster" in ended.complaint


@pytest.mark.parametrize(
    "arguments", [("status",), ("dlq", "list"), ("replay", "--from", "earliest")]
)
def test_a_broker_that_is_away_is_told_in_a_line(
    world: Commanded, arguments: tuple[str, ...]
) -> None:
    """With exit status 1."""
    servers = world.broker.bootstrap_servers
    world.file.write_text(world.file.read_text().replace(servers, "127.0.0.1:1"))
    ended = world.command(*arguments)
    assert (ended.status, len(ended.complaint.splitlines())) == (1, 1)
    assert "Connection refused" in ended.complaint


def test_faults_bring_records_again_and_lose_none(world: Commanded) -> None:
    """Doubled, answers lost, and the group left and joined: all arrive, and the log is loud."""
    for partition in range(PARTITIONS):
        world.write(range(300), partition)
    faults = ("duplicate:0.3", "drop-answer:0.2", "rebalance:0.2")
    world.options = (*(word for each in faults for word in ("--fault", each)), "--seed", "7")
    with world.trigger(batch_size=20) as trigger:
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 300)))
        assert trigger.said("FAULTS ARE ON: this trigger disturbs its function")[0]["seed"] == 7
        seen = {line["fault"] for line in trigger.said("fault on purpose")}
        assert seen == {"duplicate", "drop-answer", "rebalance"}
        assert trigger.end() == 0
    for partition in range(PARTITIONS):
        assert set(world.numbers(partition)) == set(range(300))
    assert len(world.taken) > 300 * PARTITIONS
