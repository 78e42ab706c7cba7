"""The triggers' file: its contents, and the errors in it."""

import pytest

from local.kafka_trigger.config.load import ConfigError, parse
from local.kafka_trigger.kafka.settings import consumer_settings, group_protocol, producer_settings

KAFKA = '[kafka]\nbootstrap.servers = "b:9092"\n'
TRIGGER = """[[trigger]]
name = "one"
topic = "t"
group = "g"
function = "http://f"
auto_offset_reset = "earliest"
"""


def error_of(text: str, **environ: str) -> str:
    """The error of a file with this text."""
    with pytest.raises(ConfigError) as refused:
        parse(text, environ)
    return str(refused.value)


def test_values_come_from_the_environment() -> None:
    """Texts may contain variables, in Kafka's settings too; numbers are parsed from them."""
    kafka = '[kafka]\nbootstrap.servers = "${SERVERS}"\n'
    trigger = f'{TRIGGER}batch_size = "${{SIZE:-7}}"\ndead_letter_topic = "${{DLQ:-}}"'
    config = parse(kafka + trigger, {"SERVERS": "x:1"})
    assert config.kafka.common == {"bootstrap.servers": "x:1"}
    assert config.triggers[0].batch_size == 7
    assert config.triggers[0].dead_letter_topic is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "kafka (where the brokers are, and how to talk to them): is missing"),
        (KAFKA, "trigger (the triggers, a [[trigger]] table each): is missing"),
        ("[kafka]\n" + TRIGGER, ": bootstrap.servers (where the brokers are) is missing"),
        ("[kafka", "no TOML"),
        (
            f'{KAFKA}group.id = "x"\n{TRIGGER}',
            ": group.id: not here, a trigger sets it",
        ),
        (
            f"{KAFKA}consumer = {{ statistics.interval.ms = 0 }}\n{TRIGGER}",
            ": statistics.interval.ms: not here, a trigger sets it",
        ),
        (
            f'{KAFKA}consumer = {{ sasl.mechanism = "AWS_MSK_IAM" }}\n{TRIGGER}',
            ": aws.region is missing",
        ),
        (
            KAFKA + TRIGGER.replace("http://f", "http://me:secret@f"),
            "a user and a password are not sent",
        ),
        (
            KAFKA + TRIGGER.replace("http://f", "http://a..b/?code=secret"),
            "'http://a..b/?…' is no http:// or https:// address",
        ),
        (
            KAFKA + TRIGGER.replace("http://f", f"http://{'a' * 64}.example/"),
            "is no http:// or https:// address",
        ),
        (
            f"{KAFKA}{TRIGGER}batch_size = 0",
            "trigger 'one': batch_size (the most records in one request, ",
        ),
        (
            f"{KAFKA}{TRIGGER}batch_sise = 10",
            "trigger 'one': batch_sise: is no key here; did you mean batch_size?",
        ),
        (
            f"{KAFKA}{TRIGGER}retry = {{ max_attempts = 0 }}",
            "trigger 'one': retry.max_attempts (failed attempts before",
        ),
        (
            f'{KAFKA}{TRIGGER}envelope = "json"',
            "trigger 'one': envelope (the form in which the function is sent the records): ",
        ),
        (
            f'{KAFKA}{TRIGGER}envelope = "cloudevents-binary"\nbatch_size = 2',
            "trigger 'one': batch_size (the most records in one request, up to 10,000; 1 where "
            "the envelope holds one): must be 1: the envelope cloudevents-binary holds one record, "
            "and is 2",
        ),
        (KAFKA + TRIGGER + "envelope = []", "trigger 'one': envelope (the form in which"),
        (
            f"{KAFKA}{TRIGGER}[trigger.filter]\nvalue = {{ kind = 'goal' }}",
            "trigger 'one': filter.0.value (what the value must have, as JSON; what is no JSON "
            "matches nothing): kind: is no list of what it may be",
        ),
        (
            f"{KAFKA}{TRIGGER}[[trigger.filter]]\nkey = ['a']\n"
            "[[trigger.filter]]\nheaders = { name = [1] }",
            "trigger 'one': filter.1.headers (what headers may be, as texts, by their names): "
            "name: 1 is no rule",
        ),
        (
            f"{KAFKA}{TRIGGER}[trigger.filter]\nkeys = ['a']",
            "filter.0.keys: is no key here; did you mean key?",
        ),
        (
            f'{KAFKA}{TRIGGER}dead_letter_topic = "t"',
            "trigger 'one': dead_letter_topic is the topic itself",
        ),
        (KAFKA + TRIGGER.replace("http://f", "f:80"), "'f:80' is no http:// or https:// address"),
        (
            f"{KAFKA}max.poll.interval.ms = 9000\n{TRIGGER}drain_s = 9",
            "trigger 'one': drain_s, 9 s, is not less than max.poll.interval.ms, 9000: ",
        ),
        (KAFKA + TRIGGER.replace("http://f", "http://f/a b"), "is no http:// or https:// address"),
        (KAFKA + TRIGGER.replace("http://f", "http://f:x"), "function (the address of"),
        (KAFKA + TRIGGER.replace("http://f", "${URL}"), "environment variable URL is not set"),
        (KAFKA + TRIGGER.replace('"one"', "1"), "trigger number 1: name (its name in the log"),
        (KAFKA + TRIGGER.replace('"earliest"', '"now"'), "auto_offset_reset (where a group begins"),
        (KAFKA + TRIGGER + TRIGGER, "two triggers have the same name"),
        (
            KAFKA + TRIGGER + TRIGGER.replace('"one"', '"two"'),
            "two triggers have the same topic and group",
        ),
        ("kafka = 1\n" + TRIGGER, "kafka (where the brokers are"),
        (f"{KAFKA}consumer = 1\n{TRIGGER}", "[kafka]: consumer: "),
        ("trigger = 1\n" + KAFKA, "trigger (the triggers"),
        ("trigger = [1]\n" + KAFKA, "trigger number 1: "),
    ],
)
def test_an_error_names_its_key_and_its_meaning(text: str, message: str) -> None:
    """Each line names the trigger, the key and what it is for."""
    assert message in error_of(text)


