"""signum queue: items are marked, looked at, given another chance and taken off."""

from typing import Any

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

REASON = "Sierra refused item 1001: 400 field(s) unknown"
TIMEOUT = {"SIERRA_API_CLIENT_TIMEOUT_SECONDS": "300"}  # four of these are longer than SIERRA_LATE_WRITE_SECONDS


@pytest.fixture
def items(database: TestDatabase) -> None:
    """Three items: 1001 and 1002 as usual, and one without a number."""
    database.add_item(1001, item_record_id=1, barcode="12312312300001", best_title="Kaik [Turust]")
    database.add_item(1002, item_record_id=2, barcode="12312312300002")
    database.add_item(1003, item_record_id=3, barcode="12312312300003", item_number=None)


def queued(database: TestDatabase) -> list[tuple[Any, ...]]:
    return database.fetch("SELECT item_record_id, queued_by, priority, due_at IS NULL FROM update_queue ORDER BY 1")


def reject(database: TestDatabase, *item_record_ids: int, reason: str = REASON) -> None:
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at, attempts, claimed_by, last_error)"
        " SELECT id, NULL, 3, 'some notifier', %s FROM unnest(%s::bigint[]) AS id",
        reason,
        list(item_record_ids),
    )


@pytest.mark.usefixtures("items")
class TestMark:
    def test_items_are_marked_by_number_and_barcode_behind_the_print_stations(
        self, signum: Signum, database: TestDatabase
    ) -> None:
        ran = signum("queue", "mark", "1001", "--barcode", "12312312300003")
        assert (ran.code, ran.out, ran.err) == (0, "marked 2 items\n", "")
        assert queued(database) == [(1, "aino", 1, False), (3, "aino", 1, False)]

    def test_mark_is_made_in_the_name_and_with_the_priority_given(self, signum: Signum, database: TestDatabase) -> None:
        assert signum("queue", "mark", "1001", "--by", "Eino", "--priority", "2").code == 0
        assert queued(database) == [(1, "Eino", 2, False)]

    def test_unknown_names_are_told_and_the_others_are_marked(self, signum: Signum, database: TestDatabase) -> None:
        ran = signum("queue", "mark", "1001", "9999", "--barcode", "nobody's")
        assert (ran.code, ran.out) == (1, "marked 1 item\n")
        assert ran.err == "no item has the number 9999\nno item has the barcode nobody's\n"
        assert queued(database) == [(1, "aino", 1, False)]

    def test_mark_of_a_rejected_item_enters_anew(self, signum: Signum, database: TestDatabase) -> None:
        reject(database, 1)
        assert signum("queue", "mark", "1001").code == 0
        assert queued(database) == [(1, "aino", 1, False)]

    @pytest.mark.parametrize("arguments", [[], ["1001", "--priority", "3"], ["1001", "--priority", "high"]])
    def test_nothing_named_or_no_such_priority_is_wrong_usage(
        self, signum: Signum, database: TestDatabase, arguments: list[str]
    ) -> None:
        assert signum("queue", "mark", *arguments).code == 2
        assert queued(database) == []


@pytest.mark.usefixtures("items")
class TestRetry:
    def test_rejected_items_get_another_chance_by_number_or_barcode(
        self, signum: Signum, database: TestDatabase
    ) -> None:
        reject(database, 1, 2, 3)
        ran = signum("queue", "retry", "1001", "--barcode", "12312312300003")
        assert (ran.code, ran.out) == (0, "retried 2 items\n")
        assert [row[3] for row in queued(database)] == [False, True, False]

    def test_all_of_one_reason_get_another_chance(self, signum: Signum, database: TestDatabase) -> None:
        reject(database, 1, 2)
        reject(database, 3, reason="no item number")
        assert signum("queue", "retry", "--reason", "field(s) unknown").out == "retried 2 items\n"
        assert [row[3] for row in queued(database)] == [False, False, True]

    def test_item_that_is_not_rejected_is_told(self, signum: Signum) -> None:
        signum("queue", "mark", "1001")
        ran = signum("queue", "retry", "1001", "1002")
        assert (ran.code, ran.err) == (1, "item 1001 is not rejected\nitem 1002 is not rejected\n")

    def test_reason_that_nothing_has_is_told(self, signum: Signum) -> None:
        ran = signum("queue", "retry", "--reason", "bad weather")
        assert (ran.code, ran.err) == (1, "no item is rejected for this reason: bad weather\n")

    def test_names_together_with_a_reason_are_wrong_usage(self, signum: Signum) -> None:
        assert signum("queue", "retry", "1001", "--reason", "x").code == 2
        assert signum("queue", "retry", "--reason", "").code == 2


