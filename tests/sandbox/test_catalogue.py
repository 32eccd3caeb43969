"""The sandbox's library is the same every time, and has every oddity that a real one has."""

import ast
import csv
import gzip
import io
import itertools
from typing import Any

from sandbox.catalogue import Item, Oddity, make_catalogue
from sandbox.etl import COLUMNS, encode, next_batch


def one(oddity: Oddity) -> Item:
    return make_catalogue(50)[oddity]


def sent(*items: Item) -> list[dict[str, str]]:
    """The rows of these items, as they arrive."""
    text = gzip.decompress(encode([row for item in items for row in item.rows()])).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))


def test_the_catalogue_is_the_same_every_time_and_a_smaller_one_its_beginning() -> None:
    assert make_catalogue(120)[:40] == make_catalogue(40)


def test_fifty_items_have_every_oddity() -> None:
    assert {item.oddity for item in make_catalogue(50)} == {None, *Oddity}


def test_the_first_item_is_an_ordinary_one_whose_call_number_is_to_be_changed() -> None:
    item = make_catalogue(1)[0]
    assert (item.oddity, item.call_numbers, item.classification) == (None, ("84.2 Jännitys",), "84.31")


def test_oddities_are_what_they_say() -> None:
    assert one(Oddity.NO_BIB).bibs == ()
    assert one(Oddity.NO_CALL_NUMBER).record().call_numbers() == []
    assert len(one(Oddity.TWO_CALL_NUMBERS).record().call_numbers()) == 2
    assert one(Oddity.GHOST).record().ghost
    assert one(Oddity.HIGH_ITYPE).record().fixed_fields["61"]["value"] == "300"
    assert len(list(one(Oddity.SEVERAL_BIBS).rows())) == 2
    assert "Чехов" in str(list(one(Oddity.CYRILLIC).rows()))
    assert "村上" in str(list(one(Oddity.CHINESE).rows()))
    assert next(one(Oddity.NO_AUTHOR).rows())["best_author"] is None
    assert next(one(Oddity.NO_CLASSIFICATION).rows())["classification"] is None
    right = one(Oddity.ALREADY_RIGHT)
    assert right.classification
    assert right.call_numbers[0].startswith(right.classification)
    assert "66" in one(Oddity.LENT).record().fixed_fields


def test_headings_are_sent_as_the_repr_of_a_list_not_as_json() -> None:
    item = one(Oddity.NO_AUTHOR)
    (row,) = sent(item)
    assert '"content": ' not in row["shelfmark_json"]
    assert "'content': \"A user's guide /\"" in row["shelfmark_json"]
    assert ast.literal_eval(row["shelfmark_json"]) == item.bibs[0].subfields


def test_whole_numbers_get_a_fraction_when_a_row_of_the_batch_lacks_one() -> None:
    whole, without_bib = make_catalogue(4)[0], one(Oddity.NO_BIB)
    assert sent(whole)[0]["bib_number"] == "1000001"
    first, second = sent(whole, without_bib)
    assert (first["bib_number"], second["bib_number"]) == ("1000001.0", "")
    assert first["bib_record_id"].endswith(".0")
    assert first["item_number"] == "2000001"


def test_item_types_are_cut_to_eight_bits() -> None:
    assert sent(one(Oddity.HIGH_ITYPE))[0]["itype_code_num"] == "44"


def test_an_empty_batch_is_its_header() -> None:
    assert gzip.decompress(encode([])).decode() == "\t".join(COLUMNS) + "\n"


def test_a_batch_has_so_many_items_in_the_order_of_their_ids_and_parts_none() -> None:
    rows: list[dict[str, Any]] = [row for item in reversed(make_catalogue(25)) for row in item.rows()]
    batches, last = [], 0
    while batch := next_batch(rows, last, 10):
        batches.append([row["item_record_id"] for row in batch])
        last = batches[-1][-1]
    assert [len(set(ids)) for ids in batches] == [10, 10, 5]
    assert [len(ids) for ids in batches] == [10, 11, 5]
    assert list(itertools.chain(*batches)) == sorted(row["item_record_id"] for row in rows)