@pytest.mark.parametrize(
    ("envelope", "size"),
    [
        ("cloudevents-batch", 100),
        ("lambda", 100),
        ("cloudevents-structured", 1),
        ("cloudevents-binary", 1),
    ],
)
def test_an_envelope_of_a_single_record_makes_batches_of_one(envelope: str, size: int) -> None:
    """By default."""
    [trigger] = parse(f'{KAFKA}{TRIGGER}envelope = "{envelope}"', {}).triggers
    assert trigger.batch_size == size


def test_there_may_be_one_filter_or_several() -> None:
    """As a table, or as an array of tables."""
    one = parse(f"{KAFKA}{TRIGGER}[trigger.filter]\nkey = ['${{KEY}}']", {"KEY": "a"})
    two = parse(f"{KAFKA}{TRIGGER}" + "[[trigger.filter]]\nkey = ['a']\n" * 2, {})
    assert [each.key for each in one.triggers[0].filter] == [["a"]]
    assert [each.key for each in two.triggers[0].filter] == [["a"], ["a"]]


def test_all_errors_are_reported_at_once() -> None:
    """One line for each."""
    assert len(error_of(f"{KAFKA}{TRIGGER}batch_size = 0\ntimeout_s = -1").splitlines()) == 2


def test_settings_reach_librdkafka_as_they_are() -> None:
    """Consumers and producers get the common ones, and each its own."""
    config = parse(
        f"""{KAFKA}"security.protocol" = "ssl"
        [kafka.consumer]
        fetch.wait.max.ms = 5
        [kafka.producer]
        linger.ms = 1
        {TRIGGER}""",
        {},
    )
    consumer = consumer_settings(config.kafka, config.triggers[0], 1000)
    producer = producer_settings(config.kafka)
    both = {"bootstrap.servers": "b:9092", "security.protocol": "ssl"}
    assert consumer.items() >= (both | {"fetch.wait.max.ms": 5, "group.id": "g"}).items()
    assert producer.items() >= (both | {"linger.ms": 1, "acks": "all"}).items()
    assert not consumer.keys() & {"linger.ms"}
    assert not producer.keys() & {"fetch.wait.max.ms"}


def test_offsets_are_committed_only_by_the_trigger() -> None:
    """The client neither commits nor stores an offset by itself."""
    config = parse(KAFKA + TRIGGER, {})
    settings = consumer_settings(config.kafka, config.triggers[0], 1000)
    assert settings["enable.auto.commit"] is False
    assert settings["enable.auto.offset.store"] is False


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_classic_settings_are_left_out_with_kafka_4_s_protocol(protocol: str) -> None:
    """`group.protocol=consumer` rejects the settings that the broker decides there."""
    config = parse(
        f"""{KAFKA}[kafka.consumer]
        group.protocol = "${{PROTOCOL}}"
        session.timeout.ms = 6000
        heartbeat.interval.ms = 500
        {TRIGGER}""",
        {"PROTOCOL": protocol},
    )
    settings = consumer_settings(config.kafka, config.triggers[0], 1000)
    assert group_protocol(config.kafka) == protocol
    assert ("session.timeout.ms" in settings) == (protocol == "classic")
    assert ("heartbeat.interval.ms" in settings) == (protocol == "classic")


def test_errors_do_not_show_values_of_kafka_s_settings() -> None:
    """A password is among them."""
    message = error_of(f'{KAFKA}sasl.password = ["${{VALUE}}"]\n{TRIGGER}', VALUE="canary")
    assert message.startswith("[kafka]: ")
    assert "canary" not in message
