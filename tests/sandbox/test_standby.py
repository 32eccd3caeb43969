"""A pair of servers can change places, any number of times."""

import psycopg

from sandbox.standby import start_pair
from tests.fix_postgres import memory


def test_pair_is_synchronous_again_whichever_server_is_the_standby() -> None:
    with start_pair(memory()) as pair:
        pair.be_synchronous()
        for count in (1, 2):
            pair.primary.execute(f"CREATE TABLE kept_{count} ()")
            pair.fail_over()
            pair.take_back()
            pair.be_synchronous()
            with psycopg.connect(pair.standby.dsn()) as connection:
                found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '^kept'").fetchone()
            assert found == (count,)
        assert pair.primary is pair.first
