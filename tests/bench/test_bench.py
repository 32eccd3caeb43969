"""The measurement itself: every row can be measured, and the page keeps its prose. Not how fast: that is noise."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import httpx_alone, page
from bench.__main__ import ALONE, NEEDS, ROWS, main
from bench.chaos_run import Run
from bench.drain import drain, seen_by
from bench.figures import Figure, quantile, table, times
from bench.ground import prepare_ground
from bench.plots import find_chaos_end

NS = 1_000_000
HOUSE = Path(__file__).parents[2]
WITHOUT = """
import runpy, sys
sys.modules |= dict.fromkeys(("matplotlib", "pgqueuer", "procrastinate"))  # as if they were not installed
sys.argv[0] = "bench"
runpy.run_module("bench", run_name="__main__")
"""


@pytest.mark.long
def test_drain_of_items_that_httpx_alone_has_set_back_proves_no_write_by_another_read() -> None:
    with prepare_ground(10_000) as ground, ground.start_sierra() as sierra:
        items = ground.items[:20]
        for _ in range(2):
            httpx_alone.items_per_second(sierra, items, 4)
            assert drain(ground, sierra, items, 4).requests_per_item == 1.25


@pytest.mark.long
@pytest.mark.parametrize("row", ["requests", "queues", "ingest", "etl", "history", "growth", "memory", "size", "chaos"])
def test_a_row_is_measured_in_seconds(row: str) -> None:
    figures = importlib.import_module(f"bench.{row}").measure(quick=True)
    assert figures
    assert all(figure.ours for figure in figures)


def test_every_row_is_a_module_that_measures() -> None:
    for row in (*ROWS, *ALONE):
        assert callable(importlib.import_module(f"bench.{row}").measure)


def test_items_are_for_the_etl_and_minutes_for_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, dict[str, float]] = {}
    for row in ("growth", "etl", "memory"):

        def measure(quick: bool, row: str = row, **amounts: float) -> list[Figure]:
            asked[row] = amounts
            return []

        monkeypatch.setattr(f"bench.{row}.measure", measure)
    monkeypatch.setattr(sys, "argv", ["bench", "growth", "etl", "memory", "--minutes", "60", "--items", "7"])
    main()
    assert asked == {"growth": {}, "etl": {"items": 7}, "memory": {"minutes": 60.0}}


@pytest.mark.parametrize(
    ("arguments", "lacking"),
    [
        (["drain"], "matplotlib"),
        (["growth", "history"], "matplotlib"),
        (["queues"], "pgqueuer, procrastinate"),
        (["chaos"], "matplotlib, pgqueuer, procrastinate"),
        ([], "matplotlib, pgqueuer, procrastinate"),
    ],
)
def test_row_that_lacks_a_package_says_what_installs_it_before_it_measures(arguments: list[str], lacking: str) -> None:
    command = [sys.executable, "-c", WITHOUT, *arguments]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"not measured: {lacking} must be installed first: "
        f"{sys.executable} -m pip install --require-hashes -r requirements-bench.lock\n"
    )


def test_each_row_that_draws_or_measures_peers_says_what_it_needs() -> None:
    def needs(row: str) -> tuple[str, ...]:
        source = (HOUSE / "bench" / f"{row}.py").read_text(encoding="utf-8")
        measures_peers = re.search(r"import drain_pgqueuer, drain_procrastinate|from bench.chaos_queues", source)
        draws = ("matplotlib",) if "from bench.plots" in source else ()
        return (*draws, *(("pgqueuer", "procrastinate") if measures_peers else ()))

    assert {row: needs(row) for row in (*ROWS, *ALONE) if needs(row)} == NEEDS


def test_chaos_tells_jobs_that_were_lost_from_those_done_twice_and_those_never_acknowledged() -> None:
    run = Run("queue", put={1: -5.0, 2: 1.0, 3: 29.0}, unsure={4}, done={1: -4.0, 2: 33.0})
    run.times.update({1: 1, 2: 2, 4: 2})
    assert (run.lost, run.twice) == (1, 1)
    assert run.rate(-10, 0) == 0.1
    assert run.waiting([0, 2, 40]) == [0, 1, 1]
    assert run.whole_after(30) == 3.0


def test_a_faults_picture_ends_shortly_after_the_last_wait_of_any_queue() -> None:
    moments = [-10.0, 0.0, 20.0, 40.0, 200.0]
    assert find_chaos_end({"signum": (moments, [1, 9, 0, 0, 0]), "peer": (moments, [0, 9, 1, 1, 0])}) == 45
    assert find_chaos_end({"signum": (moments, [1, 9, 9, 9, 1])}) == 205
    assert find_chaos_end({"signum": (moments, [0, 0, 0, 0, 0])}) == 5


def test_a_missed_goal_is_said() -> None:
    figure = Figure("drain", "1 item/s", "ideal 2 items/s", "50 %", "≥ 85 %", reached=False)
    assert "| **missed** |" in table([figure])


def test_of_few_values_the_quantile_is_one_of_them() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_what_took_less_than_a_step_of_its_clock_is_no_measure() -> None:
    assert (times(7.2, 1), times(0, 2, 2)) == ("7.2 x", "0.00 x")
    assert times(0.2, 0.0) == "not told: too short"


def test_a_drain_is_told_by_what_sierra_saw() -> None:
    def entry(kind: str, numbers: list[str], arrived: int, ended: int) -> dict[str, object]:
        put = kind == "put_item"
        return {
            "kind": kind,
            "item_numbers": numbers,
            "patch": {"varFields": []} if put else None,
            "status": 204 if put else 200,
            "arrived_ns": arrived * NS,
            "ended_ns": ended * NS,
        }

    drained = seen_by(
        [
            entry("token", [], 0, 1),
            entry("get_items", ["1", "2"], 10, 20),
            entry("put_item", ["1"], 20, 30),
            entry("put_item", ["2"], 520, 530),
        ]
    )
    assert drained.per_second == 2.0
    assert drained.requests_per_item == 1.5
    assert drained.latency_ms == 10.0
    assert drained.longest_wait_ms == 500.0
    assert drained.ideal(4) == 320.0


def test_measuring_again_keeps_the_prose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "performance.md"
    written.write_text(f"# Before\n{page.BEGIN}\nold\n{page.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", written)
    monkeypatch.setattr(page, "surroundings", lambda seconds: "here and now")
    page.write_page([Figure("drain", "1", "2", "50 %")], 60)
    page.write_page([Figure("drain", "3", "4", "75 %")], 60)
    text = written.read_text(encoding="utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith(f"{page.END}\nafter\n")
    assert "75 %" in text
    assert "50 %" not in text
