"""Uploads are multipart with one file, which is passed on as it comes."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.upload import MOST_PARTS, FieldRefused, UploadRefused, receive_upload

BOUNDARY = "limit-of-the-parts"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

TIMESTAMP = ('name="timestamp"', b"2026-11-20T12:00:00+02:00")
FILE = ('name="file"; filename="data.tsv.gz"', b"\x1f\x8b\r\n--not-the-boundary\r\n")


def multipart(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
        for name, content in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode()


async def receive(
    body: bytes, *, piece_size: int = 100, limit_bytes: int = 10**6, content_type: str = CONTENT_TYPE
) -> tuple[str, bytes]:
    """The timestamp and the file."""
    passed_on = bytearray()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece_size):
            yield body[start : start + piece_size]

    async def pass_on(data: bytes) -> None:
        passed_on.extend(data)

    texts = await receive_upload(content_type, pieces(), limit_bytes, pass_on)
    return texts["timestamp"], bytes(passed_on)


@pytest.mark.parametrize("parts", [(TIMESTAMP, FILE), (FILE, TIMESTAMP)])
async def test_timestamp_may_stand_before_or_behind_the_file(parts: tuple[tuple[str, bytes], ...]) -> None:
    assert await receive(multipart(*parts)) == ("2026-11-20T12:00:00+02:00", FILE[1])


@given(content=st.binary(max_size=300), piece_size=st.integers(1, 60))
async def test_file_is_the_same_however_the_body_is_cut(content: bytes, piece_size: int) -> None:
    body = multipart(TIMESTAMP, ('name="file"', content), ('name="comment"', b"thanks"))
    assert await receive(body, piece_size=piece_size) == ("2026-11-20T12:00:00+02:00", content)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ((TIMESTAMP,), "file"),
        ((FILE,), "timestamp"),
        ((TIMESTAMP, FILE, FILE), "file"),
        ((TIMESTAMP, TIMESTAMP, FILE), "timestamp"),
        ((('name="timestamp"', b"1" * 101), FILE), "timestamp"),
        ((TIMESTAMP, ('name="changes_since"', b"1" * 101), FILE), "changes_since"),
        ((TIMESTAMP, ('name="changes_since"', b""), FILE, ('name="changes_since"', b"")), "changes_since"),
    ],
)
async def test_part_that_is_missing_doubled_or_too_long_is_named(
    parts: tuple[tuple[str, bytes], ...], name: str
) -> None:
    with pytest.raises(FieldRefused) as refused:
        await receive(multipart(*parts))
    assert (refused.value.status, refused.value.name) == (422, name)


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data", "text/plain; boundary=x"])
async def test_body_that_is_no_form_lacks_the_file(content_type: str) -> None:
    with pytest.raises(FieldRefused):
        await receive(multipart(TIMESTAMP, FILE), content_type=content_type)


@pytest.mark.parametrize("lost", [3, 5, 30, 60, 200])
async def test_body_without_its_end_is_refused(lost: int) -> None:
    with pytest.raises(UploadRefused, match="cut off") as refused:
        await receive(multipart(TIMESTAMP, FILE)[:-lost])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "body", [b"nonsense\r\n", b"--other\r\n\r\n", multipart(TIMESTAMP).replace(b": form", b"form")]
)
async def test_body_that_is_not_multipart_is_refused(body: bytes) -> None:
    with pytest.raises(UploadRefused, match="not multipart") as refused:
        await receive(body)
    assert refused.value.status == 400


async def test_boundary_that_is_too_long_is_refused() -> None:
    with pytest.raises(UploadRefused, match="not multipart"):
        await receive(b"", content_type=f"multipart/form-data; boundary={'x' * 1000}")


async def test_body_of_very_many_parts_is_refused() -> None:
    with pytest.raises(UploadRefused, match="parts"):
        await receive(multipart(*[('name="x"', b"")] * (MOST_PARTS + 1)))


async def test_headers_without_end_are_refused_early() -> None:
    body = f"--{BOUNDARY}\r\nContent-Disposition: ".encode() + b"x" * 500_000
    with pytest.raises(UploadRefused, match="not multipart"):
        await receive(body)


async def test_larger_body_than_allowed_is_refused_before_all_of_it_has_come() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield multipart(TIMESTAMP, FILE)[:250]
        for _ in range(100):
            yield b"x" * 1_000_000
        pytest.fail("read on and on")

    async def pass_on(data: bytes) -> None: ...

    with pytest.raises(UploadRefused, match="larger than 1 MiB") as refused:
        await receive_upload(CONTENT_TYPE, endless(), 1 << 20, pass_on)
    assert refused.value.status == 413
