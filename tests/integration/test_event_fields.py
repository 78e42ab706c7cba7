"""Each field of an event, from the POST through the table to the answer; and how one is added."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import copytree
from typing import Any

from functions.shared.contract.event import Event
from functions.shared.postgres.connection import connect
from infra.migrate import migrate
from tests.support.drivers.table import TIMEOUT_S, Table

ROOT = Path(__file__).parents[2]

# Fields that no answer gives back by their name, and what does instead.
TOLD_OTHERWISE = {"retracted": "the status RETRACTED"}


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """Run a program of the project, with the code in this folder first; return its output."""
    path = os.pathsep.join(map(str, (folder, ROOT)))
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def walk(folder: Path, database_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event with every field, and its highlight."""
    posted, answer = json.loads(
        run(folder, "tests.integration.event_fields", DATABASE_URL=database_url)
    )
    return posted, answer


def check_given_back(posted: dict[str, Any], answer: dict[str, Any]) -> None:
    """Check that an answer has the posted values under the same names."""
    names = posted.keys() - TOLD_OTHERWISE.keys()
    assert {name: answer.get(name) for name in names} == {name: posted[name] for name in names}


def test_every_field_of_an_event_reaches_its_column_and_the_answer(own_table: Table) -> None:
    """An unmapped field would be accepted with a 202, and lost."""
    posted, answer = walk(ROOT, own_table.url)
    assert posted.keys() == {str(field.alias) for field in Event.model_fields.values()}
    check_given_back(posted, answer)
    assert answer["status"] == "RETRACTED"
    columns = own_table.run(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'highlights'"
    )
    assert Event.model_fields.keys() <= {name for (name,) in columns}
    names = ", ".join(Event.model_fields)
    assert None not in own_table.run(f"SELECT {names} FROM highlights")[0]  # noqa: S608 - our own


def test_a_field_is_added_by_a_line_and_a_column(empty_database: str, tmp_path: Path) -> None:
    """As CONTRIBUTING says; documents are generated, and the contract's table has its own test."""
    for name in ("docs", "functions", "infra"):
        copytree(ROOT / name, tmp_path / name)
    contract = tmp_path / "functions" / "shared" / "contract" / "event.py"
    text = contract.read_text()
    last = "    metadata: Metadata | None = None\n"
    assert text.count(last) == 1
    contract.write_text(text.replace(last, f"{last}    made_up: Name = None\n"))
    migrations = tmp_path / "infra" / "migrations"
    (migrations / "9999_made_up.sql").write_text(
        "ALTER TABLE highlights ADD COLUMN made_up text;\n"
    )
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection, migrations)

    posted, answer = walk(tmp_path, empty_database)
    assert posted["madeUp"] == answer["madeUp"] == "madeUp"
    check_given_back(posted, answer)
    run(tmp_path, "infra.openapi")
    run(tmp_path, "infra.asyncapi")
    for name, schema in (
        ("openapi/events", "Event"),
        ("openapi/highlights", "Highlight"),
        ("asyncapi/topics", "IdentifiedEvent"),
    ):
        document = json.loads((tmp_path / "infra" / f"{name}.json").read_text())
        assert "madeUp" in document["components"]["schemas"][schema]["properties"]
