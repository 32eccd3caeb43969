"""Is Sierra unwell as a whole, or does one item make it look so? Plain state.

A web page, a 503 or a 403 says that Sierra as a whole is unwell. But one record may provoke it each time it is asked
for: then pushing would stop at each of its tries, and it would never come to an end.
"""

BLAMED_AFTER = 2
MOST_REMEMBERED = 10_000


class Suspects:
    """The items that met such a fault, and whether Sierra has taken others' writes since."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[int, int]] = {}
        self._served = 0

    def __contains__(self, item_record_id: int) -> bool:
        """Whether it has met one."""
        return item_record_id in self._met

    def served_well(self) -> None:
        """Sierra took a write. That it reads well says nothing: it may refuse all writes, no item's fault."""
        self._served += 1

    def record_failure(self, item_record_id: int) -> bool:
        """Note that it met one more. Whether it is the item's fault: it met one before, and others fared well since."""
        times, served = self._met.pop(item_record_id, (0, -1))
        fared_well = self._served > served
        self._met[item_record_id] = (times + fared_well, self._served)
        if len(self._met) > MOST_REMEMBERED:
            self._met.pop(next(iter(self._met)))
        return fared_well and times + 1 >= BLAMED_AFTER

    def clear(self, item_record_id: int) -> None:
        """It was served well itself."""
        self._met.pop(item_record_id, None)
