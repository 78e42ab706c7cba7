"""The embedded stack and its commands on various laptops."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from local.stack.browser import find_browser
from tests.support.checkout import Checkout, check_out, url
from tests.support.drivers.shells import pasted
from tests.support.picture import assert_is_a_picture_of_the_ticker, assert_shows_the_final

DEAD_PROXY = "http://127.0.0.1:1"
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), DEAD_PROXY)
SOCKS = {"ALL_PROXY": "socks5h://127.0.0.1:1", "all_proxy": "socks5h://127.0.0.1:1"}
LINK = "目標"

LAPTOPS: dict[str, tuple[str, dict[str, str | None]]] = {
    "spaces and quotes, no home, a proxy, C": (
        "~ it's \"my\"  project é {$HOME} `#1` ;&%s",
        {"HOME": None, "LC_ALL": "C", **PROXIES},
    ),
    "a link, an unreadable home, SOCKS, Latin-1": (
        LINK,
        {"HOME": "/proc/none", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1", "NO_PROXY": "",
         **SOCKS},
    ),
}  # fmt: skip


class Laptop(NamedTuple):
    """A checkout, and the output of `make up` in it."""

    checkout: Checkout
    output: str


@pytest.fixture(scope="module", params=LAPTOPS.values(), ids=list(LAPTOPS))
def laptop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laptop]:
    """A stack that runs in a checkout."""
    name, environ = request.param
    folder = tmp_path_factory.mktemp("laptop")
    if name == LINK:
        (folder / "elsewhere").mkdir()
        (folder / name).symlink_to("elsewhere")
    checkout = check_out(folder / name, environ)
    with checkout.up() as output:
        assert "GoalStream is up" in output, output
        yield Laptop(checkout, output)
    assert not (folder / name / ".goalstream" / "env").exists()


def test_the_pages_are_there(laptop: Laptop, http: httpx.Client) -> None:
    """The address of the ticker is printed first; all files come from the checkout and packages."""
    addresses = re.findall(r"http://\S+", laptop.output)
    assert addresses[0] == f"{url(laptop.output, 'highlights')}/"
    assert "Live ticker" in http.get(addresses[0]).text
    for name in ("events", "highlights"):
        for path in ("", "pages/style.css", "swagger", "openapi.json", "swagger/swagger-ui.css"):
            assert http.get(f"{url(laptop.output, name)}/{path}").status_code == 200


def test_a_match_is_replayed(laptop: Laptop) -> None:
    """Its goals are READY, printed in characters that the terminal supports."""
    checkout = laptop.checkout
    done = checkout.run("make", "replay", "MATCH=argentina france", "SPEED=max")
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 of 6 highlights are READY" in done.stdout


def test_a_running_stack_can_be_inspected(laptop: Laptop) -> None:
    """`make status`, `dlq`, `psql` and `logs`, with nothing on standard error."""
    checkout = laptop.checkout
    status = checkout.run("make", "status")
    assert (status.returncode, status.stderr) == (0, "")
    assert "trigger=consume-goal" in status.stdout
    assert re.search(r"^READY +\d+$", status.stdout, re.MULTILINE)
    dead_letters = checkout.run("make", "dlq")
    assert (dead_letters.returncode, dead_letters.stdout, dead_letters.stderr) == (
        0,
        "no dead letters\n",
        "",
    )
    rows = checkout.run("make", "psql", stdin="SELECT 'highlights: ' || count(*) FROM highlights")
    assert (rows.returncode, rows.stderr) == (0, "")
    assert re.search(r"highlights: \d+", rows.stdout)
    logs = checkout.run("timeout", "1", "make", "logs", "PROCESS=trigger")
    assert "partitions assigned" in logs.stdout


@pytest.mark.parametrize("shell", ["bash", pytest.param("zsh", marks=pytest.mark.long)])
def test_the_first_command_of_the_page(shell: str, tmp_path: Path) -> None:
    """`make demo` in a checkout; the page's second command runs these tests."""
    checkout = check_out(tmp_path / "my  project é", {})
    done = pasted(shell, "make demo", checkout.environ, checkout.folder)
    assert done.returncode == 0, done.stdout
    assert "6 of 6 highlights are READY" in done.stdout
    assert "live ticker" in done.stdout.rstrip().splitlines()[-1]


def test_the_pictures_of_the_demo_are_made_by_a_command(tmp_path: Path) -> None:
    """`make screenshot` writes what README shows: the goals of the final, and the ticker then."""
    if find_browser() is None:
        pytest.skip("no Chromium or Chrome is installed here")
    checkout = check_out(tmp_path / "my  project", {})
    for name in ("demo.svg", "ticker.png"):
        (checkout.folder / "docs" / name).unlink()
    done = checkout.run("make", "screenshot")
    assert done.returncode == 0, done.stderr
    assert_shows_the_final(checkout.folder / "docs" / "demo.svg")
    assert_is_a_picture_of_the_ticker(checkout.folder / "docs" / "ticker.png")


def test_without_a_stack_each_command_says_so_in_a_line(tmp_path: Path) -> None:
    """At once, and make fails."""
    checkout = check_out(tmp_path / "my  project", {})
    for command in ("status", "dlq", "psql"):
        done = checkout.run("make", command)
        output, made, *more = done.stderr.splitlines()
        assert output == (
            f"no stack is up on {checkout.folder}/.goalstream; start one with: make up"
        )
        assert made.startswith("make: ***")
        assert more == []
    logs = checkout.run("make", "logs")
    assert logs.stderr.startswith("There is no .goalstream/logs/*.log; make up writes it.\n")


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"GATEWAY_ADDRESS": "0.0.0.0"}, "API_KEYS is missing: with GATEWAY_ADDRESS other than"),  # noqa: S104
        ({"API_KEYS_FILE": "/nowhere"}, "API_KEYS_FILE is wrong: No such file or directory"),
    ],
)
def test_a_function_that_does_not_start_says_why_and_where(
    environ: dict[str, str | None], why: str, tmp_path: Path
) -> None:
    """In two lines: the path of its log, and the log's last line, once."""
    checkout = check_out(tmp_path / "my  project", environ)
    with checkout.up() as output:
        starts, log, reason, made = output.splitlines()
    assert starts == "GoalStream starts …"
    assert re.fullmatch(rf"(\w+) does not start; {tmp_path}/.*/logs/\1\.log ends with", log)
    assert reason.startswith(f"  cannot start: {why}")
    assert made.startswith("make: ***")
