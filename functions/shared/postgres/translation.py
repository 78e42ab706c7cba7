"""A highlight's JSON in another language: for those who read it once for all their readers."""

import orjson

from functions.shared.postgres.highlight_sql import TRANSLATED


def translate(document: str, language: str) -> str:
    """Return a highlight's JSON with title and summary in a language, if it has texts in that.

    That is what DOCUMENT does in SQL. Nothing else is parsed, so that it stays as it was written:
    `metadata` is given back as the feed has sent it.
    """
    # No string has a quotation mark that is not escaped, and no part of what follows a member of
    # these names: the members of the event come before.
    end = document.rindex(',"thumbnailUrl":')
    _, _, rest = document[end:].partition(',"texts":')
    texts = orjson.loads(rest[: rest.rindex(',"enrichedBy":')]) or {}
    text = {name: texts.get(language, {}).get(name) for name in TRANSLATED}
    if None in text.values():
        return document
    start = document.rindex(',"title":', 0, end)
    return f"{document[:start]},{orjson.dumps(text).decode()[1:-1]}{document[end:]}"
