"""The notifier's process, which every library has running for years."""

import subprocess
import sys


def test_the_notifier_does_without_what_only_a_migration_needs() -> None:
    program = (
        "import sys, cli.main, notifier.process; print({'alembic', 'sqlalchemy', 'sentry_sdk'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
