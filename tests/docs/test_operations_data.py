"""Symptoms, spreadsheets and people's names are as docs/operations.md says."""

import csv
import subprocess
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from sandbox.postgres import programs
from tests.docs.markdown import Block, blocks, read, table
from tests.fix_operations import run
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

PAGE = "docs/operations.md"
SYMPTOMS = [row[1].strip("`") for row in table(PAGE, "Operations")]
NAMES = [block for block in blocks(PAGE, "sql") if block.heading == "Data of persons"]
EVERY_TEXT = "SELECT string_agg(t::text, '|') FROM {} AS t"
WITH_NAMES = (
    *("update_log", "update_queue", "act", "client", "queue_control", "notifier_state", "rejected_row", "sierra_item"),
    "progress_day",
)


def test_ten_symptoms_come_before_all_else() -> None:
    assert len(SYMPTOMS) == 10
    before, _, _ = read(PAGE).partition("| You see | First | Then |")
    assert len(before.splitlines()) < 20


@pytest.mark.parametrize("first", [line for line in SYMPTOMS if line.startswith("SELECT")])
def test_first_statement_at_a_symptom_is_one_that_a_reader_may_ask(
    filled: TestDatabase, as_role: AsRole, first: str
) -> None:
    with as_role("signum_reader").connect() as connection:
        connection.execute(first.encode())


@pytest.mark.parametrize("first", [line for line in SYMPTOMS if line.startswith("signum ") and "doctor" not in line])
def test_first_command_at_a_symptom_shows_something(filled: TestDatabase, signum: Signum, first: str) -> None:
    ran = signum(*first.split()[1:])
    assert (ran.code, bool(ran.out)) == (0, True), ran.err


def test_history_goes_into_a_csv_file_as_the_page_says(filled: TestDatabase, as_role: AsRole, tmp_path: Path) -> None:
    ((_, text),) = blocks(PAGE, "psql")
    reader = make_conninfo(**as_role("signum_reader").parameters)
    command = [str(programs() / "psql"), "--no-psqlrc", "--set=ON_ERROR_STOP=1", reader]
    subprocess.run(command, input=text, cwd=tmp_path, text=True, check=True, capture_output=True, timeout=60)
    with (tmp_path / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["call_number_after"] for row in rows if row["outcome"] == "pushed"] == ["84.31 Jännitys"]
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        assert sum(int(row["items"]) for row in csv.DictReader(file)) > len(rows)


def test_no_name_is_left_in_a_copy_from_which_they_were_taken_as_the_page_says(filled: TestDatabase) -> None:
    filled.fetch("UPDATE client SET internal_hostname = 'ainos-computer', internal_ip_address = '192.0.2.7'")
    filled.fetch("UPDATE update_queue SET queued_by = 'desk 1' WHERE due_at IS NULL")
    filled.fetch("UPDATE queue_control SET paused_at = now(), paused_by = 'aino', reason = 'aino is away'")
    (host,) = filled.fetch("SELECT notifier FROM notifier_state")[0]
    names = {"aino", "ainos", "aino_db", "desk 1", "n1", "desk:1", host, "192.0.2.7", filled.parameters["user"]}
    updates = filled.fetch("SELECT outcome, count(*) FROM update_log GROUP BY 1 ORDER BY 1")
    _, copy, vacuum = NAMES
    with filled.connect() as owner:
        run(owner, copy)
        run(owner, vacuum)
    for where in WITH_NAMES:
        (text,) = filled.fetch(EVERY_TEXT.format(where))[0]
        cells = {cell.strip('()"') for row in (text or "").split("|") for cell in row.split(",")}
        assert not names & cells, where
    assert filled.fetch("SELECT outcome, count(*) FROM update_log GROUP BY 1 ORDER BY 1") == updates
    same = "SELECT count(*) > 0 FROM update_queue q JOIN client c ON q.queued_by = c.client_name"
    assert filled.fetch(same) == [(True,)], "one name is one number, wherever it stands"


def test_only_old_history_forgets_its_names(filled: TestDatabase) -> None:
    old: Block = NAMES[0]
    with filled.connect() as owner:
        run(owner, old)
    forgotten = filled.fetch("SELECT item_record_id FROM update_log WHERE queued_by = 'somebody'")
    assert forgotten == [(1,)]
    assert filled.fetch("SELECT os_user FROM act WHERE person = 'somebody'") == [(None,)]
