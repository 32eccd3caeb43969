"""Where no connection to Sierra can be made: whose fault that is, and never an item's."""

import errno
import socket

import pytest

from notifier.errors import NotReached
from notifier.sierra import Access, SierraClient
from notifier.unreached import fault_of
from tests.notifier.test_wire import TOKEN, answering


def wrapped(*errors: OSError) -> Exception:
    """As anyio and httpcore hand it on; several: of a name with several addresses."""
    try:
        try:
            raise OSError("All connection attempts failed") from (
                errors[0] if len(errors) == 1 else ExceptionGroup("multiple connection attempts failed", errors)
            )
        except OSError as error:
            raise RuntimeError(error) from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL])
def test_what_this_machine_lacks_is_ours(number: int) -> None:
    for error in wrapped(OSError(number, "x")), wrapped(ConnectionRefusedError(111, "x"), OSError(number, "x")):
        fault = fault_of(error, "")
        assert fault.waits_for == "person"
        assert "not Sierra, but this machine" in str(fault)


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNRESET])
def test_what_may_be_sierras_or_the_networks_is_waited_for(number: int) -> None:
    fault = fault_of(wrapped(OSError(number, "x")), "ConnectError x")
    assert (fault.waits_for, str(fault)) == ("answer", "Sierra does not answer: ConnectError x")


def test_a_name_that_is_not_known_needs_a_person_and_a_resolver_that_is_away_is_waited_for() -> None:
    assert fault_of(wrapped(socket.gaierror(socket.EAI_NONAME, "x")), "").waits_for == "person"
    assert fault_of(wrapped(socket.gaierror(socket.EAI_AGAIN, "x")), "").waits_for == "answer"


async def test_a_certificate_that_is_not_trusted_names_the_setting() -> None:
    async with answering(TOKEN, scheme="https") as trusting:
        endpoint = trusting._access.endpoint
        async with SierraClient(Access(endpoint, "k", "s", retries=0)) as client:
            with pytest.raises(NotReached, match=r"is not trusted: self.signed .*SIERRA_API_CA_BUNDLE") as told:
                await client.token.get()
    assert told.value.waits_for == "person"
