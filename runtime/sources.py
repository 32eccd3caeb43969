"""The sources of settings: the environment, else the file SETTINGS_FILE (`.env` in the current folder).

A secret may stand in a file of its own, as Docker and Kubernetes hand them out: NAME_FILE is the path of NAME's file.
The parts of DATABASE_URL hold for each DB_… that is set nowhere.
"""

from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

ENVIRONMENT = "environment"
DATABASE_URL = "database_url"


class SettingsFile(BaseSettings):
    """The file with the settings that the environment does not have. `/dev/null`: none."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    settings_file: Path = Path(".env")


class Given(NamedTuple):
    """A setting's value, and where it was found."""

    value: str
    origin: str


def look_up(kind: type[BaseSettings]) -> tuple[dict[str, Given], list[str]]:
    """The values found for the settings of this kind, by name; and a line for each file that can't be used."""
    found, problems = _read_all(kind)
    given = {name: found[name] for name in kind.model_fields if name in found}
    for name in (name for name, field in kind.model_fields.items() if is_secret(field)):
        file = found.get(f"{name}_file")
        if file is None:
            continue
        if name in given:
            problems.append(f"{name.upper()} and {name.upper()}_FILE are both set: leave one out")
            continue
        try:
            given[name] = Given(_read_secret(Path(file.value)), f"{file.value} ({name.upper()}_FILE)")
        except (OSError, ValueError) as error:
            problems.append(f"{name.upper()}_FILE={file.value!r} can't be used: {_why(error)}")
    if DATABASE_URL in given:
        try:
            given = _parts_of(given[DATABASE_URL]) | given
        except ValueError as error:
            problems.append(f"DATABASE_URL can't be used: {error}")
    return given, problems


def _parts_of(url: Given) -> dict[str, Given]:
    from runtime.database_url import read_database_url

    return {name: Given(value, DATABASE_URL.upper()) for name, value in read_database_url(url.value).items()}


def is_secret(field: FieldInfo) -> bool:
    """True if its value must not be shown."""
    return SecretStr.__name__ in str(field.annotation)


def _read_all(kind: type[BaseSettings]) -> tuple[dict[str, Given], list[str]]:
    """All values of environment and file, by lower-case names; empty ones are left out."""
    named = SettingsFile()
    file, problems = named.settings_file, []
    found: dict[str, Given] = {}
    try:
        if named.model_fields_set:  # SETTINGS_FILE was given: then the file has to be there
            file.open().close()
        lines = DotEnvSettingsSource(kind, env_file=file, env_file_encoding="utf-8").env_vars
        found = {name: Given(value, str(file)) for name, value in lines.items() if value}
    except (OSError, ValueError) as error:
        problems = [f"SETTINGS_FILE={str(file)!r} can't be read: {_why(error)} (/dev/null: read no file)"]
    variables = EnvSettingsSource(kind).env_vars
    return found | {name: Given(value, ENVIRONMENT) for name, value in variables.items() if value}, problems


def _read_secret(file: Path) -> str:
    """The file's text without the line end that editors put there. An empty one is no secret."""
    text = file.read_text(encoding="utf-8").rstrip("\r\n")
    if not text:
        raise ValueError("it is empty")
    return text


def _why(error: OSError | ValueError) -> str:
    """The reason, without the file's contents."""
    match error:
        case OSError():
            return error.strerror or type(error).__name__
        case UnicodeDecodeError():
            return "it is not UTF-8"
    return str(error)
