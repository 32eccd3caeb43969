"""The embedded PostgreSQL is a real server, ours alone, and nothing is left of it, however we end."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import psycopg
import pytest

from sandbox.postgres import EmbeddedPostgres, PostgresFailed, Version, _open_to_all

HOUSE = Path(__file__).parents[2]

STARTS_ONE_AND_WAITS = """
import sys
from sandbox.postgres import EmbeddedPostgres
with EmbeddedPostgres() as postgres:
    print(postgres.folder, postgres.dsn(), sep="\\n", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tcp=True) as server:
        yield server


def wait_for(fact: Callable[[], bool], limit_seconds: float = 15) -> bool:
    give_up_at = time.monotonic() + limit_seconds
    while not fact() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    return fact()


def setting(dsn: str, name: str) -> str:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row
        return str(row[0])


def test_it_is_as_durable_as_in_earnest(postgres: EmbeddedPostgres) -> None:
    assert setting(postgres.dsn(), "fsync") == "on"
    assert setting(postgres.dsn(), "synchronous_commit") == "on"


def test_it_answers_on_its_socket_and_where_asked_on_tcp(postgres: EmbeddedPostgres) -> None:
    assert setting(postgres.dsn(tcp=True), "listen_addresses") == "127.0.0.1"
    assert setting(postgres.dsn(), "unix_socket_directories") == postgres.host


@pytest.mark.parametrize("version", get_args(Version))
def test_it_is_of_the_version_asked_for_and_sorts_by_bytes_in_each(version: Version) -> None:
    with EmbeddedPostgres(version=version) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.info.server_version // 10_000 == version
        row = connection.execute("SELECT array_agg(word ORDER BY word) FROM unnest('{ä,b,B,a}'::text[]) AS word")
        assert row.fetchone() == (["B", "a", "b", "ä"],)


def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.dsn().replace(postgres.password, "wrong"))


def test_committed_row_survives_a_crash(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('säilyy')")
        postgres.restart("immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("säilyy",)


def test_its_own_programs_come_with_it(postgres: EmbeddedPostgres) -> None:
    dump = subprocess.run([postgres.program("pg_dump"), postgres.dsn()], capture_output=True, text=True, check=True)
    assert "PostgreSQL database dump complete" in dump.stdout


def test_two_run_at_once_and_leave_nothing() -> None:
    with EmbeddedPostgres() as one, EmbeddedPostgres() as other:
        assert one.folder != other.folder
        assert setting(one.dsn(), "data_directory") != setting(other.dsn(), "data_directory")
        pids = [one.pid, other.pid]
    assert not one.folder.exists()
    assert not other.folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_killed_parent_leaves_nothing() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE_AND_WAITS],
        cwd=HOUSE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    folder, dsn = Path(parent.stdout.readline().strip()), parent.stdout.readline().strip()
    with psycopg.connect(dsn) as connection:
        parent.kill()
        parent.communicate()
        assert wait_for(lambda: not folder.exists())
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_one_that_cannot_start_says_why_and_leaves_nothing(postgres: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(tcp=True)
    other.port = postgres.port
    with pytest.raises(PostgresFailed, match="Address already in use"), other:
        pass
    assert not other.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another user")
def test_root_whose_programs_no_other_user_can_reach_gets_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout below /root."""
    from sandbox import postgres

    wheel = postgres._package()
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in wheel.parent.glob(f"{wheel.name}*"):
        shutil.copytree(part, hidden / part.name, ignore=shutil.ignore_patterns("pginstall", "include", "*.a"))
    monkeypatch.setattr(postgres, "_package", lambda: hidden / wheel.name)
    with EmbeddedPostgres(within=hidden) as server:
        assert setting(server.dsn(), "server_version").startswith("18.")
        assert not server.folder.is_relative_to(hidden)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests show it already")
@pytest.mark.skipif(
    not all(map(_open_to_all, (Path(sys.executable), Path(sys.prefix), HOUSE))),
    reason="another user can't reach this checkout, its .venv or its Python",
)
def test_user_other_than_root_owns_the_server() -> None:
    program = STARTS_ONE_AND_WAITS.replace("sys.stdin.read()", "print(postgres.folder.owner())")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, user="nobody", check=False
    )
    assert done.stdout.splitlines()[-1:] == ["nobody"], done.stderr
