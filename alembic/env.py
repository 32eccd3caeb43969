"""Alembic's environment: one migrator at a time, a transaction per migration, locks on tables waited for 10 s.

This folder has no __init__.py, or `import alembic` would find it instead of the library.
"""

from alembic import context
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import db.models
from db.connections import DatabaseUnavailable, connect, connection_parameters
from db.locks import find_holders, name_all
from db.schema.encoding import refuse_other_encodings
from db.schema.migrator import Session, lift_time_limits, sole_migrator
from runtime.settings import DatabaseSettings, read_settings

assert db.models.SQLModel is SQLModel  # the import registers the tables


def run(connection: Connection) -> None:
    """Run the migrations, each in its own transaction. Wait 10 s for a lock on a table: other sessions wait behind it.

    After that, raise DatabaseUnavailable, naming the sessions that hold the tables. Committed migrations stay.
    """
    ours = psycopg_of(connection)
    refuse_other_encodings(ours)
    with connection.engine.connect() as guard, sole_migrator(psycopg_of(guard)):
        lift_time_limits(ours)
        try:
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                compare_server_default=True,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
            connection.commit()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            holders = name_all(find_holders(psycopg_of(guard)))
            raise DatabaseUnavailable(f"the migration gave up waiting for a lock: {holders}. Run it again") from error
        finally:
            connection.rollback()


def psycopg_of(connection: Connection) -> Session:
    """The psycopg connection below SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=SQLModel.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run(given)
else:
    parameters = connection_parameters(read_settings(DatabaseSettings), "signum migrate")
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(parameters), poolclass=NullPool)
    with engine.connect() as own:
        run(own)
