"""The pages agree with the code on variables, fields, routes, packages, commands and folders."""

import json
import re

import pytest

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.get_highlight.settings import GetHighlightSettings
from functions.ingest_event.settings import IngestEventSettings
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.contract.event import Event
from functions.stream_highlights.settings import StreamHighlightsSettings
from infra.migrate import MigrateSettings
from infra.roles import PRIVILEGES, READER
from infra.topics import TopicsSettings
from local.stack import ROOT
from local.stack.services import functions
from tests.support.drivers.containers import REACHABLE
from tests.support.pages import CLOUDS, PAGES, README, anchors, first_column, rows, section

CONFIGURATION = "docs/configuration.md"
SECURITY = PAGES["SECURITY.md"]
MAKEFILE = (ROOT / "Makefile").read_text()
SETTINGS = (
    IngestEventSettings,
    ConsumeGoalSettings,
    EnrichBatchSettings,
    ListHighlightsSettings,
    GetHighlightSettings,
    StreamHighlightsSettings,
    TopicsSettings,
    MigrateSettings,
)
LONGEST_README = 180


def test_the_readme_is_short() -> None:
    """The README is an overview; details are on the pages in docs."""
    assert len(README.splitlines()) <= LONGEST_README


def test_the_readme_leads_to_every_page() -> None:
    """The pages of the clouds are linked from the page on deployment."""
    linked = set(re.findall(r"\]\(([\w./-]+\.md)", README))
    assert {name for name in PAGES if name.startswith("docs/")} - {*CLOUDS} <= linked
    deployment = set(re.findall(r"\]\(\.\./([\w./-]+\.md)", PAGES["infra/README.md"]))
    assert "infra/README.md" in linked
    assert {*CLOUDS} <= deployment


@pytest.mark.parametrize("page", PAGES)
def test_every_link_between_pages_leads_somewhere(page: str) -> None:
    """To a file, a heading, or a defined address; each defined address is used."""
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert path.is_relative_to(ROOT), target
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(PAGES[str(path.relative_to(ROOT))]), target
    defined = re.findall(r"^\[([a-z-]+)\]: https://\S+$", PAGES[page], re.MULTILINE)
    assert sorted(set(re.findall(r"\]\[([a-z-]+)\]", PAGES[page]))) == defined


@pytest.mark.parametrize("page", CLOUDS)
def test_a_page_of_a_cloud_says_first_that_it_has_not_run_there(page: str) -> None:
    """Before its first section."""
    assert "**This has not run " in PAGES[page].partition("\n## ")[0]


def test_every_variable_is_in_the_tables_with_its_default() -> None:
    """The tables of variables are the settings' own."""
    fields = {
        str(field.alias): field for model in SETTINGS for field in model.model_fields.values()
    }
    tables = section(CONFIGURATION, "Variables of the functions")
    assert first_column(tables) == fields.keys()
    for name, field in fields.items():
        default = field.default
        if isinstance(default, tuple) and default:
            default = " ".join(default)
        (shown,) = re.findall(rf"^\| `{name}` \| ([^|]*) \|", tables, re.MULTILINE)
        if isinstance(default, str | int | float):
            assert shown == (f"`{default:g}`" if isinstance(default, float) else f"`{default}`")
        else:
            assert shown == "required" if field.is_required() else shown.startswith("none: ")


def test_every_variable_of_the_local_stack_is_in_its_table() -> None:
    """Those that its code reads, and no others."""
    read = {
        name
        for file in [*(ROOT / "local").rglob("*.py"), ROOT / "docker-compose.yml"]
        for name in re.findall(r"\bGOALSTREAM_[A-Z_]+\b", file.read_text())
    }
    table = section(CONFIGURATION, "Variables of the local stack")
    ours = {name for name in read if "REGISTER" not in name}  # from a process to its own children
    generated = {f"GOALSTREAM_{name}" for name in ("STATE", "KAFKA_PORT")}  # of an option's name
    assert first_column(table) == ours | generated


def test_every_variable_of_the_trigger_and_of_cron_is_on_the_page_with_its_default() -> None:
    """Those that are not in the functions' tables have one of their own."""
    text = "".join((ROOT / "local" / name).read_text() for name in ("triggers.toml", "crontab"))
    read = dict(re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?\}", text))
    del read["NAME"]  # of a comment
    functions_own = first_column(section(CONFIGURATION, "Variables of the functions"))
    table = section(CONFIGURATION, "Variables of the Kafka trigger and cron")
    assert first_column(table.replace("`google-identity-token`", "")) == read.keys() - functions_own
    for name in read.keys() - functions_own:
        if default := read[name]:
            assert f"| `{name}` | `{default}` |" in table


