"""The list of reasons is the same in the code, in docs/queue.md and in the errors; each word has a use."""

import ast

from console.reasons import REASONS
from db.reasons import REASON_CODES
from tests.docs.markdown import HOUSE, table
from tests.docs.test_log_lines import trees


def test_docs_explain_each_reason_in_the_lists_order() -> None:
    rows = table("docs/queue.md", "Reasons")
    assert [row[0].strip("`") for row in rows] == list(REASON_CODES)
    assert all(all(row) for row in rows)
    assert list(REASONS) == list(REASON_CODES), "the console says what to do for each"


def test_each_reason_is_given_somewhere_by_the_notifier_or_the_view() -> None:
    files = (HOUSE / "notifier").rglob("*.py")
    said = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(REASON_CODES) - said == set()


def test_each_error_of_an_item_names_its_reason() -> None:
    kinds = {
        (node.args[0].value if isinstance(node.args[0], ast.Constant) else "passed on")
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("ItemRejected", "ItemTroubled")
    }
    assert kinds - {"passed on"} <= set(REASON_CODES)
