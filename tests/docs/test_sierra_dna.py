"""docs/sierra-dna.md has every oddity and every fault of the sandbox's SierraDNA, each with a test."""

import dataclasses
import re

from sandbox.dna_catalogue import DnaOddity
from sandbox.dna_faults import DnaFaults
from tests.docs.markdown import table

PAGE = "docs/sierra-dna.md"


def test_every_oddity_is_on_the_page_with_its_test() -> None:
    rows = table(PAGE, "Oddities")
    assert [row[0] for row in rows] == [oddity.name for oddity in DnaOddity]
    assert all("`test_" in row[-1] for row in rows)


def test_every_fault_is_on_the_page_with_its_test() -> None:
    rows = table(PAGE, "Faults")
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert named >= {field.name for field in dataclasses.fields(DnaFaults)}
    assert all("`test_" in row[-1] for row in rows)
