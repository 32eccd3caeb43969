"""The faults of the wires between a soak's processes, PostgreSQL and Sierra."""

import random
import time

from bench.soak_servers import ServerFaults
from sandbox.system import System
from sandbox.wire import Wire

ARRIVES_SECONDS = 0.1  # what had passed a wire before it fell silent arrives within that


class WireFaults(ServerFaults):
    """The faults of the wires, by the names of the methods. `silenced_ns`: when that to Sierra had fallen silent."""

    def __init__(self, system: System, die: random.Random) -> None:
        super().__init__(system, die)
        self.silenced_ns: list[int] = []

    def cut_wires(self) -> None:
        """End each connection between the processes, PostgreSQL and Sierra, by FIN or RST."""
        for wire in self._wires():
            self._die.choice([wire.cut, wire.reset])()

    def silence_notifiers(self) -> None:
        """Silence their connections to PostgreSQL, the listening ones too, or those to Sierra."""
        *_, to_postgres, to_sierra = self._wires()
        wire = self._die.choice([to_postgres, to_sierra])
        wire.fall_silent()
        if wire is to_sierra:
            time.sleep(ARRIVES_SECONDS)
            self.silenced_ns.append(time.monotonic_ns())

    def silence_api(self) -> None:
        """Silence it for as long as a print station waits; then reset its connections: a batch would wait its 110 s."""
        of_the_api, *_ = self._wires()
        of_the_api.fall_silent()
        self.rest(0.5, 5)
        of_the_api.reset()

    def delay_wires(self) -> None:
        """Delay all traffic, for up to two seconds."""
        for wire in self._wires():
            wire.delay(self._die.uniform(0.01, 0.1))
        self.rest(0.5, 2)
        for wire in self._wires():
            wire.heal()

    def _wires(self) -> tuple[Wire, ...]:
        wires = self._system.wires
        return (wires.of_the_api, wires.of_the_notifiers, wires.to_sierra) if wires else ()
