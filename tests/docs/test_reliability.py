"""docs/reliability.md and the pages on Sierra name the tests that show what they say: these exist, for every fault."""

import re

import pytest

from tests.docs.markdown import HOUSE, read, table

TESTS = {
    name
    for file in (HOUSE / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("page", ["reliability.md", "sierra.md", "sierra-dna.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    text = read(f"docs/{page}")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 5
    assert named <= TESTS
    assert all((HOUSE / path).exists() for path in re.findall(r"`((?:tests|sandbox)/[\w/]+\.py)`", text))


PARTS = ("Sierra", "PostgreSQL", "Our processes", "People", "ETL")
PAGE = read("docs/reliability.md")
DETAILS = dict(re.findall(r"^- ([A-Z]\d+): (.*?)(?=\n- |\n\n)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_fault_has_a_test_that_shows_it() -> None:
    faults = [row[0] for part in PARTS for row in table("docs/reliability.md", part)]
    assert faults == list(DETAILS), "each fault of the tables is in the list below its table, in the same order"
    for fault, text in DETAILS.items():
        named = set(re.findall(r"^  .*?`(test_\w+)`", text, re.MULTILINE))
        files = re.findall(r"`(tests/[\w/]+\.py)`", text)
        assert named or files, f"{fault} names no test"
        assert named <= TESTS, fault


def test_page_of_faults_reads_in_a_terminal_of_100_columns() -> None:
    too_wide = [line for line in PAGE.splitlines() if len(line) > 100 and not re.fullmatch(r" *`test_\w+`", line)]
    assert too_wide == []
