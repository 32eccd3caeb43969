"""The settings that lead each process of the sandbox to the others."""

from psycopg.conninfo import conninfo_to_dict

from sandbox.postgres import EmbeddedPostgres

SIERRA_KEY, SIERRA_SECRET = "sandbox-key", "sandbox-secret"
QUICK_ETL = {
    "SYNC_JOB_INTERVAL_SECONDS": "1",
    "ETL_DELETIONS_INTERVAL_SECONDS": "5",
    "ETL_MOST_BUSY_SHARE": "1",
    "ETL_PASS_DAYS": "0.001",
}


def database_settings(postgres: EmbeddedPostgres) -> dict[str, str]:
    """The settings that lead a process to this database."""
    return {
        "DB_HOST": postgres.host,
        "DB_PORT": str(postgres.port),
        "DB_USER": postgres.user,
        "DB_PASSWORD": postgres.password,
        "DB_NAME": "postgres",
        "MIGRATE_AT_START": "false",
    }


def sierra_settings(endpoint: str) -> dict[str, str]:
    """The settings that lead the notifier to this simulator."""
    return {
        "SIERRA_API_ENDPOINT": endpoint,
        "SIERRA_API_CLIENT_KEY": SIERRA_KEY,
        "SIERRA_API_CLIENT_SECRET": SIERRA_SECRET,
    }


def etl_settings(dna: str, api_url: str, key: str) -> dict[str, str]:
    """The settings that lead our ETL from the SierraDNA of this connection string to that api."""
    parts = conninfo_to_dict(dna)
    return {
        "SIERRA_DNA_HOST": str(parts["host"]),
        "SIERRA_DNA_PORT": str(parts["port"]),
        "SIERRA_DNA_NAME": str(parts["dbname"]),
        "SIERRA_DNA_USER": str(parts["user"]),
        "SIERRA_DNA_PASSWORD": str(parts["password"]),
        "SIERRA_DNA_SSLMODE": "disable",  # the embedded PostgreSQL has no certificate
        "BACKEND_URL": api_url,
        "ETL_CLIENT_API_KEY": key,
    }