def test_every_field_of_an_event_is_in_the_contract() -> None:
    """The table of fields is the model's own."""
    fields = {str(field.alias) for field in Event.model_fields.values()}
    assert first_column(section("docs/contract.md", "Events")) == fields


def test_every_route_is_in_the_contract() -> None:
    """Those of the OpenAPI documents, with their methods."""
    for name in ("events", "highlights"):
        document = json.loads((ROOT / "infra" / "openapi" / f"{name}.json").read_text())
        for path, operations in document["paths"].items():
            for method in operations if path != "/health" else ():
                assert f"`{method.upper()} {path}`" in PAGES["docs/contract.md"]
    assert "`/health`" in PAGES["docs/contract.md"]


REQUIREMENTS = [
    *ROOT.glob("requirements*.in"),
    *(ROOT / "infra").rglob("requirements.in"),
    *(ROOT / "local").rglob("requirements.in"),
    *(ROOT / "tests").rglob("requirements.in"),
]


def test_every_package_is_pinned_and_explained() -> None:
    """There is a reason for each package that is installed, and for no other."""
    lines = [
        line.partition(";")[0]
        for path in REQUIREMENTS
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    ]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    explained = first_column(PAGES["docs/dependencies.md"])
    assert explained == {line.split("==")[0] for line in lines}


def test_every_command_is_a_target_of_the_makefile() -> None:
    """Every `make` command on the pages has a target."""
    targets = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    commands = {
        name
        for text in PAGES.values()
        for name in re.findall(r"(?:^|`)make ([a-z0-9-]+)", text, re.MULTILINE)
    }
    assert commands
    assert commands <= targets


def test_every_target_that_make_lists_is_on_a_page() -> None:
    """But for the one that lists them, which is `make` alone."""
    listed = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help"}
    assert listed
    documented = "\n".join(PAGES.values())
    assert [name for name in sorted(listed) if not re.search(rf"\bmake {name}\b", documented)] == []


def test_every_setting_of_the_tests_is_in_contributing() -> None:
    """Those that they read are in CONTRIBUTING.md, and no others."""
    setting = re.compile(r"GOALSTREAM_TEST_[A-Z]+")
    read = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in setting.findall(file.read_text())
    }
    assert read == set(setting.findall(PAGES["CONTRIBUTING.md"]))


def test_every_path_on_a_page_exists() -> None:
    """The paths on the pages exist in the repository."""
    paths = {
        path
        for text in PAGES.values()
        for path in re.findall(r"`((?:docs|functions|infra|local|tests)/[\w/.-]*)`", text)
    }
    assert paths
    missing = [each for each in sorted(paths) if not (ROOT / each).exists() and "NAME" not in each]
    assert missing == []


def test_the_figures_of_growth_are_those_that_were_measured() -> None:
    """Each is in the table of the page on performance too."""
    figures = set(re.findall(r"\b\d\d,\d{3}(?= ?\w*/s)", PAGES["docs/growth-and-cost.md"]))
    assert figures == {"16,300", "43,000", "26,200", "25,700"}
    assert [each for each in figures if each not in PAGES["docs/performance.md"]] == []


def test_the_table_of_network_access_is_correct() -> None:
    """SECURITY.md lists for each service what the tests of the containers allow it to reach."""
    table = rows(SECURITY, "| service | reaches |")
    documented = {name.strip("`"): set(re.findall(r"`([^`]+)`", others)) for name, others in table}
    assert documented == REACHABLE


def test_the_table_of_database_privileges_is_correct() -> None:
    """SECURITY.md has the privileges of the roles on highlights, and who uses them."""
    table = {
        user.strip("`"): row for user, *row in rows(SECURITY, "| user | used by | privileges |")
    }
    for role, granted in PRIVILEGES.items():
        of, privileges = table[role]
        assert privileges == f"`{granted['highlights']}` on `highlights`"
        readers = {name.replace("_", "-") for name in functions.READERS}
        assert (set(of.split(", ")) == readers) is (role == READER)
