"""Write down the statements of today, under the newest migration's name."""

import argparse

from functions.shared.postgres import highlight_sql as sql
from infra.migrate import MIGRATIONS
from tests.integration.statements import FOLDER

NAMED = {
    "RECORD": sql.RECORD,
    "CONFLICTS": sql.CONFLICTS,
    "CLAIM": sql.CLAIM,
    "CLAIM_PROVISIONAL": sql.CLAIM_PROVISIONAL,
    "CLAIM_CRASHED": sql.CLAIM_CRASHED,
    "CLAIM_CRASHED_PROVISIONAL": sql.CLAIM_CRASHED_PROVISIONAL,
    "PROLONG": sql.PROLONG,
    "FINISH": sql.FINISH,
    "GIVE_BACK": sql.GIVE_BACK,
    "CORRECTED": sql.CORRECTED,
    "SETTLE": sql.SETTLE,
    "COUNT_PENDING": sql.COUNT_PENDING,
    "GET": sql.GET,
    "LIST": sql.list_statement(["match_id", "not_retracted"]),
}


def main() -> None:
    """Write the file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    newest = max(path.stem for path in MIGRATIONS.glob("*.sql"))
    text = "\n\n".join(f"-- name: {name}\n{each.strip()}" for name, each in NAMED.items())
    (FOLDER / f"{newest}.sql").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
