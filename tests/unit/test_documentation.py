"""What README says of variables, packages, commands and folders is so."""

import re
from pathlib import Path

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.get_highlight.settings import GetHighlightSettings
from functions.ingest_event.settings import IngestEventSettings
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.contract.event import Event
from infra.migrate import MigrateSettings
from infra.roles import PRIVILEGES, READER
from infra.topics import TopicsSettings
from local.stack.services import functions
from tests.support.drivers.containers import REACHABLE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
SETTINGS = (
    IngestEventSettings,
    ConsumeGoalSettings,
    EnrichBatchSettings,
    ListHighlightsSettings,
    GetHighlightSettings,
    TopicsSettings,
    MigrateSettings,
)


def section(title: str) -> str:
    """The text under a heading, up to the next of its kind."""
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> set[str]:
    """What is set as code in the first column of the tables of a text."""
    rows = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_variable_is_in_the_table_with_its_default() -> None:
    """The table of variables is the settings' own."""
    fields = {
        str(field.alias): field for model in SETTINGS for field in model.model_fields.values()
    }
    table = section("Configuration")
    assert first_column(table) == fields.keys()
    for name, field in fields.items():
        default = field.default
        (shown,) = re.findall(rf"^\| `{name}` \| ([^|]*) \|", table, re.MULTILINE)
        if isinstance(default, str | int | float):
            assert shown == f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        else:
            assert shown == "required" if field.is_required() else shown.startswith("none: ")


def test_every_field_of_an_event_is_in_the_contract() -> None:
    """The table of fields is the model's own."""
    fields = {str(field.alias) for field in Event.model_fields.values()}
    table = section("The contract").partition("### Highlights")[0]
    assert first_column(table) == fields


REQUIREMENTS = [
    *ROOT.glob("requirements*.in"),
    *(ROOT / "infra").rglob("requirements.in"),
    *(ROOT / "local").rglob("requirements.in"),
    *(ROOT / "tests").rglob("requirements.in"),
]


def test_every_package_is_pinned_and_explained() -> None:
    """README gives a reason for each package that is installed, and for no other."""
    lines = [
        line.partition(";")[0]
        for path in REQUIREMENTS
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    ]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert first_column(section("Why each dependency")) == {line.split("==")[0] for line in lines}


def test_every_command_is_a_target_of_the_makefile() -> None:
    """What README tells to make can be made."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [README, SECURITY, (ROOT / "CONTRIBUTING.md").read_text()]
    commands = {
        name
        for text in texts
        for name in re.findall(r"(?:^|`)make ([a-z0-9-]+)", text, re.MULTILINE)
    }
    assert commands
    assert commands <= targets


def test_every_setting_of_the_tests_is_told_to_who_contributes() -> None:
    """Those that they read are in CONTRIBUTING.md, and no others."""
    setting = re.compile(r"GOALSTREAM_TEST_[A-Z]+")
    read = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in setting.findall(file.read_text())
    }
    assert read == set(setting.findall((ROOT / "CONTRIBUTING.md").read_text()))


def test_every_path_that_is_named_is_there() -> None:
    """The map matches the tree."""
    texts = [README, SECURITY, (ROOT / "CONTRIBUTING.md").read_text()]
    paths = {
        path
        for text in texts
        for path in re.findall(r"`((?:functions|infra|local|tests)/[\w/.-]*)`", text)
    }
    assert paths
    assert all((ROOT / path).exists() for path in paths if "NAME" not in path)


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of a table, which a text has under this header."""
    table = text.partition(f"{header}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_who_reaches_whom_is_told_as_it_is() -> None:
    """SECURITY.md lists for each service what the tests of the containers allow it to reach."""
    table = rows(SECURITY, "| service | reaches |")
    told = {name.strip("`"): set(re.findall(r"`([^`]+)`", others)) for name, others in table}
    assert told == REACHABLE


def test_what_a_role_may_do_is_told_as_it_is() -> None:
    """SECURITY.md has the privileges of the roles on highlights, and who uses them."""
    table = {
        user.strip("`"): row for user, *row in rows(SECURITY, "| user | used by | privileges |")
    }
    for role, granted in PRIVILEGES.items():
        of, may = table[role]
        assert may == f"`{granted['highlights']}` on `highlights`"
        readers = {name.replace("_", "-") for name in functions.READERS}
        assert (set(of.split(", ")) == readers) is (role == READER)
