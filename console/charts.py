"""The geometry of charts, which templates draw as SVG. Pure. Every chart has its numbers in a table beside it."""

from collections.abc import Sequence
from typing import NamedTuple

GAP = 0.2  # of a column's width, between it and the next


class Bar(NamedTuple):
    """A rectangle within the chart, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


def columns(values: Sequence[int], width: float, height: float) -> list[Bar]:
    """A column for each value, side by side; the largest is as high as the chart."""
    largest = max(values, default=0) or 1
    room = width / (len(values) or 1)
    heights = [height * value / largest for value in values]
    return [
        Bar(round(place * room, 2), round(height - tall, 2), round(room * (1 - GAP), 2), round(tall, 2))
        for place, tall in enumerate(heights)
    ]


def stack(values: Sequence[int], width: float, height: float) -> list[Bar]:
    """The values' shares of their sum, one behind the other on a line."""
    total = sum(values) or 1
    begins = [sum(values[:place]) for place in range(len(values))]
    return [
        Bar(round(width * begin / total, 2), 0, round(width * value / total, 2), height)
        for begin, value in zip(begins, values, strict=True)
    ]
