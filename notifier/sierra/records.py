"""An item record as Sierra's API shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Field = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """An item as Sierra answered it: fixed fields by number, variable fields in their order."""

    number: str
    fixed_fields: Mapping[str, Field]
    var_fields: Sequence[Field]
