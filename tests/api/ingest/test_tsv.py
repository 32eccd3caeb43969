"""TSV files become records: all that the standard library's writer writes comes back, and nothing costs too much."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.ingest.gunzip import UnreadableFile
from api.ingest.tsv import RECORD_LIMIT_BYTES, read_records

fields = st.text(
    st.characters(blacklist_categories=["Cs"]) | st.sampled_from(["\t", '"', "\n", "\r", "'", "\0", "\x85"]), max_size=8
)
records = st.lists(st.lists(fields, min_size=2, max_size=4), max_size=5)


def read(data: bytes, piece_size: int = 1000) -> list[list[str]]:
    pieces = (data[start : start + piece_size] for start in range(0, len(data), piece_size))
    return [record.fields for record in read_records(pieces)]


@given(records, st.integers(1, 40), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([["a", 'b"c\td\ne\r\nf']], 1, "\n", True)
def test_what_a_csv_writer_writes_is_read_back(
    rows: list[list[str]], piece_size: int, lineterminator: str, with_byte_order_mark: bool
) -> None:
    written = [[*row, "last"] for row in rows]
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator=lineterminator).writerows(written)
    assert read(text.getvalue().encode("utf-8-sig" if with_byte_order_mark else "utf-8"), piece_size) == written


soups = st.lists(st.sampled_from(["\t", "\n", "\r\n", '"', '""', "\ufeff", "\0", "a", "\x85", "ä"]), max_size=30)


@given(soups, st.integers(1, 40))
def test_whatever_the_standard_library_s_reader_reads_is_read_alike(soup: list[str], piece_size: int) -> None:
    text = "".join(soup).removeprefix("\ufeff")
    try:
        expected = [
            fields for fields in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True) if fields
        ]
    except csv.Error:
        with pytest.raises(UnreadableFile):
            read(text.encode("utf-8-sig"), piece_size)
    else:
        assert read(text.encode("utf-8-sig"), piece_size) == expected


def test_carriage_return_without_quotes_is_part_of_its_field() -> None:
    assert read(b"a\rb\tc\r\n\rd\te\rf\n") == [["a\rb", "c"], ["\rd", "e\rf"]]


def test_only_line_feeds_end_a_record() -> None:
    assert read("a\x0b\x0c\x1c\x85\u2028b\tc\n".encode()) == [["a\x0b\x0c\x1c\x85\u2028b", "c"]]


def test_line_numbers_are_those_of_the_file() -> None:
    data = b'a\tb\n"x\ny"\tz\n\nc\td\n'
    assert [record.line_number for record in read_records([data])] == [1, 2, 5]


def test_blank_lines_are_no_records() -> None:
    assert read(b"\n\r\na\tb\n\n\r\n") == [["a", "b"]]


def test_last_line_needs_no_end() -> None:
    assert read(b"a\tb\nc\td") == [["a", "b"], ["c", "d"]]


def test_field_of_nearly_the_limit_is_read() -> None:
    long = "x" * (RECORD_LIMIT_BYTES - 10)
    assert read(f"a\t{long}\n".encode(), 65536) == [["a", long]]


@pytest.mark.parametrize("data", [b'a\tb\nc\t"d\ne\tf\n', b'"', b'a\t"b"c\td\n', b'a\t"b\nc\t"d"\n'])
def test_quote_that_is_never_closed_or_out_of_place_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="quote"):
        read(data)


@pytest.mark.parametrize(
    ("data", "line"), [(b"a\tb\nc\t\xe4\n", 2), (b"\xff\n", 1), (b"\xfe\xff\0a", 1), (b"a\n\nb\t\xc3", 3)]
)
def test_what_is_not_utf_8_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(UnreadableFile, match=f"line {line} is not UTF-8"):
        read(data)


@pytest.mark.parametrize("half", [0xD800, 0xDC00, 0xDC0D, 0xDFFF], ids=hex)
def test_half_a_surrogate_pair_comes_through_for_its_row_to_be_refused(half: int) -> None:
    sent = chr(half).encode("utf-8", "surrogatepass")
    ((_, came),) = read(b"a\t" + sent + b"\n")
    assert came == chr(half).replace("\udc0d", "\udc00"), "another half is refused as well, and is no CR"

    ((_, with_carriage_returns),) = read(b"a\tb\r" + sent + b"\r\n")
    assert re.fullmatch("b\r[\ud800-\udfff]", with_carriage_returns)


def test_half_a_pair_that_stands_for_a_cr_in_us_is_none_in_a_record_of_several_lines() -> None:
    half = "\udc0d".encode("utf-8", "surrogatepass")
    assert read(b'1\t"a\r\nb' + half + b'c"\n') == [["1", "a\r\nb\udc00c"]]


def endless(data: bytes) -> Iterator[bytes]:
    """So much of it that only who stops early comes to an end; and then it is too late."""
    for _ in range(200):
        yield data * (65536 // len(data))
    pytest.fail("read on and on")


@pytest.mark.parametrize("data", [b"\0", b"x", b'"', b"x\t", b"\n", b"\r\n"], ids=repr)
def test_record_over_the_limit_is_refused_before_it_is_complete(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="over 1 MiB"):
        list(read_records(endless(data)))


def test_many_lines_in_one_quoted_field_are_one_record() -> None:
    with pytest.raises(UnreadableFile, match="over 1 MiB"):
        list(read_records(iter([b'a\t"', *[b"x\n" * 32768] * 200])))
