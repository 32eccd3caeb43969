"""`python -m sandbox` as a person runs it: it shows the whole way, and leaves nothing however it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

HOUSE = Path(__file__).parents[2]
FOREIGN = {
    "DB_HOST": "database.library.example",
    "DB_NAME": "the_real_one",
    "PGHOST": "database.library.example",
    "SENTRY_DSN": "https://key@sentry.example/1",
    "SIERRA_API_ENDPOINT": "https://sierra.library.example/iii/sierra-api/v6",
    "SIERRA_UPDATE_DRY_RUN": "true",
}
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files that PostgreSQL's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="signum-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def start(temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--items", "22", *arguments],
        cwd=HOUSE,
        env={**os.environ, **FOREIGN, "TMPDIR": str(temporary), "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [below for child in children for below in descendants(child)]


def runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def read_until_it_stays(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout
    text = ""
    while "Ctrl-C ends" not in text:
        line = demo.stdout.readline()
        assert line, f"it ended: {text}"
        text += line
    return text


def wait_until_gone(processes: list[int], temporary: Path) -> None:
    give_up_at = time.monotonic() + 30
    while (any(map(runs, processes)) or list(temporary.iterdir())) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert [pid for pid in processes if runs(pid)] == []
    assert list(temporary.iterdir()) == []


def test_once_shows_the_whole_way_whatever_the_caller_has_in_his_environment(temporary: Path) -> None:
    demo = start(temporary, "--once")
    out, err = demo.communicate(timeout=110)
    assert demo.returncode == 0, err
    assert out.count("\n") == 1
    result = json.loads(out)
    assert {**result, "dispatch_ms": 0, "seen_back_ms": 0} == {
        "items_loaded": 22,
        "call_number_before": "84.2 Jännitys",
        "call_number_after": "84.31 Jännitys",
        "dispatch_ms": 0,
        "seen_back_ms": 0,
        "ok": True,
    }
    assert 0 <= result["dispatch_ms"] < 5000, "sooner than by a sweep"
    assert result["dispatch_ms"] < result["seen_back_ms"] < 30_000, "our ETL brought it back"
    assert list(temporary.iterdir()) == []


def test_without_sierradna_nothing_comes_back_and_the_deployed_etl_loads(temporary: Path) -> None:
    demo = start(temporary, "--once", "--without-dna")
    out, err = demo.communicate(timeout=110)
    assert demo.returncode == 0, err
    result = json.loads(out)
    assert (result["items_loaded"], result["seen_back_ms"], result["ok"]) == (22, None, True)


def test_a_catalogue_that_sierradna_would_take_minutes_to_load_is_refused_with_a_way_out(temporary: Path) -> None:
    demo = start(temporary, "--once", "--items", "100001")
    _, err = demo.communicate(timeout=60)
    assert (demo.returncode, "add --without-dna" in err) == (2, True)


@pytest.mark.long
@needs_proc
def test_it_stays_with_addresses_that_answer_until_ctrl_c_and_leaves_nothing(temporary: Path) -> None:
    demo = start(temporary)
    text = read_until_it_stays(demo)
    key, url = re.findall(r"curl -H 'x-api-key: (\S+)' (\S+/itemdata/\d+)\n", text)[0]
    assert httpx.get(url, headers={"x-api-key": key}, trust_env=False).json()["classification"]
    console, entry = re.findall(r"The console, .+ sign in with\n\s*(http://\S+)\n\s*(sig_\S+)\n", text)[0]
    with httpx.Client(base_url=console, trust_env=False) as browser:
        token = re.findall(r'name="form_token" value="(\w+)"', browser.get("/sign-in").text)[0]
        fields = {"form_token": token, "key": entry}
        assert browser.post("/sign-in", data=fields, headers={"Origin": console}).headers["location"] == "/"
        assert browser.get("/").status_code == 200
    line, settings_file = re.findall(r"(env -i SETTINGS_FILE=(\S+) \S+ queue status)\n", text)[0]
    status = subprocess.run(line, shell=True, env=FOREIGN, capture_output=True, text=True, timeout=30)
    assert (status.returncode, "listening" in status.stdout) == (0, True), status.stderr
    assert Path(settings_file).stat().st_mode & 0o777 == 0o600
    processes = descendants(demo.pid)
    assert len(processes) > 5
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes]
    assert sum(b"cli.main\0etl" in command for command in commands) == 1
    steps = [line.split("│")[1].split(":")[0].strip() for line in text.splitlines() if line.count("│") == 4]
    assert steps[-4:] == ["printed", "pushed", "shown", "brought back"]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    wait_until_gone(processes, temporary)


@pytest.mark.long
@needs_proc
def test_killed_it_leaves_nothing_either(temporary: Path) -> None:
    demo = start(temporary)
    read_until_it_stays(demo)
    processes = descendants(demo.pid)
    demo.kill()
    demo.wait(10)
    wait_until_gone(processes, temporary)


@pytest.mark.long
@needs_proc
def test_a_process_that_ends_ends_the_demo_with_its_last_words(temporary: Path) -> None:
    demo = start(temporary)
    read_until_it_stays(demo)
    notifier = next(pid for pid in descendants(demo.pid) if b"notifier" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(notifier, signal.SIGKILL)
    out, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "notifier ended with -9" in out
    assert list(temporary.iterdir()) == []
