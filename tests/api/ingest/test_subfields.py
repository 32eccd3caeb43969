"""The reader of `shelfmark_json` takes a text as Python and JSON themselves do."""

import ast
import json
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.ingest import subfields
from api.ingest.subfields import MainEntry, UnreadableSubfields, read_main_entries, read_objects

DECOY = "{'marc_tag': '100', 'marc_ind1': '1', 'marc_ind2': ' ', 'field_type_code': 'a', 'tag': 'a', 'content': 'X'}, "

storable = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
texts = st.text(storable | st.sampled_from(["'", '"', "\\", "\n", "\xad", "\x98", "\u200e", "\U000e0001"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
lists_of_objects = st.lists(st.dictionaries(texts, values, max_size=4), max_size=4)
deployed_objects = st.fixed_dictionaries(
    {
        "marc_tag": st.sampled_from(["100", "110", "111", "130", "245", "1", ""]) | texts,
        "marc_ind1": st.sampled_from(["0", "1", "2", " ", None]) | texts,
        "marc_ind2": st.sampled_from(["0", "4", " ", None]) | texts,
        "field_type_code": st.sampled_from(["a", "t", None]),
        "tag": st.sampled_from(["a", "b", "c", None]) | texts,
        "content": st.none() | texts | st.sampled_from([DECOY, f"[{DECOY}", f"'{DECOY}", "None", " "]),
    }
)


def subfield(
    content: str | None, marc_tag: str = "100", ind1: str = "1", ind2: str = " ", tag: str = "a"
) -> dict[str, Any]:
    return {
        "marc_tag": marc_tag,
        "marc_ind1": ind1,
        "marc_ind2": ind2,
        "field_type_code": "a",
        "tag": tag,
        "content": content,
    }


def read_by_the_full_parser(text: str) -> list[MainEntry]:
    return subfields._main_entries(read_objects(text))


@given(lists_of_objects)
def test_python_repr_is_read_as_python_reads_it(objects: list[dict[str, Any]]) -> None:
    assert read_objects(repr(objects)) == ast.literal_eval(repr(objects)) == objects


@given(lists_of_objects, st.booleans())
def test_json_is_read_as_json(objects: list[dict[str, Any]], ascii_only: bool) -> None:
    assert read_objects(json.dumps(objects, ensure_ascii=ascii_only)) == objects


@given(st.lists(deployed_objects, max_size=5))
@example([subfield("Royce Da 5'9\",")])
@example([subfield(f'"{DECOY}', tag="b"), subfield(None), subfield("")])
def test_scan_of_the_deployed_form_finds_what_the_full_parser_finds(objects: list[dict[str, Any]]) -> None:
    text = repr(objects)
    assert read_main_entries(text) == read_by_the_full_parser(text)


@given(st.lists(deployed_objects, min_size=1, max_size=3), st.data())
def test_damaged_text_is_read_as_python_reads_it_or_not_at_all(
    objects: list[dict[str, Any]], data: st.DataObject
) -> None:
    text = repr(objects)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    damaged = text[:start] + data.draw(st.sampled_from(["", "'", '"', "\\", ", ", "}", DECOY, "\\x41"])) + text[end:]
    scanned = subfields._scan_deployed(damaged)
    try:
        full = read_objects(damaged)
    except UnreadableSubfields:
        assert scanned is None
        return
    assert full == ast.literal_eval(damaged)
    assert scanned in (None, subfields._main_entries(full))


def test_nearly_every_row_takes_the_scan() -> None:
    text = repr([subfield("Mannerheim, d'Artagnan \xad"), subfield("Royce Da 5'9\""), subfield(None, tag="b")])
    assert subfields._scan_deployed(text) == read_by_the_full_parser(text) != []


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (
            "[{'marc_tag': '100', 'marc_ind1': '0', 'marc_ind2': ' ', 'field_type_code': 'a', 'tag': 'a', "
            "'content': 'Royce Da 5\\'9\",'}]",
            "Royce Da 5'9\",",
        ),
        (
            "[{'marc_tag': '245', 'marc_ind1': '1', 'marc_ind2': '2', 'field_type_code': 't', 'tag': 'a', "
            "'content': \"A user's guide /\"}]",
            "A user's guide /",
        ),
        (
            "[{'marc_tag': '245', 'marc_ind1': '1', 'marc_ind2': '2', 'field_type_code': 't', 'tag': 'a', "
            "'content': '\\\\ \\n \\xad \\x98 \\u200e \\U000e0001'}]",
            "\\ \n \xad \x98 \u200e \U000e0001",
        ),
    ],
)
def test_quotes_and_escapes_of_the_deployed_etl_are_read(text: str, content: str) -> None:
    (entry,) = read_main_entries(text)
    assert entry.content == content


@pytest.mark.parametrize("marc_tag", ["130", "700"])
def test_other_headings_are_no_main_entries(marc_tag: str) -> None:
    assert read_main_entries(repr([subfield("Raamattu", marc_tag)])) == []


@pytest.mark.parametrize("content", [None, "", "  ", "\t\n"])
def test_subfield_without_content_is_not_there(content: str | None) -> None:
    assert read_main_entries(repr([subfield(content)])) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "None",
        "{}",
        "'text'",
        "[1]",
        "[[]]",
        '["text"]',
        "[{'a': 'b'}",
        "[{'a': 'b}]",
        "[{'a': b}]",
        "[{'a': 'b'} {'c': 'd'}]",
        "[{'a': 'b'},]",
        "[{'a': '\\d'}]",
        "[{'a': __import__('os')}]",
        "[{'a': 'raw\nnewline'}]",
        "[{1: 'a'}]",
    ],
)
def test_what_is_no_list_of_objects_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableSubfields):
        read_main_entries(text)


@pytest.mark.parametrize("escape", ["\\x00", "\\u0000", "\\U00000000", "\\ud800", "\\udfff", "\\ud83d\\ude00"])
def test_nul_and_half_a_surrogate_pair_make_the_repr_unreadable(escape: str) -> None:
    with pytest.raises(UnreadableSubfields):
        read_main_entries(repr([subfield("MARK", tag="b"), subfield("Waltari")]).replace("MARK", escape))


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uDFFF"])
def test_nul_and_half_a_surrogate_pair_make_json_unreadable(escape: str) -> None:
    with pytest.raises(UnreadableSubfields):
        read_main_entries(json.dumps([subfield("Waltari"), subfield("MARK", tag="b")]).replace("MARK", escape))


def test_escaped_backslash_before_x00_is_readable() -> None:
    (entry,) = read_main_entries(repr([subfield("\\x00")]))
    assert entry.content == "\\x00"


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 1_000_000,
        "[{'a': " * 150_000,
        '[{"a": ' * 150_000,
        "[{'a': '" + "x" * 1_000_000,
        "[{'a': '" + "\\'" * 500_000,
        "'" * 1_000_000,
        "\\" * 1_000_000,
        "[{'marc_tag': '" * 70_000,
        DECOY * 8_000 + "'",
        "[" + "1" * 1_000_000 + "]",
        '[{"a": "' + "\\ud800" * 150_000 + '"}]',
    ],
    ids=lambda text: text[:16],
)
def test_hostile_megabyte_costs_no_more_than_its_length(hostile: str) -> None:
    began = process_time()
    with pytest.raises(UnreadableSubfields):
        read_main_entries(hostile)
    assert process_time() - began < 10
