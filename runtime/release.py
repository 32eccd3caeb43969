"""The release that runs: the version in pyproject.toml, as installed. All that shows a version reads it here."""

from importlib.metadata import version

PACKAGE = "signum-savotta-backend"


def release() -> str:
    """Return the version, such as `1.0.0`."""
    return version(PACKAGE)
