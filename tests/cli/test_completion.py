"""The shell completes what is typed behind `signum`."""

import os
import subprocess
import sys

from tests.fix_signum import Signum


def ask(**given: str) -> str:
    """The completions that the shell's script gets."""
    command = [sys.executable, "-c", "from cli.main import run; run()"]
    done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_and_options_are_completed() -> None:
    typed = {"COMP_WORDS": "signum queue re", "COMP_CWORD": "2"}
    assert ask(_SIGNUM_COMPLETE="complete_bash", **typed).split() == ["retry", "resume"]
    typed = {"COMP_WORDS": "signum queue list --sta", "COMP_CWORD": "3"}
    assert ask(_SIGNUM_COMPLETE="complete_bash", **typed).split() == ["--state"]


def test_its_script_is_given_for_each_shell() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_SIGNUM_COMPLETE" in ask(_SIGNUM_COMPLETE=f"source_{shell}")


def test_it_can_be_installed(signum_process: Signum) -> None:
    assert "--install-completion" in signum_process("--help", settings={}).out
