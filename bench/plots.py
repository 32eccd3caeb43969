"""Draws the pictures of docs/performance.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
PREDECESSOR_MS = {"predecessor, 1 s / 20": 480.0, "predecessor, its defaults": 14_500.0}  # p50


def plot_dispatch(ours: Sequence[float], floor: Sequence[float]) -> None:
    """Draw histograms of both, on a logarithmic axis with the predecessor's medians."""
    figure, axes = _picture("dispatch: from the answer of PUT /itemdata to Sierra's PUT", "milliseconds", "marks")
    bins = [10 ** (step / 40) for step in range(-20, 190)]
    axes.hist(floor, bins, label="floor", color="tab:gray", alpha=0.7)
    axes.hist(ours, bins, label="signum", color="tab:blue", alpha=0.7)
    for (name, at), style in zip(PREDECESSOR_MS.items(), ("--", ":"), strict=True):
        axes.axvline(at, color="tab:red", linestyle=style, label=f"{name}, p50 (measured elsewhere)")
    axes.set_xscale("log")
    _save(figure, axes, "dispatch")


def plot_drain(ours: Mapping[int, float], ideal: Mapping[int, float], latency_ms: float) -> None:
    """Draw items a second by pool size."""
    figure, axes = _picture(f"drain, Sierra at {latency_ms:.0f} ms", "SIERRA_API_CLIENT_POOL_SIZE", "items/s")
    axes.plot(list(ideal), list(ideal.values()), "--", color="tab:gray", label="ideal, at the latency Sierra gave")
    axes.plot(list(ours), list(ours.values()), "o-", color="tab:blue", label="signum")
    axes.axhline(17.3, color="tab:red", linestyle=":", label="predecessor (measured elsewhere)")
    _save(figure, axes, "drain")


def plot_size(claims_ms: Mapping[int, float], marks_ms: Mapping[int, float]) -> None:
    """Draw the cost by number of items."""
    figure, axes = _picture(
        "cost against size: of 10,000 items 100 are queued, of more a fifth", "items", "milliseconds, p50"
    )
    axes.plot(list(claims_ms), list(claims_ms.values()), "o-", label="claim of 4")
    axes.plot(list(marks_ms), list(marks_ms.values()), "s-", label="mark")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    _save(figure, axes, "size")


def plot_history(finished: Sequence[int], dead_rows: Sequence[int], megabytes: Sequence[float]) -> None:
    """Draw dead rows and size of the queue's table, by updates finished."""
    figure, axes = _picture("update_queue over finished updates, autovacuum as set", "updates finished", "dead rows")
    axes.plot(finished, dead_rows, color="tab:orange", label="dead rows")
    size = axes.twinx()
    size.plot(finished, megabytes, color="tab:blue", label="size, MiB (right)")
    size.set_ylim(bottom=0)
    _save(figure, axes, "history")


def plot_chaos(waiting: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[int]]]]) -> None:
    """Draw how many jobs wait, by fault and queue: seconds since the fault began, and jobs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), dpi=110, layout="constrained")
    for axes, (fault, queues) in zip(figure.subplots(2, 3).flat, waiting.items(), strict=True):
        axes.set_xmargin(0)
        for (name, (seconds, jobs)), style in zip(queues.items(), ("-", "--", ":"), strict=True):
            axes.plot(seconds, jobs, style, label=name)
        axes.set(title=fault, xlabel="seconds since the fault began", ylabel="jobs that wait")
        axes.title.set_fontsize("medium")
        axes.grid(alpha=0.3)
        axes.set_xlim(right=find_chaos_end(queues))
        axes.set_ylim(0, max(10.0, axes.get_ylim()[1]))  # a job or two wait at any time: that must not fill the picture
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(DOCS / "performance-chaos.png")


def find_chaos_end(queues: Mapping[str, tuple[Sequence[float], Sequence[int]]]) -> float:
    """Return the second at which a fault's picture ends: 5 after the last at which any queue had a job waiting."""
    waits = [at for seconds, jobs in queues.values() for at, waiting in zip(seconds, jobs, strict=True) if waiting]
    return max(waits, default=0.0) + 5


def _picture(title: str, x: str, y: str) -> tuple[Any, Any]:
    # Only where a picture is wanted: the tests measure without one, and without the package.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def _save(figure: Any, axes: Any, name: str) -> None:
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=2)  # within the axes it covers data
    figure.savefig(DOCS / f"performance-{name}.png")
