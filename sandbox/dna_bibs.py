"""Bibliographic records, as far as SierraDNA's views show them: headings, title and class are variable fields.

Their fields have the form that REST gives an item's. This Sierra's REST knows no bibs: it is SierraDNA that shows them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sandbox import quirks
from sandbox.catalogue import Bib

CLASS_TAG = "097"
VarField = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BibRecord:
    """One bib. Never changed in place. `classes` and headings are in `var_fields`."""

    number: str
    var_fields: tuple[VarField, ...]
    material_code: str = "a"
    bcode3: str = "-"  # anything else suppresses it
    revisions: int = 1

    @property
    def best_title(self) -> str | None:
        """The title that indexing picks: 245 `a`, without the punctuation before what follows it."""
        title = next(self._texts("245"), None)
        return title and title.rstrip(" /:")

    @property
    def best_author(self) -> str | None:
        """The author that indexing picks: 100 `a`."""
        author = next(self._texts("100"), None)
        return author and author.rstrip(",")

    def _texts(self, marc_tag: str) -> Iterator[str]:
        for var_field in self.var_fields:
            if var_field["marcTag"] == marc_tag:
                yield from (part["content"] for part in var_field.get("subfields") or () if part["tag"] == "a")


@dataclass(frozen=True, slots=True)
class BibChange:
    """One bib's change, as `sandbox.records.Change` is an item's."""

    before: BibRecord | None
    after: BibRecord
    stamp: datetime | None


def make_bib(bib: Bib, classification: str | None) -> BibRecord:
    """The catalogue's bib as a record, with its class in 097."""
    fields: list[VarField] = []
    for part in bib.subfields:
        same = fields and fields[-1]["marcTag"] == part["marc_tag"]
        if not same:
            fields.append(
                var_field(str(part["field_type_code"]), part["marc_tag"], part["marc_ind1"], part["marc_ind2"])
            )
        fields[-1]["subfields"].append({"tag": part["tag"], "content": part["content"]})
    return BibRecord(str(bib.number), (*fields, *([class_field(classification)] if classification else ())))


def class_field(classification: str, *others: tuple[str, str]) -> VarField:
    """A class as a bib keeps it: 097 `a`, and other subfields, each a tag and a content."""
    return var_field("c", CLASS_TAG, " ", " ", ("a", classification), *others)


def var_field(
    field_tag: str, marc_tag: str | None, ind1: str | None, ind2: str | None, *subfields: tuple[str, str]
) -> VarField:
    """A variable field with these subfields, each a tag and a content."""
    return {
        "fieldTag": field_tag,
        "marcTag": marc_tag,
        "ind1": ind1,
        "ind2": ind2,
        "subfields": [{"tag": tag, "content": content} for tag, content in subfields],
    }


def edit_bib(bib: BibRecord, var_fields: Sequence[VarField]) -> BibRecord:
    """The bib as edited: of each field tag in `var_fields` it has exactly these, as an item has after a PUT."""
    merged = quirks.replace_var_fields_by_tag([dict(one) for one in bib.var_fields], [dict(one) for one in var_fields])
    return replace(bib, var_fields=tuple(merged), revisions=bib.revisions + 1)
