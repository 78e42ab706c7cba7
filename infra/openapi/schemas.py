"""The JSON schemas of the models, as components of a document."""

import re
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from functions.shared.contract.event import Event

Json = dict[str, Any]

CONTRACT = Path(__file__).parents[2] / "docs" / "contract.md"
FIELD_ROW = re.compile(r"^\| (`[^|]+`) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
NAMED = {"metadata", "period"}  # fields whose types have schemas of their own
REFERENCE = "#/components/schemas/{model}"


class _SchemaGenerator(GenerateJsonSchema):
    """Makes schemas whose fields have no titles: those would repeat their names, as "Matchid"."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's name
        return False


def schemas(models: list[type[BaseModel]]) -> Json:
    """Return the models' schemas by name: of an event as it is read, of an answer as written.

    A field of an event has its description from docs/contract.md.
    """
    _, schema = models_json_schema(
        [
            (model, "validation" if issubclass(model, Event) else "serialization")
            for model in models
        ],
        ref_template=REFERENCE,
        schema_generator=_SchemaGenerator,
    )
    found: Json = schema["$defs"]
    for name in {model.__name__ for model in models if issubclass(model, Event)}:
        for field, meaning in _meanings().items():
            found[name]["properties"][field].setdefault("description", meaning)
    return dict(sorted({**found, **_named(found)}.items()))


def _named(models: Json) -> Json:
    """Return the schemas of NAMED, and put references to them into the models' own."""
    named = {}
    for model in models.values():
        for name in NAMED & model.get("properties", {}).keys():
            choices = model["properties"][name]["anyOf"]
            named[name.capitalize()] = choices[0]
            choices[0] = reference(name.capitalize())
    return named


def reference(model: type[BaseModel | Enum] | str) -> Json:
    """Return a reference to the schema of a model."""
    name = model if isinstance(model, str) else model.__name__
    return {"$ref": REFERENCE.format(model=name)}


def _meanings() -> dict[str, str]:
    """Return what the contract says of each field of an event."""
    table = CONTRACT.read_text(encoding="utf-8").partition("\n## Events\n")[2].partition("\n## ")[0]
    return {
        name: meaning[0].upper() + meaning[1:]
        for names, meaning in FIELD_ROW.findall(table)
        for name in re.findall(r"`(\w+)`", names)
    }