@pytest.mark.usefixtures("items")
class TestDismiss:
    def test_dismissed_item_leaves_the_queue_and_history_says_who(self, signum: Signum, database: TestDatabase) -> None:
        signum("queue", "mark", "1001", "1002")
        assert signum("queue", "dismiss", "1001").out == "dismissed 1 item\n"
        assert [row[0] for row in queued(database)] == [2]
        (entry,) = signum("history", "12312312300001", "--json").json
        assert (entry["outcome"], entry["finished_by"]) == ("dismissed", "aino")

    def test_item_that_is_not_queued_is_told(self, signum: Signum) -> None:
        ran = signum("queue", "dismiss", "--barcode", "12312312300003")
        assert (ran.code, ran.err) == (
            1,
            "item without a number, barcode 12312312300003 is not in the queue, "
            "or is being pushed just now, or was written without an answer: try in 300 s\n",
        )

    @pytest.mark.parametrize(
        ("late", "seconds"), [({}, 300), ({"SIERRA_LATE_WRITE_SECONDS": "60"}, 60), (TIMEOUT, 1200)]
    )
    def test_item_written_without_an_answer_is_left_alone_for_as_long_as_the_settings_say(
        self, signum: Signum, database: TestDatabase, late: dict[str, str], seconds: int
    ) -> None:
        signum("queue", "mark", "1001")
        database.fetch("UPDATE update_queue SET unanswered_at = now() - %s * interval '0.9 s'", seconds)
        ran = signum("queue", "dismiss", "1001", settings=late)
        assert ran.err.endswith(f"was written without an answer: try in {seconds} s\n")
        database.fetch("UPDATE update_queue SET unanswered_at = now() - %s * interval '1.1 s'", seconds)
        assert signum("queue", "dismiss", "1001", settings=late).out == "dismissed 1 item\n"

    @pytest.mark.parametrize(("typed", "code", "left"), [("y\n", 0, [3]), ("n\n", 1, [1, 2, 3]), ("", 1, [1, 2, 3])])
    def test_all_of_one_reason_are_dismissed_only_when_a_person_says_yes(
        self, signum: Signum, database: TestDatabase, typed: str, code: int, left: list[int]
    ) -> None:
        reject(database, 1, 2)
        reject(database, 3, reason="no item number")
        ran = signum("queue", "dismiss", "--reason", "field(s) unknown", typed=typed)
        assert ran.code == code
        assert "2 items" in ran.out
        assert [row[0] for row in queued(database)] == left

    def test_what_came_after_the_question_is_not_dismissed(
        self, signum: Signum, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reject(database, 1, 2)
        signum("queue", "mark", "--barcode", "12312312300003")

        def say_yes_later(*_: object, **__: object) -> None:
            signum("queue", "retry", "1002")
            database.fetch("UPDATE update_queue SET due_at = NULL, last_error = %s WHERE item_record_id > 1", REASON)

        monkeypatch.setattr("cli.queue.confirm", say_yes_later)
        assert signum("queue", "dismiss", "--reason", "unknown").out == "dismissed 1 item\n"
        assert [row[0] for row in queued(database)] == [2, 3]

    def test_a_script_says_yes_beforehand(self, signum: Signum, database: TestDatabase) -> None:
        reject(database, 1, 2)
        assert signum("queue", "dismiss", "--reason", "unknown", "--yes").out == "dismissed 2 items\n"
        assert queued(database) == []

    def test_an_item_that_a_dba_made_due_never_without_a_reason_is_left(
        self, signum: Signum, database: TestDatabase
    ) -> None:
        reject(database, 1)
        database.fetch("INSERT INTO update_queue (item_record_id, due_at) VALUES (2, NULL)")
        assert "Dismiss 1 item" in signum("queue", "dismiss", "--reason", "unknown", typed="y\n").out
        assert [row[0] for row in queued(database)] == [2]

    def test_items_that_wait_are_never_dismissed_by_reason(self, signum: Signum, database: TestDatabase) -> None:
        signum("queue", "mark", "1001")
        database.fetch("UPDATE update_queue SET last_error = %s", REASON)
        assert signum("queue", "dismiss", "--reason", "unknown", "--yes").code == 1
        assert len(queued(database)) == 1


@pytest.mark.usefixtures("items")
class TestLook:
    def test_status_counts_each_state(self, signum: Signum, database: TestDatabase) -> None:
        signum("queue", "mark", "1001")
        reject(database, 2, 3)
        counts = {row["state"]: row["items"] for row in signum("queue", "status", "--json").json["states"]}
        assert counts == {"waiting": 1, "in flight": 0, "postponed": 0, "rejected": 2, "to recheck": 0}
        assert "rejected" in signum("queue", "status").out

    def test_list_shows_title_and_reason_as_they_are(self, signum: Signum, database: TestDatabase) -> None:
        reject(database, 1)
        ran = signum("queue", "list")
        assert "Kaik [Turust]" in ran.out
        assert REASON in ran.out

    def test_list_can_be_of_one_state_and_so_many(self, signum: Signum, database: TestDatabase) -> None:
        signum("queue", "mark", "1001")
        reject(database, 2, 3)
        assert [row["item_number"] for row in signum("queue", "list", "--state", "waiting", "--json").json] == ["1001"]
        assert len(signum("queue", "list", "--state", "rejected", "--limit", "1", "--json").json) == 1
        assert signum("queue", "list", "--state", "in-flight", "--json").json == []
        assert signum("queue", "list", "--state", "in-flight").out == "no item is in flight\n"

    def test_empty_queue_says_so(self, signum: Signum) -> None:
        assert signum("queue", "list").out == "the queue is empty\n"

    def test_control_character_is_not_shown(self, signum: Signum, database: TestDatabase) -> None:
        reject(database, 1, reason="\x1b[31mred")
        assert "\x1b" not in signum("queue", "list").out
