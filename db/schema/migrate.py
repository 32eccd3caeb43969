"""The schema brought to head by Alembic, one migrator at a time: the first does it, the others wait."""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from db.connections import Parameters, connect
from db.schema.version import MIGRATIONS


def migrate(parameters: Parameters, revision: str = "head") -> None:
    """Bring the schema up to `revision`. Does nothing where it is there already."""
    _with_connection(parameters, lambda config: command.upgrade(config, revision))


def downgrade(parameters: Parameters, revision: str) -> None:
    """Bring the schema down to `revision`; data of what came later is lost."""
    _with_connection(parameters, lambda config: command.downgrade(config, revision))


def alembic_config() -> Config:
    """Alembic's configuration; alembic/env.py does the rest."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _with_connection(parameters: Parameters, run: Callable[[Config], None]) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(parameters), poolclass=NullPool)
    config = alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        run(config)
