"""The log's lines of the outcomes of claimed items, with the ids that these are looked for by."""

import logging

from db.queue import Claim, Finish, Pushed
from notifier.metrics import OUTCOMES

log = logging.getLogger("signum.outcomes")


def log_finish(push: Pushed, came_of_it: Finish | None) -> None:
    """Log and count a push that is taken off the queue."""
    OUTCOMES.labels(push.outcome).inc()
    facts = {**ids_of(push.claim), "sierra_ms": push.sierra_ms}
    if came_of_it is None:
        log.warning("%s, but its claim was not ours any more", push.outcome, extra=facts)
    elif push.claim.is_recheck and push.outcome == "unchanged":
        log.info("looked at again: as it was pushed", extra=facts)
    elif came_of_it == "finished":
        log.info("%s %s", push.outcome, push.call_number_after or "(no call number)", extra=facts)
    else:
        log.info("%s, and marked again meanwhile", push.outcome, extra=facts)


def ids_of(claim: Claim) -> dict[str, object]:
    """The ids of a claimed item, and of its mark and its revert."""
    return {
        "item_record_id": claim.item_record_id,
        "item_number": claim.item_number,
        "barcode": claim.barcode,
        "request_id": claim.request_id,
        **({} if claim.revert_of is None else {"revert_of": claim.revert_of}),
    }
