"""The fields of a form or an address, without what PostgreSQL can't store."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from fastapi import HTTPException, Request

MOST_BYTES = 1 << 20
MOST_SECONDS = 20.0
MOST_FIELDS = 20_000
FORM = "application/x-www-form-urlencoded"


class Fields:
    """Named texts; a name may have several."""

    def __init__(self, encoded: bytes) -> None:
        """Read them; 400 if they hold a NUL, or are too many."""
        try:
            text = encoded.decode("ascii")
            found = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
        except ValueError:
            raise HTTPException(400, "The form can't be read") from None
        if any("\0" in value for name, values in found.items() for value in (name, *values)):
            raise HTTPException(400, "The form holds a NUL, which is no character of a text")
        self._found: Mapping[str, Sequence[str]] = found

    def text(self, name: str) -> str:
        """The field without blanks around it; empty if it is not there."""
        return self._found.get(name, [""])[0].strip()

    def all(self, name: str) -> Sequence[str]:
        """The texts of all fields of that name: what is ticked."""
        return self._found.get(name, [])


async def read_form(request: Request) -> Fields:
    """The form that was sent. 415 if it is none, 413 if it is larger than MOST_BYTES, 408 if it dawdles."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415, "This is not a form")
    body = bytearray()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    raise HTTPException(413, f"The form is larger than {MOST_BYTES >> 20} MiB")
    except TimeoutError:
        raise HTTPException(408, f"The form did not come within {MOST_SECONDS:g} s") from None
    return Fields(bytes(body))
