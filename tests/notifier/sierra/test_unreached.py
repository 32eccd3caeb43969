"""A connection that could not be made is Sierra's fault or ours, and never an item's."""

import errno
import socket

import pytest

from notifier.sierra.client import Access, SierraClient
from notifier.sierra.connections import Silent, Unconnected
from notifier.sierra.errors import NotReached
from notifier.sierra.unreached import fault_of
from tests.notifier.sierra.test_http_body import TOKEN, answering


def wrapped(*errors: OSError, by: type[Silent] = Unconnected) -> Silent:
    """As anyio and the connections hand it on; several: of a name with several addresses."""
    outer, middle = by("ConnectError x"), OSError("All connection attempts failed")
    outer.__cause__ = middle
    middle.__cause__ = errors[0] if len(errors) == 1 else ExceptionGroup("multiple attempts failed", errors)
    return outer


def waits_for(error: Silent) -> str:
    fault = fault_of(error)
    assert fault is not None
    return fault.waits_for


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL])
def test_what_this_machine_lacks_is_ours(number: int) -> None:
    one = OSError(number, "x")
    for error in wrapped(one), wrapped(one, one), wrapped(one, by=Silent):
        assert waits_for(error) == "person"
        assert "not Sierra, but this machine" in str(fault_of(error))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_what_this_machine_lacks_is_ours_though_one_address_was_tried(number: int) -> None:
    assert waits_for(wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "x"), OSError(number, "x"))) == "person"


def test_a_machine_without_ipv6_is_not_at_its_limit() -> None:
    by_ipv6, by_ipv4 = OSError(errno.EADDRNOTAVAIL, "x"), ConnectionRefusedError(errno.ECONNREFUSED, "x")
    assert waits_for(wrapped(by_ipv6, by_ipv4)) == "answer"


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNRESET])
def test_what_may_be_sierras_or_the_networks_is_waited_for(number: int) -> None:
    error = wrapped(OSError(number, "x"))
    assert (waits_for(error), str(fault_of(error))) == ("answer", "Sierra does not answer: ConnectError x")
    assert fault_of(wrapped(OSError(number, "x"), by=Silent)) is None, "it may have been sent"


def test_a_name_that_is_not_known_needs_a_person_and_a_resolver_that_is_away_is_waited_for() -> None:
    assert waits_for(wrapped(socket.gaierror(socket.EAI_NONAME, "x"))) == "person"
    assert waits_for(wrapped(socket.gaierror(socket.EAI_AGAIN, "x"))) == "answer"


async def test_a_certificate_that_is_not_trusted_names_the_setting() -> None:
    async with answering(TOKEN, scheme="https") as trusting:
        endpoint = trusting._access.endpoint
        async with SierraClient(Access(endpoint, "k", "s", retries=0)) as client:
            with pytest.raises(NotReached, match=r"is not trusted: self.signed .*SIERRA_API_CA_BUNDLE") as told:
                await client.token.get()
    assert told.value.waits_for == "person"
