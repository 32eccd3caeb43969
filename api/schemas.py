"""The bodies of requests and of answers, field by field."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

# Text with a numeric offset, never "Z", which not every client's parser knows.
Moment = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

# Text that a client reports of itself. Control characters are refused; one of them, NUL, PostgreSQL can't store.
Reported = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ItemData(BaseModel):
    """An item, as a print station prints it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "item_record_id": 450972567890,
                "item_number": "2043111",
                "barcode": "1231231230012",
                "bib_number": "1234567",
                "best_author": "Heikkilä, Markku",
                "best_title": "Kaik Turust",
                "itype_code_num": 1,
                "item_type_name": "Kirja",
                "material_code": "a",
                "material_name": "Kirja",
                "classification": "86.2",
                "shelfmark": "HEI",
                "in_update_queue": False,
            }
        }
    )

    item_record_id: int = Field(description="Key of the item record, as PUT /itemdata takes it")
    item_number: str | None = Field(description="Number of the item record at Sierra")
    barcode: str
    bib_number: str | None
    best_author: str | None
    best_title: str | None
    itype_code_num: int | None
    item_type_name: str | None
    material_code: str | None
    material_name: str | None
    classification: str | None = Field(description="Class number; null where there is none")
    shelfmark: str = Field(description="Three letters; `***` where there are none")
    in_update_queue: bool = Field(
        description="Sierra has not got the item's update yet: it waits, is under way, or was rejected"
    )


class Marked(BaseModel):
    """The item's update is queued, and on disk."""

    updated: Literal[True] = True


class StatusReport(BaseModel):
    """A print station's report of its host name and address."""

    internal_hostname: Reported = Field(examples=["kirjasto-pc-12"])
    internal_ip_address: Reported = Field(description="The text `None` where it has none", examples=["192.168.1.12"])

    @property
    def address(self) -> str | None:
        """Return the address, None where it has none."""
        return None if self.internal_ip_address in ("", "None") else self.internal_ip_address


class Status(BaseModel):
    """The state of the sync with Sierra."""

    full_sync_completed_at: Moment | None = Field(examples=["2026-11-20T04:12:09+00:00"])
    initialized_at: Moment | None = Field(examples=["2026-11-20T03:55:31+00:00"])
    last_sync_run_completed_at: Moment | None = Field(examples=["2026-11-20T10:00:14+00:00"])
    sync_changes_since: Moment | None = Field(examples=["2026-11-20T12:00:00+02:00"])
    sync_mode: Literal["SYNC_FULL", "SYNC_CHANGES"] = Field(examples=["SYNC_CHANGES"])


class Readiness(BaseModel):
    """The process is ready for requests; `read-only`: for those that write nothing."""

    status: Literal["ok", "read-only"] = "ok"


class Alive(BaseModel):
    """The process lives; the release that it runs."""

    status: Literal["ok"] = "ok"
    version: str


class Problem(BaseModel):
    """The reason why a request was not done (RFC 9457), in `detail`. The other fields repeat the status."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str


class FieldProblem(BaseModel):
    """The error of one field."""

    type: str
    loc: list[str | int] = Field(description="Where the field is: `path` or `body`, and its name")
    msg: str


class InvalidProblem(BaseModel):
    """A problem with a request's fields: `detail` lists those that are wrong."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: list[FieldProblem]


SyncStatus = Literal["idle", "processing_sync_batch"]

# The additions to the contract that this release understands. An ETL sends no other one, and none to a release that
# has no such list.
ACCEPTS = ["changes_since", "deleted_on", "all_from_id"]
Accepts = Annotated[
    list[str], Field(description="Additions that may be sent, by the field or column that stands for each")
]

DeletionsSince = Annotated[
    date | None, Field(description="The last `deletions_until`: deletions before that day have come; null: none have")
]
PassedAt = Annotated[Moment | None, Field(description="`timestamp` of the last `pass_complete`; null: there was none")]


class FullSync(BaseModel):
    """Send the items above `last_synced_id`, in id order, at most `batch_size` of them."""

    sync_mode: Literal["SYNC_FULL"]
    batch_size: int = Field(examples=[80000])
    last_synced_id: int = Field(description="0 at first", examples=[450972567890])
    changes_since: Moment | None = Field(
        default=None,
        description="When the first page was read: changes since then may come between pages; null: it has not come",
        examples=["2026-11-20T12:00:00+02:00"],
    )
    sync_status: SyncStatus = Field(description="Send nothing while a batch is being taken in")
    accepts: Accepts = ACCEPTS
    deletions_since: DeletionsSince = None
    passed_at: PassedAt = None


class ChangesSync(BaseModel):
    """Send what changed since `timestamp`."""

    sync_mode: Literal["SYNC_CHANGES"]
    timestamp: Moment = Field(description="By Sierra's clock", examples=["2026-11-20T12:00:00+02:00"])
    sync_status: SyncStatus = Field(description="Send nothing while a batch is being taken in")
    accepts: Accepts = ACCEPTS
    deletions_since: DeletionsSince = None
    passed_at: PassedAt = None


class BatchTaken(BaseModel):
    """The counts of a batch's rows, all of which are on disk."""

    upserted: int = Field(description="Rows taken in: `written` and `unchanged`", examples=[79_998])
    written: int = Field(description="Items that were new or changed", examples=[1_204])
    unchanged: int = Field(
        description="Rows that changed nothing: stored already, older than what is, or an item's further rows",
        examples=[78_794],
    )
    rejected: int = Field(description="Rows refused; see the table `rejected_row`", examples=[2])
    reasons: list[str] = Field(
        description="Why, for the first ten", examples=[["line 17: item_record_id 'x' is no whole number of 64 bits"]]
    )
    shown: int = Field(description="Pushes whose call number came back from Sierra with this batch", examples=[12])
    deleted: int = Field(description="Items that were deleted by this batch", examples=[3])
    deletions_held: int = Field(description="Items whose deletion waits for a person: too many at once", examples=[0])


class Batch(BaseModel):
    """The body that the deployed ETL sends. This class only describes it: api/upload.py reads it as it comes.

    Optional fields are described by the route alone: Swagger UI fills in each one, and would send it.
    """

    timestamp: datetime = Field(
        description="Sierra's clock when the ETL's run began; ISO 8601 with offset",
        examples=["2026-11-20T12:00:00+02:00"],
    )
    file: bytes = Field(description="data.tsv.gz: gzip of UTF-8 TSV with a header")
