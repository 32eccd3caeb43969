"""The tables, as SQLModel sees them.

The migrations make the tables; a test compares both. The comments are what a DBA reads in `\\d+`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s",
}

NOW = text("now()")
TIMESTAMPTZ = DateTime(timezone=True)


def col(type_: Any, comment: str, *extra: Any, **options: Any) -> Any:
    """A column with the comment that `\\d+` shows; NOT NULL by default."""
    options.setdefault("nullable", False)
    return Field(sa_column=Column(type_, *extra, comment=comment, **options), default=None)


def readable(*columns: str) -> list[CheckConstraint]:
    """Checks that keep the times within Python's calendar, in every zone: no infinity, no year that Python lacks."""
    return [
        CheckConstraint(f"{column} AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30'", name=f"{column}_readable")
        for column in columns
    ]


def nullable(type_: Any, comment: str) -> Any:
    """A column that may be NULL."""
    return col(type_, comment, nullable=True)


class SierraItem(SQLModel, table=True):
    """An item as the ETL last sent it. Owned by the sync."""

    __tablename__ = "sierra_item"
    __table_args__ = (
        *readable("updated_at", "item_updated_at"),
        Index(None, "barcode"),
        Index(
            "sierra_item_deleted_idx",
            "deleted_on",
            postgresql_where=text("deleted_on IS NOT NULL OR deletion_held_on IS NOT NULL"),
        ),
        Index(
            "sierra_item_progress_idx",
            *("location_name", "item_type_name", "material_name", "is_relabelled"),
            postgresql_where=text("deleted_on IS NULL AND classification IS NOT NULL"),
        ),
        Index(
            "sierra_item_unclassified_idx",
            *("location_name", "item_type_name", "material_name"),
            postgresql_where=text("deleted_on IS NULL AND classification IS NULL"),
        ),
        {
            "comment": "Items as the ETL last sent them from Sierra, one row per item. Owned by the sync.",
            "postgresql_with": {
                "autovacuum_vacuum_scale_factor": 0.005,
                "autovacuum_vacuum_insert_scale_factor": 0.005,
            },
        },
    )
    item_record_id: int = col(
        BigInteger, "SierraDNA's 64-bit key of the item record", primary_key=True, autoincrement=False
    )
    item_number: str | None = nullable(Text, "The record number in Sierra's URLs; without it nothing can be pushed")
    barcode: str | None = nullable(Text, "What the print station reads; looked up exactly, case too")
    bib_record_id: int | None = nullable(BigInteger, "SierraDNA's key of the bib; of several, the highest of the batch")
    bib_number: str | None = nullable(Text, "Record number of the bib")
    best_author: str | None = nullable(Text, "Author, for the print station's display")
    best_title: str | None = nullable(Text, "Title, for the print station's display")
    itype_code_num: int | None = nullable(
        Integer, "Item type code. The deployed ETL cuts it to 8 bits (300 comes as 44): rely on item_type_name"
    )
    item_type_name: str | None = nullable(Text, "Name of the item type")
    material_code: str | None = nullable(Text, "Code of the bib's material type")
    material_name: str | None = nullable(Text, "Name of the bib's material type")
    classification: str | None = nullable(Text, "Class number that is printed and written to Sierra; NULL: none")
    shelfmark_json: str | None = nullable(
        Text,
        "Subfields of MARC 100/110/111/130/245 as received, JSON or Python repr; compared byte for byte. "
        "Empty: forgotten, the next batch that brings the item makes its shelfmark anew",
    )
    shelfmark: str = col(
        Text, "The three letters that sort the item on its shelf, made from shelfmark_json; *** where there are none",
        server_default=text("'***'"),
    )  # fmt: skip
    updated_at: datetime = col(TIMESTAMPTZ, "Timestamp of the batch that last changed this row (Sierra's clock)")
    bib_record_ids: list[int] | None = nullable(
        ARRAY(BigInteger), "The bibs of an item that has several, as the last full sync found them; NULL: one"
    )
    item_call_number: str | None = nullable(
        Text, "Call number that Sierra showed; NULL: none, or the ETL does not bring it"
    )
    item_updated_at: datetime | None = nullable(
        TIMESTAMPTZ, "When Sierra had last changed the record, as of the last change here; loans change it too"
    )
    location_code: str | None = nullable(Text, "Code of the item's location; NULL: the ETL does not bring it")
    location_name: str | None = nullable(Text, "Name of the item's location")
    deleted_on: date | None = nullable(
        Date, "When Sierra deleted the item, which no print station gets then; NULL: it lives. A living row revives it"
    )
    deletion_held_on: date | None = nullable(
        Date, "When Sierra deleted it, if that came among too many at once: a person must allow it; kept afterwards"
    )
    is_relabelled: bool | None = nullable(
        Boolean,
        "Whether item_call_number has the classification in front, so that an update would change nothing in it; "
        "NULL: no classification, or the ETL does not bring call numbers",
    )


