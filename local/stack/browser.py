"""Takes a picture of a page with the browser of this machine."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from local.stack import StackError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = (1100, 760)  # pixels
VIRTUAL_TIME_MS = 3000  # which the page believes to have passed when the picture is taken
TIMEOUT_S = 60


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome, None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def take_picture(url: str, path: Path) -> None:
    """Write a picture of a page, after its scripts have run, as a PNG.

    Raises:
        StackError: no browser is installed, or it failed.
    """
    browser = find_browser()
    if browser is None:
        raise StackError(f"no picture: none of {', '.join(BROWSERS)} is installed")
    with TemporaryDirectory() as profile:
        done = subprocess.run(  # noqa: S603 (the arguments are our own)
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}",
             f"--virtual-time-budget={VIRTUAL_TIME_MS}", f"--screenshot={path.absolute()}", url],
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    if done.returncode:
        raise StackError(f"no picture: {browser} says {done.stderr.strip()}")
