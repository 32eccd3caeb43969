"""Whatever Sierra answers, in whichever order and however late: its health is the model's, and no item is lost."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifier.health import Settled, SierraHealth
from notifier.in_flight import Allowance
from notifier.sierra.errors import (
    ItemRejected,
    ItemTroubled,
    NotReached,
    SierraRefused,
    SierraSilent,
    SierraUnavailable,
)
from tests.fix_health import claimed, told
from tests.notifier.health_model import Model, Request

FAULTS: dict[str, Any] = {"busy": SierraUnavailable, "silent": SierraSilent, "no way": NotReached, "key": SierraRefused}
chances = st.sampled_from([0.0, 0.5, 1.0])
some_under_way = precondition(lambda machine: machine.requests)
none_under_way = precondition(lambda machine: not machine.requests)


class HealthMachine(RuleBasedStateMachine):
    """Reports to both, and compares what they say of them."""

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.chance = 0.0
        self.health = SierraHealth(lambda: self.model.now, lambda: self.chance)
        self.requests: list[Request] = []
        self.newest_was_last = True  # or so: the first probe is by the oldest mark

    def settle(self, settled: Settled, expected: dict[int, str]) -> None:
        """Compare, and let time go by: no two reports come at the same instant."""
        assert told(settled) == expected
        assert sum(len(getattr(one, "items", [0])) for one in settled) == len(expected), "each item once"
        self.model.now += 0.001

    def answered(self, data: st.DataObject) -> tuple[Request, Any]:
        """A request that was under way, and its item."""
        return self.take(data.draw(st.sampled_from(self.requests)))

    def take(self, request: Request) -> tuple[Request, Any]:
        """That request, no longer under way, and its item."""
        self.requests.remove(request)
        return request, claimed(request.number, request.sent_at, request.attempts, request.probe)

    def note_proof(self, sent_at: float, wrote: bool) -> dict[int, str]:
        """The items that a good answer settles as their own fault."""
        model = self.model
        if not model.proves_something(sent_at) or (model.write_is_refused() and not wrote):
            return {}
        own = model.own()
        model.add("ended", "write" if wrote else "read")
        if model.openings():
            model.add("closed")
        return own

    def note_fault(self, sent_at: float, retry_after: float | None = None, alike: str = "") -> None:
        """Begin a pause, unless the answer is to a request from before."""
        model = self.model
        if model.proves_something(sent_at):
            model.add("opened", alike, model.now + model.pause_seconds(self.chance, retry_after))
        elif not alike:
            model.add("longer", until=model.now + (retry_after or 0.0))

    def give_back_kept(self) -> dict[int, str]:
        """The ends of the items whose fault was not known: they are not to blame."""
        kept = {event.request.number: event.request.given_back for event in self.model.kept() if event.request}
        self.model.add("ended", "given back")
        return kept

    @rule(data=st.data(), count=st.integers(1, 6), attempts=st.integers(1, 2))
    def claim(self, data: st.DataObject, count: int, attempts: int) -> None:
        has_probe = any(request.probe for request in self.requests)
        has_probe |= any(event.request.probe for event in self.model.kept() if event.request)
        allowance = self.health.allowance(has_probe)
        match self.model.state():
            case "closed":
                assert allowance == Allowance(None)
                self.newest_was_last = False
            case "open":
                assert allowance.limit == 0
            case _ if has_probe:
                assert allowance.limit == 0, "one probe at a time"
            case state:
                newest = state == "sampling" or not self.newest_was_last
                assert allowance == Allowance(3 if state == "sampling" else 1, newest, read_alone=True)
                self.newest_was_last = newest
        held = {*(request.number for request in self.requests), *self.model.own()}
        free = [number for number in range(1, 13) if number not in held]
        for number in free[: count if allowance.limit is None else allowance.limit]:
            self.requests.append(Request(number, attempts, allowance.read_alone, self.model.now))
        self.model.now += 0.001

    @some_under_way
    @rule(data=st.data(), wrote=st.booleans())
    def succeed(self, data: st.DataObject, wrote: bool) -> None:
        request, item = self.answered(data)
        self.model.add("written", request=request)
        self.settle(self.health.succeeded(item, wrote), self.note_proof(request.sent_at, wrote))

    @some_under_way
    @rule(data=st.data(), writing=st.booleans())
    def item_is_gone(self, data: st.DataObject, writing: bool) -> None:
        request, item = self.answered(data)
        expected = self.note_proof(request.sent_at, wrote=False) | {request.number: "rejected"}
        self.settle(self.health.failed(item, ItemRejected("absent", "gone"), writing), expected)

    @some_under_way
    @rule(data=st.data())
    def item_is_in_use(self, data: st.DataObject) -> None:
        request, item = self.answered(data)
        error = ItemTroubled("in_use", "in use", shows_sierra_well=False)
        self.settle(self.health.failed(item, error, writing=True), {request.number: "postponed"})

    @some_under_way
    @rule(data=st.data(), kind=st.sampled_from(["400", "400", "400", "500", "silence"]), writing=st.booleans())
    def one_fails_ambiguously(self, data: st.DataObject, kind: str, writing: bool) -> None:
        self.fail(*self.answered(data), kind, writing)

    @some_under_way
    @rule(kind=st.sampled_from(["400", "500"]), writing=st.booleans())
    def all_fail_alike(self, kind: str, writing: bool) -> None:
        for request in [*self.requests]:
            self.fail(*self.take(request), kind, writing)

    def fail(self, request: Request, item: Any, kind: str, writing: bool) -> None:
        """Report an ambiguous failure."""
        model, expected = self.model, {}
        if model.opened_by() == kind:
            self.note_fault(request.sent_at, alike=kind)
            expected = {request.number: request.given_back}
        else:
            if any(event.kind != kind for event in model.failures("ended")):
                expected = model.own()
                model.add("ended", "given back")
            if writing:
                model.add("write refused")
            model.add("failed", kind, request=request)
        error = (ItemRejected if kind == "400" else ItemTroubled)("refused", "Sierra refused it", ambiguous=kind)
        self.settle(self.health.failed(item, error, writing), expected)

    @some_under_way
    @rule(
        data=st.data(),
        kind=st.sampled_from(sorted(FAULTS)),
        retry_after=st.sampled_from([None, None, None, 0.0, 7.0, 90.0]),
        writing=st.booleans(),
        chance=chances,
        alone=st.booleans(),
    )
    def sierra_is_unwell(
        self, data: st.DataObject, kind: str, retry_after: float | None, writing: bool, chance: float, alone: bool
    ) -> None:
        self.chance, (request, item) = chance, self.answered(data)
        fault = FAULTS[kind](kind)
        fault.retry_after = retry_after
        chunk = [] if alone else [other for other in self.requests if other.sent_at == request.sent_at]
        is_to_blame = False
        if kind != "no way":
            is_to_blame = not chunk and self.model.is_to_blame(request.number)
            if is_to_blame:
                self.model.add("blamed")
            for met in (request, *chunk):
                self.model.add("unwell", request=met)
        items = [item]
        for other in chunk:
            self.requests.remove(other)
            items.append(claimed(other.number, other.sent_at, other.attempts, other.probe))
        expected = {one.number: one.given_back for one in (request, *chunk)}
        if is_to_blame:
            expected = {request.number: "postponed"}
        if retry_after or not is_to_blame:
            if writing and kind == "key":
                self.model.add("write refused")
            self.note_fault(request.sent_at, retry_after)
            expected |= self.give_back_kept()
        self.settle(self.health.unavailable(items, fault, writing), expected)

    @rule(chance=chances)
    def token_is_refused(self, chance: float) -> None:
        self.chance = chance
        self.note_fault(self.model.now)
        self.settle(self.health.unavailable([], SierraRefused("token"), writing=False), self.give_back_kept())

    @rule()
    def token_is_given(self) -> None:
        if str(self.health.fault) == "token":
            self.model.add("closed")
        self.health.recovered(SierraRefused("token"))

    @rule()
    def mark(self) -> None:
        if self.model.opened_by():
            self.model.add("marked", until=self.model.now)
            self.newest_was_last = False
        self.health.new_mark()
        self.model.now += 0.001

    @none_under_way
    @rule(chance=chances)
    def no_answers_to_come(self, chance: float) -> None:
        self.chance, model = chance, self.model
        kept = [(event.request, event.kind) for event in model.kept() if event.request]
        if kept and len(model.row()) >= 5:
            self.note_fault(model.now, alike=kept[0][1])
            expected = self.give_back_kept()
        else:
            expected = {
                request.number: "rejected" if kind == "400" and request.attempts > 1 else "postponed"
                for request, kind in kept
            }
            model.add("few")
        self.settle(self.health.no_answers_to_come(), expected)

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0, 100.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.model.now += seconds

    @precondition(lambda machine: machine.model.state() == "open")
    @rule()
    def pause_goes_by(self) -> None:
        self.model.now = self.model.ends_at()

    @invariant()
    def state_is_the_models(self) -> None:
        assert self.health.state == self.model.state()
        left = self.model.ends_at() - self.model.now if self.model.state() == "open" else 0.0
        assert abs(self.health.seconds_left - left) < 1e-6


TestHealthMachine = HealthMachine.TestCase
TestHealthMachine.settings = settings(max_examples=150, stateful_step_count=60)
