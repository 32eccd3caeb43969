"""Where are the statements? In db/sql/*.sql, each below a line `-- name: …`; this reads them."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import LiteralString, cast

FOLDER = Path(__file__).with_name("sql")
NAMED_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


@cache
def load(file: str) -> Mapping[str, LiteralString]:
    """The statements of db/sql/`file`.sql by name, parameters as psycopg's `%(name)s`.

    The text comes from a file of ours and never from a user: hence LiteralString, which is what psycopg asks for.
    """
    text = (FOLDER / f"{file}.sql").read_text(encoding="utf-8")
    statements = {name: cast(LiteralString, body.strip().rstrip(";")) for name, body in NAMED_STATEMENT.findall(text)}
    return MappingProxyType(statements)
