"""A process that finds no settings but those that its test gives."""

from pathlib import Path

import pytest

from runtime.settings import NotifierSettings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, no file of settings, and no setting in the environment."""
    for name in [*NotifierSettings.model_fields, "settings_file"]:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
