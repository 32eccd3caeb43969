"""Lets another process act as Sierra's staff, and disturb SierraDNA, by routes under `/_sandbox/dna/`.

| route | |
| --- | --- |
| `GET /_sandbox/dna` | the faults, and whether changes are held back |
| `GET /_sandbox/dna/bibs/1000001` | the bib; `PUT` edits it: `{"varFields": […]}`, in the form of an item's |
| `PUT /_sandbox/dna/links/2000001` | the numbers of the item's bibs: one (a transfer), several, `[]` (unlinked) |
| `PUT /_sandbox/dna/items` | `{"numbers": […], "changes": {…}}`: a batch job's edit, with one stamp for all |
| `DELETE /_sandbox/dna/items/2000001` | deletes the item, today |
| `PUT /_sandbox/dna/names` | `{"table": "itype", "code": 1, "name": "Kirjat"}`, or of a `material` |
| `PUT /_sandbox/dna/faults` | the faults that are on, and no others: the fields of `DnaFaults`; `DELETE`: none |
| `POST /_sandbox/dna/disconnect` | ends the login's sessions, as a restart does |
| `POST /_sandbox/dna/moment` | remembers Sierra as it is; `PUT` sets it back to that, as from a backup |
"""

import json
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from sandbox.dna import SierraDna
from sandbox.dna_faults import DnaFaults
from sandbox.http import Request
from sandbox.records import Records

_FAULTS = TypeAdapter(DnaFaults)


class DnaControl:
    """The routes, where the simulator has a SierraDNA."""

    def __init__(self, dna: SierraDna, records: Records) -> None:
        self._dna, self._records = dna, records

    def use(self, request: Request, rest: list[str]) -> Any:
        """Do as the route says. Raise LookupError, ValueError or Refused with a sentence."""
        try:
            return self._do(request, rest, json.loads(request.body) if request.body else {})
        except KeyError as missing:
            raise ValueError(f"the body lacks {missing}") from None

    def _do(self, request: Request, rest: list[str], sent: Any) -> Any:
        match request.method, rest:
            case "GET", []:
                return self._state()
            case "GET", ["bibs", number] if number in self._dna.bibs:
                return asdict(self._dna.bibs[number])
            case "PUT", ["bibs", number] if number in self._dna.bibs:
                return asdict(self._dna.edit_bib(number, sent["varFields"]))
            case "PUT", ["links", number]:
                self._link(number, sent)
            case "PUT", ["items"]:
                self._records.edit_alike(sent["numbers"], sent["changes"])
            case "DELETE", ["items", number]:
                self._dna.delete_item(number)
            case "PUT", ["names"]:
                self._dna.rename(sent["table"], sent["code"], sent["name"])
            case "PUT", ["faults"]:
                self._dna.set_faults(_FAULTS.validate_python(sent))
            case "DELETE", ["faults"]:
                self._dna.set_faults(DnaFaults())
            case "POST", ["disconnect"]:
                self._dna.disconnect()
            case "POST", ["moment"]:
                self._dna.save_moment()
            case "PUT", ["moment"]:
                self._dna.restore_moment()
            case _:
                raise LookupError(f"no such route, or no such bib: {request.method} {request.path}")
        return self._state()

    def _link(self, number: str, bib_numbers: list[str]) -> None:
        unknown = [bib for bib in bib_numbers if bib not in self._dna.bibs]
        if unknown:
            raise LookupError(f"no such bib: {', '.join(unknown)}")
        self._records.link(number, bib_numbers)

    def _state(self) -> dict[str, Any]:
        return {"faults": asdict(self._dna.faults), "bibs": len(self._dna.bibs), "held": self._dna.held}
