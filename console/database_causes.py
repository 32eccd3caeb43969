"""The causes that lie in PostgreSQL: it only reads, waits for a standby, notifies nobody, or a session holds a lock."""

from collections.abc import Iterator

from console.causes import Cause, stop
from console.sentences import sentence, sentences
from db.servers import count_needed
from db.snapshot import Snapshot

FULLEST_NOTIFICATION_QUEUE = 0.1


def find_database_causes(snapshot: Snapshot) -> Iterator[Cause]:
    """The causes that the snapshot shows in the database itself."""
    if snapshot.only_reads:
        yield stop(
            snapshot,
            "read_only",
            "problem",
            sentence("The database can only be read: no label can be reported, and nothing is sent to Sierra."),
            sentence("Ask the database's administrator to promote a server that takes writes."),
        )
    if snapshot.named_standbys:
        yield from _find_missing_standby(snapshot)
    if snapshot.silent_triggers:
        yield Cause(
            "trigger",
            "warning",
            sentence("The database does not tell the notifiers of new labels: these find them half a minute late."),
            sentence("Ask the database's administrator to enable the triggers."),
            quoted=", ".join(snapshot.silent_triggers),
        )
    if snapshot.notification_queue > FULLEST_NOTIFICATION_QUEUE:
        yield Cause(
            "notifications",
            "warning",
            sentence("The database keeps notifications that a session does not read: once full, it takes no label."),
            sentence("Ask the database's administrator to end the session that listens inside a transaction."),
            quoted=f"{snapshot.notification_queue:.0%}",
        )
    if snapshot.lock_waiters:
        yield Cause(
            "locked",
            "warning",
            sentences(
                "%(number)s session has waited in the database for over 5 s, for what another one holds.",
                "%(number)s sessions have waited in the database for over 5 s, for what another one holds.",
                snapshot.lock_waiters,
            ),
            sentence("Ask the database's administrator to end the transaction of the session that holds it."),
            quoted=", ".join(map(str, snapshot.lock_holders)) or None,
        )


def _find_missing_standby(snapshot: Snapshot) -> Iterator[Cause]:
    needed = count_needed(snapshot.named_standbys)
    # A role that may not see the standbys' states takes those that are there for synchronous.
    if snapshot.synchronous_standbys + snapshot.hidden_standbys < needed:
        yield Cause(
            "standby",
            "problem",
            sentence("The second database server is missing: print stations are told that a label was not taken."),
            sentence("Ask the database's administrator to start it, or to do without it for now."),
            quoted=snapshot.named_standbys,
        )
