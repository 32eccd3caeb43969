"""SQL stands in files of named statements, `sql/*.sql` in the package that sends them; this reads such a file."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

NAMED_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


@cache
def load(package: str, file: str) -> Mapping[str, LiteralString]:
    """The statements of `package`/sql/`file`.sql by name, each below a line `-- name: …`; parameters as `%(name)s`.

    The text comes from a file of ours and never from a user: hence LiteralString, which is what psycopg asks for.
    """
    text = (files(package) / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    statements = {name: cast(LiteralString, body.strip().rstrip(";")) for name, body in NAMED_STATEMENT.findall(text)}
    return MappingProxyType(statements)
