"""Each row of a batch is read as it was meant, or kept aside with the reason; the others are stored."""

import json
from typing import Any

from tests.fix_api import ApiClient
from tests.fix_batch import FIRST_ID, Send, heading, row, tsv
from tests.fix_postgres import TestDatabase


def items(database: TestDatabase, columns: str = "item_record_id") -> list[tuple[Any, ...]]:
    return database.fetch(f"SELECT {columns} FROM sierra_item ORDER BY item_record_id")


def test_python_repr_and_json_give_the_same_shelfmark(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    entry = {"marc_tag": "245", "marc_ind1": "1", "marc_ind2": "2", "tag": "a", "content": "A user's guide"}
    send([row(1, shelfmark_json=repr([entry])), row(2, shelfmark_json=json.dumps([entry]))])
    assert items(database, "shelfmark") == [("USE",), ("USE",)]


def test_headings_of_other_scripts_are_romanised(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    send([row(1, shelfmark_json=heading("Чехов")), row(2, shelfmark_json=heading("村上春樹"))])
    assert items(database, "shelfmark") == [("CHE",), ("CUN",)]


def test_pandas_floats_are_whole_numbers(send: Send, database: TestDatabase) -> None:
    send(
        b"item_record_id\titem_number\tbarcode\tbib_record_id\tbib_number\tbest_author\tbest_title\titype_code_num\t"
        b"item_type_name\tmaterial_code\tmaterial_name\tclassification\tshelfmark_json\n"
        b"450971566081\t1000001.0\t33010000000001\t420907800001.0\t2000001.0\tWaltari, Mika\tSinuhe\t100.0\tKirja\ta\t"
        b"Kirja\t84.2\t[{'marc_tag': '100', 'marc_ind1': '1', 'marc_ind2': ' ', 'field_type_code': 'a', 'tag': 'a', "
        b"'content': 'Waltari, Mika,'}]\n"
        b"450971566082\t1000002.0\t33010000000002\t\t\t\t\t\tKirja\t\t\t\t\n"
    )
    assert items(database, "item_number, bib_record_id, bib_number, itype_code_num, classification, shelfmark") == [
        ("1000001", 420_907_800_001, "2000001", 100, "84.2", "WAL"),
        ("1000002", None, None, None, None, "***"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_fine(send: Send, database: TestDatabase) -> None:
    assert send(b"\xef\xbb\xbf" + tsv([row(1)], lineterminator="\r\n")).json()["written"] == 1
    assert items(database, "shelfmark") == [("WAL",)]


BAD_ROWS = [
    row(1, item_record_id="x"),
    row(2, item_record_id=str(2**63)),
    row(3, best_title="Sinuhe\0"),
    row(4, best_author="\ud800"),
    row(5, itype_code_num=str(2**31)),
    row(6, item_number="i1000006"),
    row(7, bib_number="2000007.5"),
    row(8, barcode="3" * 300),
    row(9, bib_record_id="1e5"),
    row(10, item_record_id=""),
    row(11, bib_record_id="x"),
]


def test_bad_rows_are_kept_aside_and_the_others_taken_in(send: Send, database: TestDatabase) -> None:
    answer = send([row(20), *BAD_ROWS, row(21, shelfmark_json=repr([{"content": "\0"}])), row(22, item_number="")])
    assert answer.status_code == 200
    assert answer.json() | {"reasons": []} == {
        "upserted": 3,
        "written": 3,
        "unchanged": 0,
        "rejected": 11,
        "reasons": [],
        "shown": 0,
        "deleted": 0,
        "deletions_held": 0,
    }
    assert len(answer.json()["reasons"]) == 10
    assert (
        answer.json()["reasons"][4]
        == f"line 7, item {FIRST_ID + 5}: itype_code_num '2147483648' is no whole number of 32 bits"
    )
    kept = dict(database.fetch("SELECT item_record_id, reason FROM rejected_row WHERE item_record_id IS NOT NULL"))
    assert kept.keys() == {FIRST_ID + number for number in (3, 4, 5, 6, 7, 8, 9, 11)}
    assert items(database, "shelfmark") == [("WAL",), ("***",), ("WAL",)]


def test_row_refused_again_is_counted_and_gone_once_its_item_is_stored(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    for _ in range(2):
        send([row(1, itype_code_num="x")])
    assert database.fetch("SELECT row_key, reason_code, times FROM rejected_row") == [
        (str(FIRST_ID + 1), "itype_code_num", 2)
    ]
    send([row(1)], timestamp="2026-11-20T12:30:00+02:00")
    assert database.fetch("SELECT * FROM rejected_row") == []


def test_refused_row_stays_when_an_older_batch_brings_its_item(send: Send, database: TestDatabase) -> None:
    send([row(1, itype_code_num="x")])
    send([row(1)], timestamp="2026-11-20T11:00:00+02:00")
    assert database.fetch("SELECT count(*) FROM rejected_row") == [(1,)]


def test_line_whose_id_can_not_be_read_is_kept_once(send: Send, database: TestDatabase) -> None:
    for _ in range(2):
        send([row(1, item_record_id="x"), row(2, item_record_id="x")])
    kept = database.fetch("SELECT length(row_key), item_record_id, reason_code, times FROM rejected_row")
    assert kept == [(64, None, "item_record_id", 2)] * 2


def test_one_item_in_every_row_costs_no_more_than_others(send: Send, database: TestDatabase) -> None:
    answer = send([row(1, bib_record_id=str(bib)) for bib in range(20_000)])
    assert answer.json()["upserted"] == 20_000
    assert items(database, "bib_record_id") == [(19_999,)]
