"""How Alembic runs here: on one connection, under a lock, patient with whoever uses the tables meanwhile.

No __init__.py in this folder, or `import alembic` would find it instead of the library.
"""

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import db.models
from db.engine import connection_parameters
from runtime.settings import DatabaseSettings, read_settings

MIGRATOR_LOCK = 7_411_001  # any number that nobody else uses: one migrator at a time
assert db.models.SQLModel is SQLModel  # the import registers the tables


def run(connection: Connection) -> None:
    """Run the migrations in one transaction. Others wait for a minute; a lock on a table is waited for 10 s."""
    connection.execute(text("SET lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATOR_LOCK})
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATOR_LOCK})
        connection.commit()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=SQLModel.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run(given)
else:
    parameters = connection_parameters(read_settings(DatabaseSettings), "signum migrate")
    engine = create_engine("postgresql+psycopg://", connect_args=parameters, poolclass=NullPool)
    with engine.connect() as own:
        run(own)