class UpdateQueue(SQLModel, table=True):
    """An item that waits for its update in Sierra: one row per item."""

    __tablename__ = "update_queue"
    __table_args__ = (
        *readable("queued_at", "due_at", "lease_until", "unanswered_at"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("priority BETWEEN 0 AND 2", name="priority_0_to_2"),
        Index(None, "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "update_queue_reason_code_idx",
            "reason_code",
            "item_record_id",
            postgresql_where=text("due_at IS NULL"),
        ),
        {
            "comment": "Items that wait for their update in Sierra, one row per item. See the views queue_overview "
            "and queue_detail. To mark an item by hand: INSERT INTO update_queue (item_record_id) VALUES (…)",
            "postgresql_with": {
                "fillfactor": 70,
                "autovacuum_vacuum_scale_factor": 0,
                "autovacuum_vacuum_threshold": 500,
                "autovacuum_vacuum_insert_scale_factor": 0,
                "autovacuum_vacuum_insert_threshold": 20000,
                "autovacuum_analyze_scale_factor": 0,
                "autovacuum_analyze_threshold": 2000,
                "autovacuum_vacuum_cost_delay": 0,
            },
        },
    )
    item_record_id: int = col(
        BigInteger, "The item; marking it twice is one row",
        ForeignKey("sierra_item.item_record_id", ondelete="RESTRICT"), primary_key=True, autoincrement=False,
    )  # fmt: skip
    revision: int = col(
        BigInteger, "How often the item was marked since it entered; a push finishes only the revision it claimed",
        server_default=text("1"),
    )  # fmt: skip
    queued_at: datetime = col(TIMESTAMPTZ, "When it entered. A mark on a rejected row enters anew", server_default=NOW)
    queued_by: str = col(
        Text,
        "Who marked it: the client's name, or the database role for plain SQL",
        server_default=text("SESSION_USER"),
    )
    priority: int = col(
        SmallInteger, "0 print stations, 1 plain SQL and bulk, 2 whenever there is time; lower goes first",
        server_default=text("1"),
    )  # fmt: skip
    attempts: int = col(
        SmallInteger, "Pushes begun for this item since its last mark; Sierra being down burns none",
        server_default=text("0"),
    )  # fmt: skip
    due_at: datetime | None = col(
        TIMESTAMPTZ, "When the next push is due. NULL: rejected, due never until a person acts", nullable=True,
        server_default=NOW,
    )  # fmt: skip
    claimed_by: str | None = nullable(
        Text, "The notifier that pushes it now; of a rejected row, the one that rejected it"
    )
    lease_until: datetime | None = nullable(
        TIMESTAMPTZ,
        "Until when it is claimed; lapses by itself, then any claim may. "
        "Without claimed_by: until when no claim may, for a write had no answer",
    )
    last_error: str | None = nullable(Text, "Why the last push failed, in a sentence a librarian understands")
    request_id: str | None = nullable(Text, "Id of the HTTP request that marked it last")
    trace: str | None = nullable(Text, "Sentry trace of that request")
    revert_of: int | None = nullable(
        BigInteger,
        "The row of history whose push is to be undone; NULL: an update. "
        "Holds for revision 1: a mark asks for an update again",
    )
    unanswered_at: datetime | None = nullable(
        TIMESTAMPTZ,
        "Since when a write to Sierra has had no answer, and may still be done; NULL: none has, or it was long ago",
    )
    pushed_revision: int | None = nullable(
        BigInteger,
        "The revision that was pushed when a write before had had no answer. "
        "While it is the newest, the row is here only to be looked at again",
    )
    reason_code: str | None = nullable(
        Text,
        "The kind of last_error, one word of docs/queue.md; holds while there is one. NULL: from an older release",
    )
    pushed_call_number: str | None = nullable(
        Text, "The call number that the push of pushed_revision left in Sierra; NULL: it is not known"
    )


class UpdateLog(SQLModel, table=True):
    """History: the outcome of a queued update."""

    __tablename__ = "update_log"
    __table_args__ = (
        *readable("queued_at", "finished_at", "shown_at"),
        CheckConstraint("outcome IN ('pushed', 'unchanged', 'rejected', 'dismissed')", name="outcome_known"),
        Index(None, "barcode"),
        Index(None, "finished_at", postgresql_using="brin"),
        Index(
            "update_log_pushed_idx",
            "item_record_id",
            text("update_log_id DESC"),
            postgresql_where=text("outcome = 'pushed'"),
        ),
        {
            "comment": "What came of each queued update, kept UPDATE_LOG_RETENTION_DAYS. "
            "Never a record as Sierra sent it: a lent item names its borrower",
        },
    )
    update_log_id: int | None = col(BigInteger, "Rising number", Identity(always=True), primary_key=True)
    item_record_id: int = col(BigInteger, "The item; it may have left sierra_item since")
    item_number: str | None = nullable(Text, "Its record number then")
    barcode: str | None = nullable(Text, "Its barcode then")
    title: str | None = nullable(Text, "Its title then")
    queued_at: datetime = col(TIMESTAMPTZ, "When it had entered the queue")
    queued_by: str = col(Text, "Who had marked it")
    finished_at: datetime = col(TIMESTAMPTZ, "When this was written", server_default=text("clock_timestamp()"))
    finished_by: str = col(Text, "The notifier, or the person who dismissed it")
    outcome: str = col(Text, "pushed: written to Sierra; unchanged: was so already; rejected; dismissed by a person")
    attempts: int = col(SmallInteger, "Pushes begun until then")
    call_number_before: str | None = nullable(Text, "Call number read from Sierra")
    call_number_after: str | None = nullable(Text, "Call number in Sierra afterwards")
    error: str | None = nullable(Text, "Why it was rejected, or what was left out of the update and why")
    sierra_ms: int | None = nullable(Integer, "Milliseconds from the item's read to the end of its write at Sierra")
    request_id: str | None = nullable(Text, "Id of the HTTP request that had marked it")
    revert_of: int | None = nullable(BigInteger, "The row of history whose push was to be undone; NULL: an update")
    shown_at: datetime | None = nullable(
        TIMESTAMPTZ, "When the ETL first brought the pushed call number back from Sierra; NULL: it has not"
    )
    reason_code: str | None = nullable(
        Text,
        "The kind of the error of what was rejected or dismissed, one word of docs/queue.md; "
        "NULL: none, or from an older release",
    )


class Client(SQLModel, table=True):
    """A client that may call the API."""

    __tablename__ = "client"
    __table_args__ = (
        *readable("created_at", "revoked_at", "last_seen_at"),
        CheckConstraint("client_type IN ('etl', 'signum-printer')", name="client_type_known"),
        CheckConstraint("octet_length(api_key_sha256) = 32", name="api_key_sha256_is_sha256"),
        UniqueConstraint("client_name"),
        UniqueConstraint("api_key_sha256"),
        {"comment": "Who may call the API. Keys are shown once when made; here is only their SHA-256"},
    )
    client_id: int | None = col(Integer, "Rising number", Identity(always=True), primary_key=True)
    client_name: str = col(Text, "Name, as it stands in update_queue.queued_by")
    client_type: str = col(Text, "etl: may sync; signum-printer: may read and mark items")
    api_key_sha256: bytes = col(LargeBinary, "SHA-256 of the API key")
    api_key_prefix: str = col(Text, "First characters of the API key, to recognise it by")
    created_at: datetime = col(TIMESTAMPTZ, "When the client was added", server_default=NOW)
    revoked_at: datetime | None = nullable(TIMESTAMPTZ, "Since when its key is refused; NULL: valid")
    internal_hostname: str | None = nullable(Text, "Host name that the client last told")
    internal_ip_address: str | None = nullable(Text, "Address that the client last told")
    last_seen_at: datetime | None = nullable(TIMESTAMPTZ, "When it was last heard of, to within a few seconds")


class ConsolePerson(SQLModel, table=True):
    """A person who may use the console."""

    __tablename__ = "person"
    __table_args__ = (
        *readable("created_at", "revoked_at", "last_seen_at"),
        CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role_known"),
        CheckConstraint("language IN ('fi', 'sv', 'en')", name="language_known"),
        CheckConstraint("octet_length(key_sha256) = 32", name="key_sha256_is_sha256"),
        UniqueConstraint("person_name"),
        UniqueConstraint("key_sha256"),
        {"comment": "Who may use the console. Keys are shown once when made; here is only their SHA-256"},
    )
    person_id: int | None = col(Integer, "Rising number", Identity(always=True), primary_key=True)
    person_name: str = col(Text, "Name, as it stands in act.person and update_queue.queued_by; no client has it")
    role: str = col(Text, "viewer: looks; operator: acts on items; admin: manages persons, clients and the sync too")
    key_sha256: bytes | None = nullable(LargeBinary, "SHA-256 of the key; NULL: signs in by the proxy in front only")
    language: str | None = nullable(Text, "Language that the person chose; NULL: the browser's")
    created_at: datetime = col(TIMESTAMPTZ, "When the person was added", server_default=NOW)
    revoked_at: datetime | None = nullable(TIMESTAMPTZ, "Since when the person is let in no more; NULL: is let in")
    last_seen_at: datetime | None = nullable(TIMESTAMPTZ, "When the person last opened a page, to within a minute")


class ConsoleSession(SQLModel, table=True):
    """A browser in which a person is signed in."""

    __tablename__ = "console_session"
    __table_args__ = (
        *readable("created_at", "used_at"),
        CheckConstraint("octet_length(session_sha256) = 32", name="session_sha256_is_sha256"),
        Index("console_session_person_id_idx", "person_id"),
        {
            "comment": "Who is signed in to the console; a row goes when the person signs out, is revoked, or has been "
            "away too long"
        },
    )
    session_sha256: bytes = col(LargeBinary, "SHA-256 of the cookie", primary_key=True)
    person_id: int = col(Integer, "The person", ForeignKey("person.person_id"))
    created_at: datetime = col(
        TIMESTAMPTZ, "When the person signed in; the session ends 7 days later", server_default=NOW
    )
    used_at: datetime = col(
        TIMESTAMPTZ, "When the session was last used, to within a minute; it ends 12 h later", server_default=NOW
    )


class SyncState(SQLModel, table=True):
    """The state of the sync: one row."""

    __tablename__ = "sync_state"
    __table_args__ = (
        *readable(
            "initialized_at",
            "full_sync_completed_at",
            "sync_changes_since",
            "last_sync_run_completed_at",
            "full_sync_requested_at",
            "offered_timestamp",
            "gap_from",
            "gap_until",
            "all_changes_until",
            "passed_at",
            "full_sync_moved_at",
        ),
        CheckConstraint("id", name="one_row"),
        CheckConstraint("sync_mode IN ('SYNC_FULL', 'SYNC_CHANGES')", name="sync_mode_known"),
        CheckConstraint("offered_mode IN ('SYNC_FULL', 'SYNC_CHANGES')", name="offered_mode_known"),
        {"comment": "Where the sync with Sierra stands: one row. See the view sync_overview"},
    )
    id: bool = col(Boolean, "Always true: there is one row", primary_key=True, server_default=text("true"))
    initialized_at: datetime = col(TIMESTAMPTZ, "When this database was made", server_default=NOW)
    sync_mode: str = col(
        Text, "SYNC_FULL: all items, in id order; SYNC_CHANGES: what changed", server_default=text("'SYNC_FULL'")
    )
    last_synced_id: int = col(
        BigInteger, "Cursor of the full sync: items up to this item_record_id are here", server_default=text("0")
    )
    full_sync_completed_at: datetime | None = nullable(TIMESTAMPTZ, "When the last full sync was complete")
    sync_changes_since: datetime | None = nullable(
        TIMESTAMPTZ, "From when on the ETL is asked for changes (Sierra's clock)"
    )
    last_sync_run_completed_at: datetime | None = nullable(TIMESTAMPTZ, "When the last batch was taken in")
    full_sync_requested_at: datetime | None = nullable(
        TIMESTAMPTZ, "A full sync was asked for and begins with the next GET /sync"
    )
    offered_mode: str | None = nullable(Text, "Mode that the last GET /sync handed out")
    offered_batch_size: int | None = nullable(Integer, "Batch size that it handed out, in items")
    offered_last_synced_id: int | None = nullable(BigInteger, "Cursor that it handed out")
    offered_timestamp: datetime | None = nullable(TIMESTAMPTZ, "Timestamp that it handed out")
    gap_from: datetime | None = nullable(TIMESTAMPTZ, "Changes in Sierra since then did not reach us …")
    gap_until: datetime | None = nullable(TIMESTAMPTZ, "… up to then; closed by a full sync that begins later")
    full_sync_items: int = col(
        BigInteger, "Items that the full sync has brought so far, refused ones included", server_default=text("0")
    )
    early_ends: int = col(
        Integer,
        "Batches in a row that would have completed the full sync with fewer items than half of those that are here; "
        "the third does",
        server_default=text("0"),
    )
    all_changes_until: datetime | None = nullable(
        TIMESTAMPTZ,
        "Until when an ETL that says changes_since has brought all changes (Sierra's clock); "
        "NULL: no such ETL has come",
    )
    deletions_since: date | None = nullable(Date, "Until which day all deletions have come; NULL: none have")
    passed_at: datetime | None = nullable(
        TIMESTAMPTZ, "When the last pass over all items ended (Sierra's clock); NULL: none has"
    )
    full_sync_moved_at: datetime | None = nullable(
        TIMESTAMPTZ, "When the cursor of the full sync last moved, or one began"
    )


class RejectedRow(SQLModel, table=True):
    """A row of a batch that could not be taken in, kept aside with its reason."""

    __tablename__ = "rejected_row"
    __table_args__ = (
        *readable("batch_timestamp", "first_at", "last_at"),
        UniqueConstraint("row_key", "reason_code"),
        Index(None, "item_record_id"),
        {"comment": "Rows of the ETL's batches that could not be taken in; gone when their item is stored"},
    )
    rejected_row_id: int | None = col(BigInteger, "Rising number", Identity(always=True), primary_key=True)
    row_key: str = col(Text, "The item_record_id, or a hash of the line where it can't be read")
    reason_code: str = col(Text, "Kind of the reason, one word")
    item_record_id: int | None = nullable(BigInteger, "The item, if its id can be read")
    batch_timestamp: datetime = col(TIMESTAMPTZ, "Timestamp of the last batch that brought it")
    line: str = col(Text, "The row as received, cut to 8 KiB, characters that can't be stored escaped")
    reason: str = col(Text, "Why it was refused, in a sentence")
    first_at: datetime = col(TIMESTAMPTZ, "When it first came", server_default=NOW)
    last_at: datetime = col(TIMESTAMPTZ, "When it last came", server_default=NOW)
    times: int = col(Integer, "How often it came", server_default=text("1"))


class NotifierState(SQLModel, table=True):
    """The last heartbeat of a notifier: one row per process."""

    __tablename__ = "notifier_state"
    __table_args__ = (
        *readable("started_at", "seen_at", "last_success_at", "looped_at"),
        CheckConstraint("mode IN ('starting', 'listening', 'polling', 'stopped')", name="mode_known"),
        CheckConstraint("breaker IN ('closed', 'sampling', 'open', 'probing')", name="breaker_known"),
        CheckConstraint("waits_for IN ('answer', 'Sierra', 'person')", name="waits_for_known"),
        {"comment": "What each notifier process last said of itself. See the view notifier_overview"},
    )
    notifier: str = col(
        Text, "Host name, process id and a random word; as in update_queue.claimed_by", primary_key=True
    )
    started_at: datetime = col(TIMESTAMPTZ, "When the process began", server_default=NOW)
    seen_at: datetime = col(TIMESTAMPTZ, "When it last said so; every 5 s", server_default=NOW)
    mode: str = col(Text, "starting, listening (woken by NOTIFY), polling (can't hear, sweeps only), stopped")
    breaker: str = col(
        Text,
        "closed: pushing; sampling: five items failed alike, trying three new ones; open: waiting; "
        "probing: trying one item",
    )
    reason: str | None = nullable(Text, "Why the breaker is not closed, or why it polls")
    last_success_at: datetime | None = nullable(TIMESTAMPTZ, "When Sierra last answered it well")
    looped_at: datetime | None = nullable(
        TIMESTAMPTZ, "When its loop last came round: looked at the queue, or moved an item on"
    )
    waits_for: str | None = nullable(
        Text,
        "What must come before it pushes again. answer: Sierra gives none; Sierra: it says that it is unwell; "
        "person: who acts as reason says; NULL: nothing",
    )


class QueueControl(SQLModel, table=True):
    """The pause of pushes: one row."""

    __tablename__ = "queue_control"
    __table_args__ = (
        *readable("paused_at", "resume_at"),
        CheckConstraint("id", name="one_row"),
        {"comment": "Whether pushes to Sierra are paused: one row. Marks and reads go on meanwhile"},
    )
    id: bool = col(Boolean, "Always true: there is one row", primary_key=True, server_default=text("true"))
    paused_at: datetime | None = nullable(TIMESTAMPTZ, "Since when nothing is claimed; NULL: not paused")
    paused_by: str | None = nullable(Text, "Who paused it")
    reason: str | None = nullable(Text, "Why")
    resume_at: datetime | None = nullable(TIMESTAMPTZ, "When it goes on by itself; NULL: when a person says so")


class Act(SQLModel, table=True):
    """An act of a person, by the console or by a command."""

    __tablename__ = "act"
    __table_args__ = (
        *readable("acted_at"),
        CheckConstraint("through IN ('console', 'command')", name="through_known"),
        CheckConstraint("number >= 0", name="number_not_negative"),
        {
            "comment": "What people did, by the console or by a command: one row per act, written in its transaction. "
            "Kept UPDATE_LOG_RETENTION_DAYS. Plain SQL leaves none"
        },
    )
    act_id: int | None = col(BigInteger, "Rising number", Identity(always=True), primary_key=True)
    acted_at: datetime = col(TIMESTAMPTZ, "When it was done", server_default=NOW)
    person: str = col(Text, "Who did it, by name; stays when the person is gone")
    through: str = col(Text, "console, or command")
    os_user: str | None = nullable(Text, "The operating system's user that ran the command; NULL: by the console")
    db_role: str = col(Text, "The database role that the session had logged in as", server_default=text("SESSION_USER"))
    action: str = col(Text, "What was done, in the words of the command: queue retry")
    target: dict[str, Any] = col(JSONB, "To what: the ids that were named, or the filter", server_default=text("'{}'"))
    reason: str | None = nullable(Text, "The reason that the person gave; NULL: none")
    number: int = col(Integer, "How many items, keys, … it changed; 0: it came to nothing")
    result: str = col(Text, "What came of it, in a sentence")


class ProgressCount(SQLModel, table=True):
    """The number of items of a collection, by how far they are."""

    __tablename__ = "progress_count"
    __table_args__ = (
        *readable("counted_at"),
        {
            "comment": "How many living items of each collection are relabelled; a notifier counts them every ten "
            "minutes. See the view progress_overview"
        },
    )
    location: str = col(Text, "Name of the location; empty: none, or the ETL does not bring it", primary_key=True)
    item_type: str = col(Text, "Name of the item type; empty: none", primary_key=True)
    material: str = col(Text, "Name of the material type; empty: none", primary_key=True)
    done: int = col(BigInteger, "Items whose call number in Sierra has the classification in front")
    to_do: int = col(BigInteger, "Items with a classification that their call number in Sierra does not have in front")
    without_classification: int = col(
        BigInteger, "Items that have no classification, and so nothing to be relabelled with"
    )
    unknown: int = col(BigInteger, "Items with a classification whose call number in Sierra is not known here")
    counted_at: datetime = col(TIMESTAMPTZ, "As of when", server_default=NOW)


class ProgressDay(SQLModel, table=True):
    """The number of a print station's pushes on a day."""

    __tablename__ = "progress_day"
    __table_args__ = (
        {
            "comment": "What each print station had written to Sierra, day by day; kept for ever. "
            "A notifier adds it up from update_log every ten minutes"
        },
    )
    day: date = col(Date, "The day (UTC)", primary_key=True)
    desk: str = col(Text, "The print station; empty: all marks of persons and scripts together", primary_key=True)
    pushed: int = col(BigInteger, "Updates that were written to Sierra, without those that undid one")
    relabelled: int = col(BigInteger, "Of them, those that changed the call number")
