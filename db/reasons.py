"""The kinds of reasons for which an update is rejected or waits: a closed list, one word each.

Sentences tell one case; the word is for counting, filtering and acting on all of a kind. docs/queue.md says what to do
for each.
"""

from typing import Literal, NamedTuple, get_args

ReasonCode = Literal[
    "absent",
    "deleted",
    "no_number",
    "refused",
    "ghost",
    "unsendable",
    "in_use",
    "failed",
    "unanswered",
    "unreadable",
    "not_kept",
    "unwell",
    "unclear_call_number",
    "no_subfield",
    "changed_since",
    "not_undoable",
    "history_away",
    "dry_run",
    "our_error",
]
REASON_CODES: tuple[ReasonCode, ...] = get_args(ReasonCode)


class Reason(NamedTuple):
    """The kind of a reason, and the sentence for the librarian."""

    code: ReasonCode
    sentence: str
