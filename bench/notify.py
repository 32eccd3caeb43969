"""What does the ring cost those who mark? Commits of one row a second, with and without NOTIFY, by pgbench.

PostgreSQL lets one transaction that notifies commit at a time: that bounds the marks of one database.
"""

import re
import subprocess
from pathlib import Path

from bench.figures import Figure, median
from bench.ground import Ground, prepare_ground

CONNECTIONS = (1, 8, 32)
TRIGGER = """
CREATE TABLE bare_row (id bigserial PRIMARY KEY, item bigint);
CREATE FUNCTION bare_ring() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('bare', ''); RETURN NULL; END $$;
CREATE TRIGGER bare_ring AFTER INSERT ON bare_row FOR EACH ROW EXECUTE FUNCTION bare_ring()
"""
INSERT = "\\set item random(1, 100000)\nINSERT INTO bare_row (item) VALUES (:item);\n"


def measure(quick: bool) -> list[Figure]:
    """A row for each number of connections."""
    seconds, runs = (1, 1) if quick else (4, 3)
    with prepare_ground(100) as ground, ground.connect() as connection:
        connection.execute(TRIGGER)
        figures = []
        for connections in CONNECTIONS[:1] if quick else CONNECTIONS:
            rates: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
            for _ in range(runs):
                for state, seen in rates.items():
                    connection.execute(f"ALTER TABLE bare_row {state} TRIGGER bare_ring")
                    seen.append(_commits_per_second(ground, connections, seconds))
            ringing, silent = median(rates["ENABLE"]), median(rates["DISABLE"])
            figures.append(
                Figure(
                    what=f"bare INSERT with NOTIFY, {connections} connections",
                    ours=f"{ringing:,.0f} commits/s",
                    beside=f"without {silent:,.0f} commits/s",
                    share=f"{ringing / silent:.2f} x",
                )
            )
    return figures


def _commits_per_second(ground: Ground, connections: int, seconds: int) -> float:
    script = Path(ground.postgres.host) / "insert.pgbench"
    script.write_text(INSERT)
    options = [
        "-n",
        "-M",
        "prepared",
        "-j",
        "2" if connections > 1 else "1",
        "-c",
        str(connections),
        "-T",
        str(seconds),
    ]
    command = [str(ground.postgres.program("pgbench")), *options, "-f", str(script), ground.dsn]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, said
    return float(found[1])
