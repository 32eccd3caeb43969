"""Figures: a measurement beside its measure, a floor or a peer of the same run."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `reached` is None where there is no goal."""

    what: str
    ours: str
    beside: str
    share: str
    goal: str = ""
    reached: bool | None = None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The median."""
    return quantile(values, 0.5)


def p50_p99(milliseconds: Sequence[float]) -> str:
    """The median and the 99th percentile as text."""
    return f"p50 {median(milliseconds):.1f} ms, p99 {quantile(milliseconds, 0.99):.1f} ms"


def percent(share: float) -> str:
    """A share as text: 0.493 as 49 %."""
    return f"{share * 100:.0f} %"


def times(here: float, beside: float, digits: int = 1) -> str:
    """A multiple of what is beside it, as text: 7.2 x. What took less than a step of its clock can't be a measure."""
    return f"{here / beside:.{digits}f} x" if beside else "not told: too short"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| What | Here | Beside it, same run | Share | Goal | |", "| --- | --- | --- | --- | --- | --- |"]
    for figure in figures:
        mark = {None: "", True: "reached", False: "**missed**"}[figure.reached]
        cells = (figure.what, figure.ours, figure.beside, figure.share, figure.goal, mark)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
