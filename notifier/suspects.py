"""Suspects: items at which Sierra seemed unwell as a whole, one of which alone may make it look so. Plain state.

A web page, a 503 or a 403 says that Sierra as a whole is unwell. But one record may provoke it at each request: then
each of its tries would stop all pushes, and cost it no attempt, without an end.
"""

MOST_REMEMBERED = 10_000


class Suspects:
    """The items that met such a fault, each with the number of writes that Sierra had taken by then."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}
        self._served = 0

    def __contains__(self, item_record_id: int) -> bool:
        """Return whether the item has met such a fault."""
        return item_record_id in self._met

    def count_write(self) -> None:
        """Count a write that Sierra took. A read does not count: Sierra may read well and refuse all writes."""
        self._served += 1

    def record_failure(self, item_record_id: int) -> bool:
        """Record one more such fault. Return whether it is the item's own: a second one, others written meanwhile."""
        served_before = self._met.pop(item_record_id, None)
        self._met[item_record_id] = self._served
        if len(self._met) > MOST_REMEMBERED:
            self._met.pop(next(iter(self._met)))
        return served_before is not None and self._served > served_before

    def forget(self, item_record_id: int) -> None:
        """Forget an item that Sierra served well."""
        self._met.pop(item_record_id, None)
