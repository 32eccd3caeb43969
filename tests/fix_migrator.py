"""A migration that runs in a thread, beside whatever else uses the database."""

import threading

from db.schema.migrate import migrate
from tests.fix_postgres import TestDatabase

WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1398361667 AND NOT granted"


class Migrator(threading.Thread):
    """A migration that runs meanwhile; `failed` is its error."""

    def __init__(self, database: TestDatabase, revision: str = "head") -> None:
        super().__init__(name="migrator")
        self._database, self._revision = database, revision
        self.failed: BaseException | None = None

    def run(self) -> None:
        """Migrate to the revision."""
        try:
            migrate(self._database.parameters, self._revision)
        except BaseException as error:
            self.failed = error

    def wait_until_it_waits_for_the_batch(self) -> None:
        """Return when the migration asks for the sync's lock; fail if it ends before."""
        with self._database.connect() as connection:
            while connection.execute(WAITS).fetchone() == (0,):
                assert self.is_alive(), self.failed
