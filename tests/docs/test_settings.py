"""The tables of settings, README's and those of docs/etl.md and docs/console.md, say what the settings classes say."""

from typing import Any

import pytest

from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings, SierraDnaSettings
from runtime.settings import (
    ApiSettings,
    DatabaseSettings,
    LateWriteSettings,
    MigrateSettings,
    NotifierSettings,
    ProcessSettings,
)
from tests.docs.markdown import table

ETL = "docs/etl.md"
CONSOLE = "docs/console.md"
CLASSES = [
    ("Every process", ProcessSettings, ()),
    ("The database", DatabaseSettings, ProcessSettings.model_fields),
    ("The database's roles", MigrateSettings, DatabaseSettings.model_fields),
    ("The API", ApiSettings, DatabaseSettings.model_fields),
    ("Settings", ConsoleSettings, LateWriteSettings.model_fields),
    ("The notifier", NotifierSettings, DatabaseSettings.model_fields),
    ("Settings of reading", SierraDnaSettings, ProcessSettings.model_fields),
    ("Settings of the process", EtlSettings, SierraDnaSettings.model_fields),
]


@pytest.mark.parametrize(("heading", "kind", "inherited"), CLASSES, ids=[heading for heading, *_ in CLASSES])
def test_every_setting_stands_in_its_table_once_with_default_bounds_and_meaning(
    heading: str, kind: type[ProcessSettings], inherited: Any
) -> None:
    expected = [row(kind, name) for name in kind.model_fields if name not in inherited]
    page = ETL if issubclass(kind, SierraDnaSettings) else CONSOLE if kind is ConsoleSettings else "README.md"
    assert table(page, heading) == expected


def row(kind: type[ProcessSettings], name: str) -> list[str]:
    """The setting as the table has it."""
    field = kind.model_fields[name]
    if field.is_required():
        default = "required"
    elif field.default is None:
        default = "unset"
    elif field.default == "":
        default = "empty"
    else:
        default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    return [f"`{name.upper()}`", default, allowed(kind, name), field.description or ""]


def allowed(kind: type[ProcessSettings], name: str) -> str:
    """The values that it may have, by the schema that they are checked with."""
    schema = kind.model_json_schema()["properties"][name]
    schema = {**schema, **schema.get("anyOf", [{}])[0]}
    if "minimum" in schema:
        least, most = schema["minimum"], int(schema["maximum"])
        return f"{int(least) if least == int(least) else least} to {most}"
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "pattern" in schema:
        return "`http://…`, `https://…`" if "http" in schema["pattern"] else "empty, `/…`"
    return "text"
