"""Sierra's staff in a soak: they class bibs, and edit, transfer and delete items of their own.

Their items are printed by no station, so that what becomes of them is theirs alone. Our ETL has to bring it all.
"""

import random
import threading
from collections.abc import Sequence
from typing import Any

import httpx

from sandbox.catalogue import Item, call_number_field
from sandbox.dna_bibs import class_field
from sandbox.etl import Etl
from sandbox.system import System

MOST_DELETED = 20  # more at once would be held for a person


class Staff:
    """The acts of staff at the simulator, which shows each in SierraDNA before it answers. `acts` counts them."""

    def __init__(self, system: System, items: Sequence[Item]) -> None:
        self._items, self._deleted = list(items), 0
        self._bibs = [str(item.bibs[0].number) for item in items]
        self._sierra = httpx.Client(base_url=f"{system.sierra_url}/_sandbox", timeout=10, trust_env=False)
        etl = Etl(system.api_url, system.etl_key)
        finds_transfers = "all_from_id" in etl.ask().get("accepts", ())  # by comparing all: no stamp tells them
        etl.close()
        self._choices = ["edit", "edit", "class", "delete", *["transfer"] * finds_transfers]
        self.acts = 0

    def close(self) -> None:
        """Close the connections."""
        self._sierra.close()

    def class_bib(self, item: Item, classification: str) -> None:
        """Give the item's bib that class. Its item's stamp stays."""
        self._put(f"/dna/bibs/{item.bibs[0].number}", {"varFields": [class_field(classification)]})

    def work(self, die: random.Random, stop: threading.Event) -> None:
        """Edit, transfer and delete until told to stop."""
        while not stop.wait(die.uniform(0.2, 1.5)):
            item = die.choice(self._items)
            act = die.choice(self._choices)
            if act == "edit":
                text = f"{die.randint(10, 99)}.{die.randint(1, 9)} Historia"
                self._put(f"/records/{item.number}", {"varFields": [call_number_field(text)]})
            elif act == "class":
                self.class_bib(item, f"{die.randint(10, 99)}.{die.randint(1, 9)}")
            elif act == "transfer":
                self._put(f"/dna/links/{item.number}", [die.choice(self._bibs)])
            elif self._deleted < MOST_DELETED:
                self._sierra.delete(f"/dna/items/{item.number}").raise_for_status()
                self._items.remove(item)
                self._deleted += 1
            self.acts += 1

    def _put(self, path: str, sent: Any) -> None:
        self._sierra.put(path, json=sent).raise_for_status()
