"""The wall clocks of our processes are wrong, or jump: the database's decides, and the monotonic one measures."""

import re
from datetime import UTC, datetime

from sandbox import processes
from sandbox.postgres import free_port
from tests.fix_api import add_key
from tests.fix_clock import Clock
from tests.fix_library import Library, Station
from tests.fix_notifier import NO_SWEEP, eventually, sierra_settings
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread

HOUR = 3600
POSTPONED_BY = "SELECT extract(epoch FROM due_at - now())::float8 FROM update_queue"


def test_an_hour_forward_and_back_while_an_item_is_pushed_changes_nothing(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start, clock: Clock
) -> None:
    library.add(1001, 1002)
    in_use = sierra.fault(kind="put_item", item="1002", status=500, code=132, specific_code=2)
    reading, writing = sierra.hold("get_items"), sierra.hold("put_item", item="1001")
    notifier = start("notifier", **clock.settings, **NO_SWEEP)
    library.mark(1001, 1002)
    reading.block_until_reached()
    clock.set_ahead(HOUR)
    reading.release()
    writing.block_until_reached()
    notifier.wait_for_words("postponed: ")
    (stamped,) = re.findall(r"^(\S+) WARNING .*postponed: ", notifier.log.read_text(), re.MULTILINE)
    assert (datetime.fromisoformat(stamped) - datetime.now(UTC)).total_seconds() > HOUR / 2, "its clock did jump"
    ((seconds,),) = database.fetch(POSTPONED_BY + " WHERE due_at > now()")
    assert 0 < seconds <= 30, "due by the database's clock"
    clock.set_ahead(-HOUR)
    writing.release()
    sierra.block_until(lambda journal: journal.puts("1001"))
    in_use.off()
    database.fetch("UPDATE update_queue SET due_at = now() WHERE due_at > now()")
    library.check()
    assert [len(sierra.puts(number)) for number in ("1001", "1002")] == [1, 1]
    assert not notifier.said("left to the next claim"), "no lease was thought to be over"
    assert len(sierra.requests("token")) == 1, "no token was thought to be old"
    dated = datetime.fromisoformat(sierra.record("1001").fixed_fields["69"]["value"])
    assert abs((datetime.now(UTC) - dated).total_seconds()) < HOUR / 2, "INVDA is of the database's clock"


async def test_a_machine_five_minutes_off_the_database_works_and_says_so(
    database: TestDatabase, sierra: SierraInThread, library: Library, start: Start, clock: Clock
) -> None:
    library.add(1001)
    clock.set_ahead(-300)
    port = free_port()
    start("api", api_port=port, **clock.settings)
    notifier = start("notifier", **clock.settings, **NO_SWEEP)
    station = Station(library, f"http://127.0.0.1:{port}", add_key(database, "desk 1", "signum-printer"))
    assert station.print_label(1001) == 200
    library.check()
    notifier.wait_for_words("s behind the database's. Set both by NTP")
    told = database.fetch("SELECT now() - queued_at < '1 min' AND took < '1 min' AND took > '0' FROM update_history")
    assert told == [(True,)]
    await eventually(database, "SELECT state FROM notifier_overview", "listening")
    given = {name.upper(): str(value) for name, value in {**sierra_settings(sierra), **clock.settings}.items()}
    said = processes.run("cli.main", "doctor", settings={**database.environment(), **given})
    assert re.search(r"warning +clock +this machine's clock is (299|300)\.\d s behind the database's", said)
