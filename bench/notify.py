"""What does the ring cost those who mark? Commits of one row a second, with and without NOTIFY, by pgbench.

PostgreSQL lets one transaction that notifies commit at a time, whichever database it is in: that bounds the marks of a
server, and so how many libraries may share one.
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, median
from bench.ground import Ground, prepare_ground

CONNECTIONS = (1, 8, 32)
DATABASES = 8
TRIGGER = """
CREATE TABLE bare_row (id bigserial PRIMARY KEY, item bigint);
CREATE FUNCTION bare_ring() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('bare', ''); RETURN NULL; END $$;
CREATE TRIGGER bare_ring AFTER INSERT ON bare_row FOR EACH ROW EXECUTE FUNCTION bare_ring()
"""
INSERT = "\\set item random(1, 100000)\nINSERT INTO bare_row (item) VALUES (:item);\n"


def measure(quick: bool) -> list[Figure]:
    """A row for each number of connections to one database, and one for a connection to each of several."""
    seconds, runs = (1, 1) if quick else (4, 3)
    with prepare_ground(100) as ground:
        dsns = [_make_database(ground, f"bare_{number}") for number in range(1 if quick else DATABASES)]
        figures = [
            _with_and_without(f"connections: {connections}", ground, dsns[:1], connections, seconds, runs)
            for connections in (CONNECTIONS[:1] if quick else CONNECTIONS)
        ]
        return [
            *figures,
            _with_and_without(f"connections: one to each of {len(dsns)} databases", ground, dsns, 1, seconds, runs),
        ]


def _make_database(ground: Ground, name: str) -> str:
    with ground.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with ground.connect(dbname=name) as connection:
        connection.execute(TRIGGER)
    return ground.postgres.dsn(name, tcp=True)


def _with_and_without(
    which: str, ground: Ground, dsns: Sequence[str], connections: int, seconds: int, runs: int
) -> Figure:
    rates: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    for _ in range(runs):
        for state, seen in rates.items():
            for number in range(len(dsns)):
                with ground.connect(dbname=f"bare_{number}") as connection:
                    connection.execute(f"ALTER TABLE bare_row {state} TRIGGER bare_ring")
            seen.append(_commits_per_second(ground, dsns, connections, seconds))
    ringing, silent = median(rates["ENABLE"]), median(rates["DISABLE"])
    return Figure(
        what=f"bare INSERT with NOTIFY, {which}",
        ours=f"{ringing:,.0f} commits/s",
        beside=f"without {silent:,.0f} commits/s",
        share=f"{ringing / silent:.2f} x",
    )


def _commits_per_second(ground: Ground, dsns: Sequence[str], connections: int, seconds: int) -> float:
    """Of all databases together, `connections` to each."""
    script = Path(ground.postgres.host) / "insert.pgbench"
    script.write_text(INSERT)
    threads = "2" if connections > 1 else "1"
    options = ["-n", "-M", "prepared", "-j", threads, "-c", str(connections), "-T", str(seconds), "-f", str(script)]
    program = str(ground.postgres.program("pgbench"))
    running = [subprocess.Popen([program, *options, dsn], stdout=subprocess.PIPE, text=True) for dsn in dsns]
    said = [process.communicate()[0] for process in running]
    assert all(process.returncode == 0 for process in running), said
    return sum(float(rate) for text in said for rate in re.findall(r"tps = ([\d.]+)", text))
