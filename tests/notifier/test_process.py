"""The notifier's process, which every library has running for years."""

import subprocess
import sys

import pytest

from notifier.config import client_of
from runtime.settings import NotifierSettings, SettingsError


def test_the_notifier_does_without_what_only_a_migration_needs() -> None:
    program = (
        "import sys, cli.main, notifier.process; print({'alembic', 'sqlalchemy', 'sentry_sdk'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("host", ["-ä-.fi", "xn--a"])
def test_an_endpoint_that_no_request_can_name_ends_the_start_and_rejects_no_item(host: str) -> None:
    access = {"sierra_api_client_key": "key", "sierra_api_client_secret": "secret"}
    settings = NotifierSettings(sierra_api_endpoint=f"https://{host}/v6", **access)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"^SIERRA_API_ENDPOINT='https://.* can't be used: "):
        client_of(settings)
