"""The causes that lie in the catalogue and its ETL. None keeps an item waiting; labels are old, or there are none."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.causes import Cause, counted
from console.sentences import sentence, sentences
from db.snapshot import Snapshot
from runtime.thresholds import NO_BATCH_SECONDS

CATALOGUE = "/catalogue"


def find_sync_causes(snapshot: Snapshot) -> Iterator[Cause]:
    """The causes that the snapshot shows in the sync."""
    yield from _find_missing_clients(snapshot)
    yield from _find_silence(snapshot)
    if snapshot.gap_from and snapshot.gap_until and not snapshot.gap_closes:
        yield Cause(
            "gap",
            "warning",
            sentence(
                "Changes in Sierra between %(since)s and %(until)s are missing here.",
                since=snapshot.gap_from,
                until=snapshot.gap_until,
            ),
            sentence("Have the ETL bring everything anew: restart the sync."),
            page=CATALOGUE,
        )
    if snapshot.early_ends:
        yield Cause(
            "early_end",
            "warning",
            sentence("The ETL brought fewer than half of the items and said that these are all."),
            sentence("Look at the ETL and at what it may read of Sierra. Said a third time, it is believed."),
            page=CATALOGUE,
        )
    if snapshot.deletions_held:
        yield Cause(
            "deletions_held",
            "warning",
            sentences(
                "%(number)s item is said to be deleted in Sierra, and is kept until a person allows it.",
                "%(number)s items are said to be deleted in Sierra, too many at once: they are kept until a person "
                "allows it.",
                counted(snapshot.deletions_held),
            ),
            sentence("Look some of them up in Sierra. If they are gone there, allow it; else mend the ETL."),
            page=CATALOGUE,
        )
    if snapshot.not_shown:
        yield Cause(
            "not_shown",
            "warning",
            sentences(
                "%(number)s item was sent to Sierra, and Sierra does not show it.",
                "%(number)s items were sent to Sierra, and Sierra does not show them.",
                counted(snapshot.not_shown),
            ),
            sentence("Mark them again. If it stays so, ask Sierra's administrator."),
            page=CATALOGUE,
        )
    if snapshot.rejected_rows:
        yield Cause(
            "refused_rows",
            "notice",
            sentences(
                "%(number)s row of the catalogue could not be read: its item has an old label, or none.",
                "%(number)s rows of the catalogue could not be read: their items have old labels, or none.",
                counted(snapshot.rejected_rows),
            ),
            sentence("Correct the records in Sierra, as the reasons say."),
            page=CATALOGUE,
        )


def _find_missing_clients(snapshot: Snapshot) -> Iterator[Cause]:
    kinds = {client.client_type for client in snapshot.clients}
    if "etl" not in kinds:
        yield Cause(
            "no_etl",
            "warning",
            sentence("No ETL has a key, so that no catalogue comes."),
            sentence("Give it one, in Stations and keys."),
            page="/stations",
        )
    if "signum-printer" not in kinds:
        yield Cause(
            "no_station",
            "warning",
            sentence("No print station has a key, so that none can print labels."),
            sentence("Give each one, in Stations and keys."),
            page="/stations",
        )


def _find_silence(snapshot: Snapshot) -> Iterator[Cause]:
    """Find that no batch comes, or only such as bring neither changes nor pages of the full sync: deletions, a pass."""
    is_full = snapshot.sync_mode == "SYNC_FULL"
    if snapshot.batch_under_way:
        return
    if snapshot.batch_seconds is None:
        yield Cause(
            "no_batch",
            "warning",
            sentence("The ETL has not brought any items yet: print stations find none."),
            sentence("Look at the ETL: its address, its key, its log."),
            page=CATALOGUE,
        )
    elif snapshot.batch_seconds > NO_BATCH_SECONDS:
        yield Cause(
            "etl_silent",
            "warning",
            sentence(
                "The ETL has not come for %(span)s: labels are printed from the catalogue of %(since)s.",
                span=timedelta(seconds=snapshot.batch_seconds),
                since=snapshot.as_of - timedelta(seconds=snapshot.batch_seconds),
            ),
            sentence("Look at the ETL: whether it runs, and its log."),
            page=CATALOGUE,
        )
    elif (snapshot.behind_seconds or 0) > NO_BATCH_SECONDS:
        yield _stands_still(snapshot.as_of, timedelta(seconds=snapshot.behind_seconds or 0), is_full)
    elif is_full:
        yield Cause(
            "full_sync",
            "notice",
            sentence("A full sync is under way: items that it has not brought yet have old labels, or none."),
            sentence("Nothing to do: it goes on with each run of the ETL."),
            page=CATALOGUE,
        )


def _stands_still(as_of: datetime, behind: timedelta, is_full: bool) -> Cause:
    if is_full:
        what = sentence(
            "The full sync has not gone on for %(span)s, though the ETL comes: items that it has not brought yet have "
            "old labels, or none.",
            span=behind,
        )
    else:
        what = sentence(
            "Changes of items have come up to %(since)s only, though the ETL comes: later ones have old labels.",
            since=as_of - behind,
        )
    advice = sentence("Look at the ETL's log: it says which statement or which items it can't read.")
    return Cause("sync_stands", "warning", what, advice, page=CATALOGUE)
