"""The `signum` command as a person runs it: with settings in its environment, from its arguments to its exit code."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cli import main
from runtime.etl_settings import EtlSettings
from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings

Signum = Callable[..., "Ran"]
KINDS = (ApiSettings, MigrateSettings, NotifierSettings, EtlSettings)
OURS = {name.upper() for kind in KINDS for name in kind.model_fields}
NO_FILE = {"SETTINGS_FILE": os.devnull}


@dataclass(frozen=True)
class Ran:
    """A command's exit code and output."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command that was asked for JSON."""
        return json.loads(self.out)


@pytest.fixture
def signum_process() -> Signum:
    """Run the command as a process of its own, with these `settings=` and none of ours."""

    def run(*arguments: str, settings: Mapping[str, object]) -> Ran:
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        given = {name: str(value) for name, value in settings.items()}
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**inherited, **NO_FILE, **given},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def signum(database: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Signum:
    """Run the command in this process against the test's own database; `typed=` is what the person answers."""

    def run(*arguments: str, settings: Mapping[str, str] | None = None, typed: str = "") -> Ran:
        with monkeypatch.context() as surroundings:
            for name in OURS:
                surroundings.delenv(name, raising=False)
            for name, value in {**database.environment(), **(settings or {})}.items():
                surroundings.setenv(name, value)
            surroundings.setenv("LOGNAME", "aino")
            surroundings.setattr(sys, "argv", ["signum", *arguments])
            surroundings.setattr(sys, "stdin", io.StringIO(typed))
            with pytest.raises(SystemExit) as left:
                main.run()
        code = left.value.code
        assert isinstance(code, int)
        return Ran(code, *capsys.readouterr())

    return run
