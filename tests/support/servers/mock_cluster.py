"""librdkafka's mock cluster, which answers with the errors that a test sets."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import confluent_kafka.cimpl

PRODUCER, PRODUCE_REQUEST = 0, 0

# Found through the module that is linked to it, wherever a system keeps it.
_library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
for _name, _result, _arguments in (
    ("rd_kafka_conf_new", ctypes.c_void_p, []),
    (
        "rd_kafka_new",
        ctypes.c_void_p,
        [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t],
    ),
    ("rd_kafka_destroy", None, [ctypes.c_void_p]),
    ("rd_kafka_mock_cluster_new", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    ("rd_kafka_mock_cluster_destroy", None, [ctypes.c_void_p]),
    ("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, [ctypes.c_void_p]),
    (
        "rd_kafka_mock_push_request_errors_array",
        None,
        [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
    ),
    (
        "rd_kafka_mock_topic_create",
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int],
    ),
):
    _function = getattr(_library, _name)
    _function.restype, _function.argtypes = _result, _arguments


class MockCluster:
    """One broker, in this process."""

    def __init__(self, cluster: int) -> None:
        self._cluster = cluster
        self.bootstrap_servers: str = _library.rd_kafka_mock_cluster_bootstraps(cluster).decode()

    def create(self, topic: str) -> str:
        """Make a topic of one partition."""
        assert _library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), 1, 1) == 0
        return topic

    def refuse(self, errors: Sequence[int]) -> None:
        """Answer the next produce requests with these errors, one each."""
        array = (ctypes.c_int * len(errors))(*errors)
        _library.rd_kafka_mock_push_request_errors_array(
            self._cluster, PRODUCE_REQUEST, len(errors), array
        )


@contextmanager
def mock_cluster() -> Iterator[MockCluster]:
    """Run a cluster during the block."""
    why = ctypes.create_string_buffer(512)
    client = _library.rd_kafka_new(PRODUCER, _library.rd_kafka_conf_new(), why, len(why))
    assert client, why.value
    cluster = _library.rd_kafka_mock_cluster_new(client, 1)
    try:
        yield MockCluster(cluster)
    finally:
        _library.rd_kafka_mock_cluster_destroy(cluster)
        _library.rd_kafka_destroy(client)
