"""Each image says what it is, in the labels that the Open Container Initiative has names for."""

import re
import tomllib

from local.stack import ROOT

STAGE = re.compile(r"^FROM (\S+) AS (\w+)\n(.*?)(?=^FROM |\Z)", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r'org\.opencontainers\.image\.(\w+)=("[^"]*"|\S+)')


def labels() -> dict[str, dict[str, str]]:
    """Those of each stage that is an image: of its own, or of the stage that it is built on."""
    found: dict[str, dict[str, str]] = {}
    images = set()
    for base, name, text in STAGE.findall((ROOT / "Dockerfile").read_text()):
        own = {key: value.strip('"') for key, value in LABEL.findall(text)}
        assert "$REVISION" not in own.values() or "\nARG REVISION\n" in text
        found[name] = found.get(base, {}) | own
        if "\nCMD " in text:
            images.add(name)
    return {name: found[name] for name in images}


def test_every_image_is_labelled() -> None:
    """With a title and a description of its own, and the project's version and licence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    images = labels()
    assert images.keys() == {"functions", "lambda", "tools", "gateway"}
    for name, each in images.items():
        assert each.pop("title") == f"goalstream-{name}"
    assert len({each.pop("description") for each in images.values()}) == len(images)
    common = {
        "version": project["version"],
        "licenses": project["license"],
        "revision": "$REVISION",
    }
    assert all(each == common for each in images.values())
