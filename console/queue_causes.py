"""The causes that lie in single items: rejected, tried again later, written without an answer; or simply too many."""

from collections.abc import Iterator
from datetime import timedelta

from console.causes import Cause, Level, counted, oldest_seconds
from console.reasons import explain_reason
from console.sentences import sentence, sentences
from db.snapshot import Snapshot
from runtime.thresholds import LONGEST_DUE_SECONDS, MOST_REJECTED


def find_queue_causes(snapshot: Snapshot, *, is_stopped: bool) -> Iterator[Cause]:
    """The causes that the snapshot shows in the queue. `is_stopped`: what waits has another cause already."""
    waiting, oldest = snapshot.count("waiting"), oldest_seconds(snapshot) or 0
    if not is_stopped and oldest > LONGEST_DUE_SECONDS:
        yield _behind(snapshot, waiting, oldest)
    level: Level = "warning" if snapshot.count("rejected") > MOST_REJECTED else "notice"
    for group in snapshot.rejected:
        yield Cause(
            "rejected",
            level,
            sentences(
                "%(number)s item is rejected: %(why)s",
                "%(number)s items are rejected: %(why)s",
                counted(group.items),
                why=explain_reason(group.reason_code).sentence,
            ),
            explain_reason(group.reason_code).advice,
            group.items,
            page=f"/queue?state=rejected&reason={group.reason_code or ''}",
        )
    for group in snapshot.queue:
        is_probe = is_stopped and group.reason_code == "unwell"  # it met what keeps all the others waiting
        if group.state == "postponed" and not is_probe:
            yield Cause(
                "postponed",
                "notice",
                sentences(
                    "%(number)s item is tried again later: %(why)s",
                    "%(number)s items are tried again later: %(why)s",
                    counted(group.items),
                    why=explain_reason(group.reason_code).sentence,
                ),
                sentence("Nothing to do: it is tried again by itself."),
                group.items,
                page=f"/queue?state=postponed&reason={group.reason_code or ''}",
            )
    yield from _find_unanswered(snapshot)


def _behind(snapshot: Snapshot, waiting: int, oldest: float) -> Cause:
    since = snapshot.as_of - timedelta(seconds=oldest)
    if not snapshot.finished_lately:
        return Cause(
            "behind",
            "problem",
            sentences(
                "%(number)s item waits since %(since)s, and none was done in the last 10 minutes.",
                "%(number)s items wait since %(since)s, and none was done in the last 10 minutes.",
                counted(waiting),
                since=since,
            ),
            sentence("Restart the notifier. If that does not help, report it to its makers."),
            waiting,
            page="/queue?state=waiting",
        )
    return Cause(
        "behind",
        "problem",
        sentences(
            "%(number)s item waits since %(since)s: more comes than Sierra takes.",
            "%(number)s items wait since %(since)s: more comes than Sierra takes.",
            counted(waiting),
            since=since,
        ),
        sentences(
            "%(number)s was done in the last 10 minutes. If it stays so, Sierra may get more at once: "
            "SIERRA_API_CLIENT_POOL_SIZE.",
            "%(number)s were done in the last 10 minutes. If it stays so, Sierra may get more at once: "
            "SIERRA_API_CLIENT_POOL_SIZE.",
            counted(snapshot.finished_lately),
        ),
        waiting,
        page="/queue?state=waiting",
    )


def _find_unanswered(snapshot: Snapshot) -> Iterator[Cause]:
    if unanswered := snapshot.count("unanswered"):
        yield Cause(
            "unanswered",
            "notice",
            sentences(
                "%(number)s item waits for a write that Sierra did not answer and may still do.",
                "%(number)s items wait for writes that Sierra did not answer and may still do.",
                counted(unanswered),
            ),
            sentence("Nothing to do: it is tried again by itself."),
            unanswered,
            page="/queue?state=postponed",
        )
    if rechecks := snapshot.count("to recheck"):
        yield Cause(
            "recheck",
            "notice",
            sentences(
                "%(number)s item is in Sierra and is read once more, for an earlier write of it had no answer.",
                "%(number)s items are in Sierra and are read once more, for an earlier write of them had no answer.",
                counted(rechecks),
            ),
            sentence("Nothing to do: it is done by itself."),
            page="/queue?state=to+recheck",
        )
