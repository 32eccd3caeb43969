"""The lock files fit pyproject.toml, each other, and the rules of a lock that travels."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, set[str]]:
    """Versions by name: several where a Python or a system needs its own."""
    pins: dict[str, set[str]] = {}
    for name, version in PINNED.findall((ROOT / lock).read_text(encoding="utf-8")):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def _wanted(lock: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    if lock != "requirements.lock":
        wanted += project["project"]["optional-dependencies"]["sandbox"]
        wanted += project["dependency-groups"]["dev" if lock == "requirements-dev.lock" else "bench"]
    return [Requirement(line) for line in wanted]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_project_asks_for(lock: str) -> None:
    pins = _pins(lock)
    unmet = [
        str(wanted)
        for wanted in _wanted(lock)
        if not all(wanted.specifier.contains(version) for version in pins.get(canonicalize_name(wanted.name), {"0"}))
    ]
    assert unmet == [], "run make lock"


def test_the_locks_agree_on_every_version() -> None:
    first, *others = (_pins(lock) for lock in LOCKS)
    for other in others:
        assert {name: other.get(name) for name in first} == first, "run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:])
