"""A barcode is found by the text that a scanner reads; the log warns of one that several items share."""

import logging
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.routes.items import HOUR_SECONDS, MOST_WARNED, Barcode, SharedBarcodes
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase

LINE = "several items share a barcode, and print stations get none of them"
SENT = [" 31234000000102", "31234000000103 ", "31234000000111\r\n", "31234000000112\u200b"]
SAMPLES = ["3301 000001", "33010000-1", "330100000", "3" * 31, "33010000\u200b01", "3301\xa00000\xad1", "3301\n00001"]
READABLE = ["3301000001", "3" * 30, "AB_cd.1234"]  # letters beyond ASCII are as the database's locale knows them


@pytest.mark.parametrize("barcode", SENT, ids=ascii)
def test_barcode_sent_with_what_no_reader_reads_at_its_ends_is_found(
    etl: ApiClient, send: Send, printer_key: str, barcode: str
) -> None:
    send([row(1, barcode=barcode)])
    answer = etl.get(f"/itemdata/{barcode[:15].strip(chr(0x200B) + ' ' + chr(13))}", headers={"x-api-key": printer_key})
    assert answer.json()["item_record_id"] == FIRST_ID + 1


def test_barcode_that_can_not_be_asked_for_is_stored_as_it_is_and_listed(send: Send, database: TestDatabase) -> None:
    send([row(1, barcode="31234 0000 0010 1"), row(2, barcode="330100001"), row(3)])
    listed = database.fetch("SELECT item_number, barcode, reason FROM unreadable_barcode ORDER BY item_record_id")
    assert listed == [
        (
            *("1000001", "31234 0000 0010 1"),
            "holds a blank or another character that is neither letter, digit, _ nor a full stop",
        ),
        ("1000002", "330100001", "has fewer than 10 characters"),
    ]


@pytest.mark.parametrize("barcode", [*SAMPLES, *READABLE], ids=ascii)
def test_barcode_is_listed_exactly_if_no_request_can_ask_for_it(database: TestDatabase, barcode: str) -> None:
    database.add_item(1, barcode=barcode)
    try:
        TypeAdapter(Barcode).validate_python(barcode)
        can_be_asked_for = True
    except ValidationError:
        can_be_asked_for = False
    assert can_be_asked_for == (barcode in READABLE)
    assert database.fetch("SELECT barcode FROM unreadable_barcode") == ([] if can_be_asked_for else [(barcode,)])


@pytest.fixture
def shared(database: TestDatabase) -> str:
    """Two items have it, and two others none."""
    for number, barcode in ((2043111, "1231231230012"), (2043112, "1231231230012"), (1, None), (2, None)):
        database.add_item(number, barcode=barcode)
    return "1231231230012"


def test_shared_barcode_is_logged_once_however_often_it_is_asked_for(
    printer: ApiClient, shared: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "signum.api"):
        answers = [printer.get(f"/itemdata/{shared}") for _ in range(3)]
    assert {(answer.status_code, detail(answer)) for answer in answers} == {
        (409, "Several items share the barcode 1231231230012: item numbers 2043111, 2043112")
    }
    (line,) = caplog.records
    told: Any = vars(line)
    assert (line.getMessage(), told["barcode"], told["item_numbers"]) == (LINE, shared, "2043111, 2043112")


def test_shared_barcode_is_listed_with_its_items(database: TestDatabase, shared: str) -> None:
    assert database.fetch("SELECT barcode, items, item_numbers, titles FROM shared_barcode") == [
        (shared, 2, ["2043111", "2043112"], ["Kirja 2043111", "Kirja 2043112"])
    ]


def told_at(*asked: tuple[str, float]) -> list[str]:
    """The barcodes of the lines that these requests leave, asked for at these seconds."""
    barcodes, handler = SharedBarcodes(), _Kept()
    logging.getLogger("signum.api").addHandler(handler)
    try:
        for barcode, now in asked:
            barcodes.warn(barcode, ["1", "2"], now)
    finally:
        logging.getLogger("signum.api").removeHandler(handler)
    return handler.barcodes


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.barcodes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.barcodes.append(vars(record)["barcode"])


def test_each_barcode_is_warned_of_again_after_an_hour() -> None:
    hour = HOUR_SECONDS
    assert told_at(("a", 5), ("b", 9), ("a", hour), ("a", hour + 5), ("b", hour + 5), ("b", hour + 9)) == list("abab")


def test_lines_are_bounded_whatever_is_asked_for() -> None:
    asked = [(str(number), float(number % 7)) for number in range(MOST_WARNED + 50)]
    assert len(told_at(*sorted(asked, key=lambda one: one[1]))) == MOST_WARNED
