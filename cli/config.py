"""`signum config`: the settings in force here, and the source of each. Secrets are masked."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from cli.output import AsJson, show_rows
from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings
from runtime.settings import (
    MASKED,
    ApiSettings,
    MigrateSettings,
    NotifierSettings,
    ProcessSettings,
    SettingsError,
    read_settings,
)
from runtime.sources import look_up


class Reader(StrEnum):
    """The processes that read settings."""

    API = "api"
    CONSOLE = "console"
    NOTIFIER = "notifier"
    MIGRATE = "migrate"
    ETL = "etl"


_KINDS: dict[Reader, type[ProcessSettings]] = {
    Reader.API: ApiSettings,
    Reader.CONSOLE: ConsoleSettings,
    Reader.NOTIFIER: NotifierSettings,
    Reader.MIGRATE: MigrateSettings,
    Reader.ETL: EtlSettings,
}


def config(
    process: Annotated[Reader | None, typer.Argument(help="Only this process's settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the settings in force here and the source of each: environment, file or default. Secrets are masked.

    A wrong setting is reported as the process itself would report it.
    """
    rows: dict[str, dict[str, Any]] = {}
    problems = []
    for reader in [process] if process else _readers_here():
        try:
            for row in _effective(_KINDS[reader]):
                rows.setdefault(row["setting"], {**row, "read_by": []})["read_by"].append(reader.value)
        except SettingsError as error:
            problems.append(f"{reader}: {error}")
    if rows:
        shown = list(rows.values())
        show_rows(
            shown if as_json else [_for_people(row) for row in shown], as_json, ("setting", "value", "from", "read_by")
        )
    if problems:
        raise SettingsError("\n".join(problems))


def _readers_here() -> list[Reader]:
    """The processes whose settings are shown if none is named: the ETL only where it has one of its own."""
    given, _ = look_up(EtlSettings)
    of_the_etl = given.keys() - ProcessSettings.model_fields.keys()
    return [reader for reader in Reader if reader is not Reader.ETL or of_the_etl]


def _effective(kind: type[ProcessSettings]) -> Iterator[dict[str, Any]]:
    """Each setting with its value as the process gets it. SettingsError as the process gets it, too."""
    settings, (given, _) = read_settings(kind), look_up(kind)
    for name, value in settings:
        origin = given[name].origin if name in given else "default"
        yield {"setting": name.upper(), "value": MASKED if isinstance(value, SecretStr) else value, "from": origin}


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    value = row["value"]
    shown = str(value).lower() if isinstance(value, bool) else value
    return {**row, "value": shown, "read_by": ", ".join(row["read_by"])}
