"""The release is told everywhere by the one version of pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from sandbox.postgres import free_port
from tests.fix_api import ApiClient
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_signum import Signum

HOUSE = Path(__file__).parent.parent
RELEASE = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_signum_tells_the_release(signum_process: Signum) -> None:
    ran = signum_process("--version", settings={})
    assert (ran.code, ran.out, ran.err) == (0, f"signum {RELEASE}\n", "")


def test_api_tells_the_release(api: ApiClient) -> None:
    assert api.get("/healthz").json() == {"status": "ok", "version": RELEASE}
    assert api.get("/openapi.json").json()["info"]["version"] == RELEASE


def test_log_of_each_process_tells_the_release(start: Start, signum_process: Signum, database: TestDatabase) -> None:
    logs = {
        "api": start("api", api_port=free_port()).log.read_text(),
        "notifier": start("notifier").log.read_text(),
        "migrate": signum_process("migrate", settings=database.environment()).err,
    }
    for name, log in logs.items():
        assert re.search(rf" signum\.{name} .* version={re.escape(RELEASE)}\b", log)


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("Dockerfile", r'org\.opencontainers\.image\.version="([^"]+)"'),
        ("docs/installation.md", r"newTag: ([\d.]+\d)"),
        ("CHANGELOG.md", r"\A[^#]*# Changelog\n[^#]*?## ([\d.]+)"),
    ],
)
def test_file_that_names_the_release_names_this_one(file: str, pattern: str) -> None:
    assert re.findall(pattern, (HOUSE / file).read_text(encoding="utf-8")) == [RELEASE]


def test_kubernetes_runs_this_release() -> None:
    (image,) = yaml.safe_load((HOUSE / "docs/kubernetes/kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert str(image["newTag"]) == RELEASE
