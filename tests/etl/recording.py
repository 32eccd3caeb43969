"""A small backend over real HTTP that speaks the contract with all its additions, and keeps what it was sent.

It takes rows in as the real one is to: a newer reading wins, a position moves by `changes_until`. Its faults are
statuses that it answers instead, and an answer that is cut off after the batch was taken in.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.fix_etl import rows_of

ADDITIONS = ("changes_since", "deleted_on", "all_from_id")
KEY = "sig_recording"


@dataclass
class Batch:
    """One upload."""

    fields: dict[str, str]
    rows: list[dict[str, Any]]

    @property
    def ids(self) -> list[int]:
        return [row["item_record_id"] for row in self.rows]

    def time(self, name: str) -> datetime:
        return datetime.fromisoformat(self.fields[name])


@dataclass
class Recording:
    """The state of a sync, and its batches. `statuses` are answered first, one by one, and nothing is taken in then."""

    url: str = ""
    mode: str = "SYNC_CHANGES"
    batch_size: int = 20
    last_synced_id: int = 0
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    accepts: tuple[str, ...] = ADDITIONS
    deletions_since: str | None = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    passed_at: str | None = None
    busy: bool = False
    statuses: list[int] = field(default_factory=list)
    cut_after_commit: int = 0
    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[int, str] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    asked: int = 0
    on_ask: Callable[["Recording"], object] | None = None
    full_began: datetime | None = None

    def offer(self) -> dict[str, Any]:
        self.asked += 1
        if self.on_ask:
            self.on_ask(self)
        status = "processing_sync_batch" if self.busy else "idle"
        more = {"accepts": self.accepts, "deletions_since": self.deletions_since, "passed_at": self.passed_at}
        common = {"sync_mode": self.mode, "sync_status": status, **(more if self.accepts else {})}
        if self.mode == "SYNC_FULL":
            began = self.full_began.isoformat() if self.full_began and self.accepts else None
            full = {"batch_size": self.batch_size, "last_synced_id": self.last_synced_id, "changes_since": began}
            return common | full
        return {**common, "timestamp": self.timestamp.isoformat()}

    def take(self, batch: Batch) -> dict[str, Any]:
        self.batches.append(batch)
        before = dict(self.items)
        living = [row for row in batch.rows if not row.get("deleted_on")]
        for row in living:
            self.items[row["item_record_id"]] = row
            self.deleted.pop(row["item_record_id"], None)
        gone = {row["item_record_id"]: row["deleted_on"] for row in batch.rows if row.get("deleted_on")}
        if "all_from_id" in batch.fields:
            low, high = int(batch.fields["all_from_id"]), int(batch.fields["all_to_id"])
            day = batch.fields["timestamp"][:10]
            gone |= {key: day for key in self.items if low < key <= high and key not in batch.ids}
        for key in gone.keys() & self.items.keys():
            self.deleted[key] = gone[key]
            del self.items[key]
        self._move(batch)
        written = sum(before.get(row["item_record_id"]) != row for row in living)
        return {"upserted": len(batch.rows), "written": written, "unchanged": 0, "rejected": 0, "reasons": []}

    def _move(self, batch: Batch) -> None:
        if self.mode == "SYNC_FULL" and "changes_since" in batch.fields:
            pass
        elif self.mode == "SYNC_FULL":
            self.full_began = self.full_began or batch.time("timestamp")
            self.last_synced_id = max([self.last_synced_id, *batch.ids])
            if len(set(batch.ids)) < self.batch_size:
                self.mode, self.timestamp = "SYNC_CHANGES", self.full_began
        elif "changes_until" in batch.fields:
            self.timestamp = batch.time("changes_until")
        else:
            self.timestamp = batch.time("timestamp")
        self.deletions_since = batch.fields.get("deletions_until", self.deletions_since)
        if batch.fields.get("pass_complete") == "true":
            self.passed_at = batch.fields["timestamp"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(*self._refused() or (200, self._recording.offer()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = self._refused()
        if refused:
            return self._answer(*refused)
        answer = self._recording.take(_parse(self.headers["content-type"], body))
        if self._recording.cut_after_commit:
            self._recording.cut_after_commit -= 1
            self.close_connection = True
            return None
        return self._answer(200, answer)

    @property
    def _recording(self) -> Recording:
        return cast(_Server, self.server).recording

    def _refused(self) -> tuple[int, dict[str, Any]] | None:
        if self.headers["x-api-key"] != KEY:
            return 403, {"detail": "Invalid x-api-key"}
        is_post = self.command == "POST"
        return (
            (self._recording.statuses.pop(0), {"detail": "not now"}) if is_post and self._recording.statuses else None
        )

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    recording: Recording


@contextmanager
def recording(**state: Any) -> Iterator[Recording]:
    """A running backend with this state."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.recording = Recording(url=f"http://127.0.0.1:{server.server_port}", **state)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.recording
        finally:
            server.shutdown()
            thread.join()


def _parse(content_type: str, body: bytes) -> Batch:
    found = re.search("boundary=(.+)", content_type)
    assert found
    fields: dict[str, str] = {}
    file = b""
    for part in body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n") if b'name="file"' not in part else _file(part)
        name = re.search(rb'name="(\w+)"', head)
        assert name
        if name[1] == b"file":
            file = content
        else:
            fields[name[1].decode()] = content.decode()
    return Batch(fields, rows_of(file))


def _file(part: bytes) -> tuple[bytes, bytes, bytes]:
    head, between, content = part.partition(b"\r\n\r\n")
    return head, between, content.removesuffix(b"\r\n")
