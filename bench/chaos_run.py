"""The jobs of one queue under one fault: when they were put in and done, and how often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Run:
    """Times are seconds since the fault began; jobs go by their item's number."""

    queue: str
    put: dict[int, float] = field(default_factory=dict)  # acknowledged
    unsure: set[int] = field(default_factory=set)  # put in without an acknowledgement
    done: dict[int, float] = field(default_factory=dict)  # the first time
    times: Counter[int] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """The jobs that were acknowledged and not done in time."""
        return len(self.put.keys() - self.done.keys())

    @property
    def twice(self) -> int:
        """The jobs that were done more than once."""
        return sum(self.times[number] > 1 for number in self.put)

    def rate(self, begin: float, end: float) -> float:
        """Jobs done a second."""
        return sum(begin <= at < end for at in self.done.values()) / (end - begin)

    def waiting(self, seconds: Sequence[float]) -> list[int]:
        """Count the jobs that had been put in and were not done, at each of these moments."""
        return [
            sum(at <= moment for at in self.put.values())
            - sum(at <= moment for number, at in self.done.items() if number in self.put)
            for moment in seconds
        ]

    def whole_after(self, fault_seconds: float) -> float:
        """Seconds from the fault's end until all that was put in before is done."""
        ends = [self.done[number] for number, at in self.put.items() if at <= fault_seconds and number in self.done]
        return max(0.0, max(ends, default=0.0) - fault_seconds)
