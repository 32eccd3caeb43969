"""A set-up of `.venv` is whole or begun anew, wherever it was interrupted. Python and pip are stand-ins here."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
STEPS = ["venv", "requirements", "editable"]
# Says each step in `steps`. At the step that `stop` names it says so in `reached`, and waits to be interrupted.
PYTHON = """#!/bin/bash
step() {
    echo "$1" >> steps
    if [ "$(cat stop 2>/dev/null)" = "$1" ]; then echo "$1" > reached; read -r < never; fi
}
case "$*" in
    *ensurepip*) [ ! -e no-venv ] ;;
    *find_spec*) [ -e .venv/packages ] && echo True ;;
    *version_info*) ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && step venv ;;
    *requirements-dev.lock*) touch .venv/packages && step requirements ;;
    *--editable*) step editable && touch .venv/bin/signum ;;
    "-m sandbox") echo "the demo" ;;
    *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="no make here")


class Checkout:
    """A folder with our Makefile and a Python of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(HOUSE / "Makefile", folder)
        (folder / "requirements-dev.lock").touch()
        (folder / "python").write_text(PYTHON)
        (folder / "python").chmod(0o755)
        os.mkfifo(folder / "reached")
        os.mkfifo(folder / "never")

    def start(self) -> subprocess.Popen[str]:
        command = ["make", "demo", f"PYTHON={self.folder}/python"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=-1,
            stderr=-1,
            text=True,
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin"},
        )

    def demo(self) -> str:
        """The words of `make demo`, once it has ended well."""
        make = self.start()
        out, err = make.communicate(timeout=30)
        assert make.returncode == 0, err
        return out

    def steps(self) -> list[str]:
        """The steps since the last time."""
        said = self.folder / "steps"
        steps = said.read_text().split() if said.exists() else []
        said.unlink(missing_ok=True)
        return steps


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_set_up_is_done_once(checkout: Checkout) -> None:
    make = checkout.start()
    out, err = make.communicate(timeout=30)
    assert (make.returncode, out.splitlines()[-1], err) == (0, "the demo", "")
    assert checkout.steps() == STEPS
    assert checkout.demo() == "the demo\n"
    assert checkout.steps() == []


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("at", STEPS)
def test_set_up_that_was_interrupted_is_begun_anew(checkout: Checkout, at: str, by: signal.Signals) -> None:
    (checkout.folder / "stop").write_text(at)
    make = checkout.start()
    with (checkout.folder / "reached").open() as reached:
        assert reached.read() == f"{at}\n"
    os.killpg(make.pid, by)  # as a terminal does with Ctrl-C
    make.communicate(timeout=30)
    assert make.returncode != 0
    (checkout.folder / "stop").unlink()
    checkout.steps()
    assert "the demo" in checkout.demo()
    assert checkout.steps() == STEPS


def test_changed_lock_begins_it_anew(checkout: Checkout) -> None:
    checkout.demo()
    checkout.steps()
    later = (checkout.folder / ".venv/bin/signum").stat().st_mtime + 1
    os.utime(checkout.folder / "requirements-dev.lock", (later, later))
    assert "the demo" in checkout.demo()
    assert checkout.steps() == STEPS


@pytest.mark.parametrize("change", ["gone", "another version"])
def test_python_that_is_gone_or_another_one_begins_it_anew(checkout: Checkout, change: str) -> None:
    checkout.demo()
    checkout.steps()
    if change == "gone":
        (checkout.folder / ".venv/bin/python").unlink()
        (checkout.folder / ".venv/bin/python").symlink_to(checkout.folder / "nowhere")
    else:
        (checkout.folder / ".venv/packages").unlink()
    assert "the demo" in checkout.demo()
    assert checkout.steps() == STEPS


def test_python_without_venv_is_told_what_to_install_and_harms_nothing(checkout: Checkout) -> None:
    checkout.demo()
    checkout.steps()
    (checkout.folder / "no-venv").touch()
    (checkout.folder / ".venv/packages").unlink()
    make = checkout.start()
    _, err = make.communicate(timeout=30)
    assert make.returncode != 0
    assert "lacks venv: install it first (Debian, Ubuntu: apt install python3-venv)" in err
    assert "Traceback" not in err
    assert checkout.steps() == []
    assert (checkout.folder / ".venv/bin/signum").exists()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_page_names_what_debian_packs_apart(page: str) -> None:
    assert "python3-venv" in (HOUSE / page).read_text(encoding="utf-8")
