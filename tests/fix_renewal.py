"""Files of the repository that code makes: a test compares them, `make schema` writes them anew."""

from pathlib import Path

from pydantic_settings import BaseSettings


class Renewal(BaseSettings):
    """The choice to write the files rather than compare them."""

    renew_schema_sql: bool = False


def assert_is_as_made(file: Path, made: str) -> None:
    """Fail if the file holds another text than the code makes now."""
    if Renewal().renew_schema_sql:
        file.write_text(made, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == made, "run `make schema`"
