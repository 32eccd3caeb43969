"""The reasons for which an item is rejected or postponed, as sentences, and what to do about each."""

from collections.abc import Mapping
from typing import NamedTuple

from console.sentences import Sentence, sentence
from db.reasons import ReasonCode


class Explained(NamedTuple):
    """A reason as a sentence, and what a person does about it."""

    sentence: Sentence
    advice: Sentence


BY_ITSELF = sentence("Nothing to do: it is tried again by itself.")
AFTERWARDS = sentence("Correct the records in Sierra, then retry.")
RETRY = sentence("Retry when Sierra is well.")

REASONS: Mapping[ReasonCode, Explained] = {
    "absent": Explained(
        sentence("Sierra has no such record."),
        sentence("Look in Sierra. What is gone there can be dismissed."),
    ),
    "deleted": Explained(sentence("it was deleted in Sierra."), sentence("Dismiss what is gone.")),
    "no_number": Explained(
        sentence("the catalogue has no record number that Sierra could be asked for."),
        AFTERWARDS,
    ),
    "refused": Explained(sentence("Sierra does not accept what we write, as its words say."), AFTERWARDS),
    "ghost": Explained(
        sentence("Sierra shows the record and refuses to save it."),
        sentence("Ask the vendor to mend the records, then retry."),
    ),
    "unsendable": Explained(sentence("the record holds what can't be sent to Sierra."), AFTERWARDS),
    "in_use": Explained(
        sentence("the record is in use by staff."),
        sentence("Close the records in Sierra, then retry."),
    ),
    "failed": Explained(sentence("Sierra failed at it each time."), RETRY),
    "unanswered": Explained(sentence("Sierra did not answer."), RETRY),
    "unreadable": Explained(sentence("Sierra's answer could not be read."), RETRY),
    "not_kept": Explained(
        sentence("Sierra answers well, and does not keep what is written."),
        sentence("Open the records in Sierra: they may be locked. Then retry."),
    ),
    "unwell": Explained(
        sentence("Sierra seems unwell at these items only."),
        sentence("Look at the records in Sierra, and at a proxy in front of it; then retry."),
    ),
    "unclear_call_number": Explained(
        sentence("the call number in Sierra does not begin with a class number."),
        sentence("Correct the call numbers in Sierra, then retry; or dismiss."),
    ),
    "no_subfield": Explained(
        sentence("the call number in Sierra stands in no subfield."),
        sentence("Put it into a subfield a in Sierra, then retry."),
    ),
    "changed_since": Explained(
        sentence("the call number was changed in Sierra since the push that was to be undone."),
        sentence("Look at the records in Sierra; dismiss the undoing, or correct by hand."),
    ),
    "not_undoable": Explained(
        sentence("the push can't be undone, as the text of each says."),
        sentence("Correct the records by hand in Sierra, then dismiss the undoing."),
    ),
    "history_away": Explained(sentence("history could not be read."), BY_ITSELF),
    "dry_run": Explained(
        sentence("the notifier only tries, and writes nothing to Sierra."),
        sentence("End the trial: SIERRA_UPDATE_DRY_RUN of the notifier."),
    ),
    "our_error": Explained(sentence("our own error."), sentence("Report it to the makers, with the text.")),
}
UNKNOWN = Explained(sentence("see the text of each."), sentence("Look at the text of each, then retry or dismiss."))


def explain_reason(code: str | None) -> Explained:
    """The explanation of a reason's word; a general one for a word that is not known here, or none."""
    return next((explained for known, explained in REASONS.items() if known == code), UNKNOWN)
