"""The bytes that are taken as a gzip file, and bounds on unpacking them."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ingest.gunzip import PIECE_BYTES, FileTooLarge, UnreadableFile, gunzip

MIB = 1024 * 1024


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def unpacked(data: bytes, chunk_size: int = 1000, limit_bytes: int = 64 * MIB) -> bytes:
    return b"".join(gunzip(chunks(data, chunk_size), limit_bytes))


def zeros(mib: int) -> Iterator[bytes]:
    """Zeros as gzip, made as they are asked for."""
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(mib):
        yield packer.compress(bytes(MIB))
    yield packer.flush()


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 500), st.integers(0, 9))
def test_members_in_a_row_are_one_file_however_it_is_cut(members: list[bytes], chunk_size: int, padding: int) -> None:
    assert unpacked(b"".join(map(gzip.compress, members)) + bytes(padding), chunk_size) == b"".join(members)


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_nothing_is_lost_at_the_border_of_a_piece(size: int) -> None:
    assert len(unpacked(gzip.compress(bytes(size)), chunk_size=10**6)) == size


@pytest.mark.parametrize("cut", [1, 8, 20, 200])
def test_truncated_file_is_refused(cut: int) -> None:
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(10_000)))
    with pytest.raises(UnreadableFile, match="cut off"):
        unpacked(whole[:-cut])


@pytest.mark.parametrize("data", [b"item_record_id\tbarcode\n", b"PK\x03\x04", b"\0" * 50, zlib.compress(b"x")])
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not gzip"):
        unpacked(data)


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="cut off"):
        unpacked(b"")


def test_damaged_file_is_refused() -> None:
    whole = bytearray(gzip.compress(bytes(range(256)) * 1000))
    whole[-6] ^= 1
    with pytest.raises(UnreadableFile, match="damaged"):
        unpacked(bytes(whole))


def test_something_else_behind_the_file_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        unpacked(gzip.compress(b"x") + b"something else")


def test_unpacking_stops_at_the_limit_and_needs_little_memory() -> None:
    produced = 0

    def counted() -> Iterator[bytes]:
        nonlocal produced
        for chunk in zeros(mib=10 * 1024):
            produced += 1
            yield chunk

    tracemalloc.start()
    try:
        with pytest.raises(FileTooLarge, match="64 MiB"):
            for _ in gunzip(counted(), 64 * MIB):
                pass
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert produced < 200
    assert peak_bytes < 16 * MIB


def test_file_as_large_as_the_limit_is_taken() -> None:
    assert len(unpacked(gzip.compress(bytes(MIB)), limit_bytes=MIB)) == MIB
    with pytest.raises(FileTooLarge):
        unpacked(gzip.compress(bytes(MIB + 1)), limit_bytes=MIB)
