"""PostgreSQL's disk is full: what can't be stored is not acknowledged, nothing stored is lost, all recover.

The disk is a small tmpfs, which only root may mount.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from sandbox.postgres import EmbeddedPostgres, free_port
from tests.fix_api import add_key
from tests.fix_library import Library, Station
from tests.fix_notifier import NO_SWEEP
from tests.fix_postgres import Server, TestDatabase, make_database, make_template
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

ROOM = "160m"  # a cluster, one more WAL segment, and some


class Disk:
    """A small one, of which a test may take the rest."""

    def __init__(self, at: Path) -> None:
        self.at = at
        self._ballast = at / "ballast"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def clean_up(self) -> None:
        """Make room on the disk, as an administrator does."""
        self._ballast.unlink()


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    """Mounted in the system's temporary folder; the test is skipped where that is not allowed."""
    at = Path("/tmp") / f"signum-disk-{free_port()}"
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0755", "tmpfs", str(at)]
    try:
        if not Path("/bin/mount").exists() or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small disk can't be mounted: that needs root")
        yield Disk(at)
    finally:
        subprocess.run(["umount", str(at)], capture_output=True, check=False)
        at.rmdir()


@pytest.fixture(scope="module")
def server_on_it(disk: Disk) -> Iterator[Server]:
    """A PostgreSQL of the module's own."""
    with EmbeddedPostgres(within=disk.at, tcp=True) as embedded:
        started = Server("embedded", conninfo_to_dict(embedded.dsn(tcp=True)), embedded)
        make_template(started)
        yield started


@pytest.fixture
def database(server_on_it: Server) -> Iterator[TestDatabase]:
    """On that disk."""
    yield from make_database(server_on_it)


@pytest.fixture
def station(database: TestDatabase, library: Library, start: Start) -> Station:
    """A print station with an api process of its own."""
    port = free_port()
    start("api", api_port=port)
    return Station(library, f"http://127.0.0.1:{port}", add_key(database, "desk 1", "signum-printer"))


def test_what_a_full_disk_can_not_keep_is_not_acknowledged_and_what_it_kept_is_pushed_afterwards(
    disk: Disk, database: TestDatabase, library: Library, station: Station, start: Start
) -> None:
    library.add(1001)
    start("notifier", **NO_SWEEP)
    disk.fill()
    assert station.print_label(1001) == 503
    disk.clean_up()
    assert station.print_label(1001) == 200
    library.check()


def test_a_server_that_dies_of_its_full_disk_takes_no_mark_and_no_outcome_with_it(
    disk: Disk,
    server_on_it: Server,
    database: TestDatabase,
    sierra: SierraInThread,
    library: Library,
    station: Station,
    start: Start,
) -> None:
    library.add(1001, 1002, 1003)
    writing = sierra.hold("put_item", item="1001", after_applying=True)
    notifier = start("notifier", sierra_update_batch_size_limit=1, **NO_SWEEP)
    assert [station.print_label(1001), station.print_label(1002)] == [200, 200]
    writing.block_until_reached()
    disk.fill()
    with database.connect() as dba, pytest.raises(psycopg.OperationalError):
        dba.execute("SELECT pg_switch_wal(); UPDATE update_queue SET priority = priority")
    writing.off()
    notifier.wait_for_words("database away, keeping the outcome")
    assert station.print_label(1003) == 503
    assert [put.item_numbers for put in sierra.requests("put_item")] == [("1001",)], (
        "what can't be claimed is not written"
    )
    disk.clean_up()
    server_on_it.embedded.restart("immediate")  # type: ignore[union-attr]
    assert station.print_label(1003) == 200
    library.check()
    assert len(sierra.requests("put_item", "1001")) == 1
