"""Files stay below 250 lines, so that each can be read at one sitting; the exceptions have reasons."""

from tests.docs.markdown import HOUSE

FOLDERS = ("api", "bench", "cli", "console", "db", "etl", "notifier", "runtime", "sandbox", "tests")
MOST_LINES = 250
LONGER = {
    "db/models.py": "all tables, each column with its comment: the schema is looked up in one place",
    "tests/fix_postgres.py": "the tests' servers and databases, which know each other",
}


def test_only_the_files_with_a_reason_are_long() -> None:
    files = [file for folder in FOLDERS for file in (HOUSE / folder).rglob("*.py")]
    lines = {file.relative_to(HOUSE).as_posix(): len(file.read_text("utf-8").splitlines()) for file in files}
    assert {file for file, count in lines.items() if count > MOST_LINES} == set(LONGER)
