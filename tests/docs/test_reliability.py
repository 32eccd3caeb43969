"""docs/reliability.md and docs/sierra.md name the tests that show what they say: these exist."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
TESTS = {
    name
    for file in (HOUSE / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("page", ["reliability.md", "sierra.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    text = (HOUSE / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 5
    assert named <= TESTS
    assert all((HOUSE / path).exists() for path in re.findall(r"`((?:tests|sandbox)/[\w/]+\.py)`", text))
