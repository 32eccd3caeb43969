"""A print station that reads barcodes or marks items at an even pace while something else is measured."""

import contextlib
import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator

from bench.ground import Api

READS_A_SECOND = 20


@contextlib.contextmanager
def asking(api: Api, method: str, path: Callable[[], str], a_second: float = READS_A_SECOND) -> Iterator[list[float]]:
    """The milliseconds of each request until the end of this context. Raise AssertionError if one is not answered."""
    spent: list[float] = []
    failures: list[str] = []
    over = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=10)
        while not over.wait(random.uniform(0, 2 / a_second)):
            began = time.perf_counter()
            try:
                connection.request(method, path(), headers={"x-api-key": api.printer_key})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
                connection.close()
                continue
            spent.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                failures.append(f"{answer.status}")
        connection.close()

    station = threading.Thread(target=ask)
    station.start()
    try:
        yield spent
    finally:
        over.set()
        station.join()
    assert not failures, f"{len(failures)} of {len(spent)} requests failed: {failures[:3]}"
