"""A record that no Python client can write: its header's name is not UTF-8."""

import ctypes
from ctypes import c_int, c_size_t, c_void_p
from pathlib import Path

import confluent_kafka

from tests.support.waiting import LIMIT_S

LIBRARIES = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
# What the arguments after these are, in rdkafka.h's enumeration.
END, TOPIC, PARTITION, VALUE, HEADERS = map(c_int, (0, 1, 3, 4, 10))


def write_unnamed_header(bootstrap_servers: str, topic: str, value: bytes) -> None:
    """Write it to partition 0 through the C API of librdkafka, from the client's Linux wheel."""
    [path] = LIBRARIES.glob("librdkafka*.so*")
    rdkafka = ctypes.CDLL(str(path))
    for makes in (rdkafka.rd_kafka_conf_new, rdkafka.rd_kafka_new, rdkafka.rd_kafka_headers_new):
        makes.restype = c_void_p
    error = ctypes.create_string_buffer(512)
    settings = c_void_p(rdkafka.rd_kafka_conf_new())
    for name, setting in ((b"bootstrap.servers", bootstrap_servers.encode()), (b"log_level", b"0")):
        rdkafka.rd_kafka_conf_set(settings, name, setting, error, c_size_t(len(error)))
    producer = c_void_p(rdkafka.rd_kafka_new(0, settings, error, c_size_t(len(error))))
    headers = c_void_p(rdkafka.rd_kafka_headers_new(c_size_t(1)))
    rdkafka.rd_kafka_header_add(headers, b"\xff", c_size_t(1), b"v", c_size_t(1))
    failed = rdkafka.rd_kafka_producev(
        producer, TOPIC, topic.encode(), PARTITION, ctypes.c_int32(0),
        VALUE, value, c_size_t(len(value)), HEADERS, headers, END,
    )  # fmt: skip
    assert not failed
    assert not rdkafka.rd_kafka_flush(producer, LIMIT_S * 1000)
    rdkafka.rd_kafka_destroy(producer)
