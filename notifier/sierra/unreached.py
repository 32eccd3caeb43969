"""The reasons why no connection to Sierra could be made; some are on our side and need a person. Pure."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Sequence

from notifier.sierra.connections import Unconnected
from notifier.sierra.errors import NotReached

WHAT_WE_LACK = {
    errno.EMFILE: "raise this process's limit of open files (ulimit -n)",
    errno.ENFILE: "raise this machine's limit of open files (fs.file-max)",
    errno.EADDRNOTAVAIL: "see what uses up this machine's local ports",
    errno.ENOBUFS: "see what uses up this machine's memory",
    errno.ENOMEM: "see what uses up this machine's memory",
}


def fault_of(error: BaseException) -> NotReached | None:
    """The fault that kept a request from being sent. None where it may have been sent."""
    for cause in _causes(error):
        match cause:
            case OSError(errno=number) if number in WHAT_WE_LACK:
                lack = f"{os.strerror(number)}, {WHAT_WE_LACK[number]}"
                return NotReached(f"not Sierra, but this machine is at its limit: {lack}", waits_for="person")
            case ssl.SSLCertVerificationError():
                why = f"{cause.verify_message}. Check SIERRA_API_CA_BUNDLE and SIERRA_API_ENDPOINT"
                return NotReached(f"Sierra's certificate is not trusted: {why}", waits_for="person")
            case socket.gaierror(errno=socket.EAI_NONAME):
                return NotReached("Sierra's host name is not known. Check SIERRA_API_ENDPOINT", waits_for="person")
    return NotReached(f"Sierra does not answer: {error}") if isinstance(error, Unconnected) else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, for httpx, httpcore and anyio each wrap the one below."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in _telling(error.exceptions):
                yield from _causes(one)
        error = error.__cause__ or error.__context__


def _telling(attempts: Sequence[BaseException]) -> Sequence[BaseException]:
    """The attempts at a name's addresses that say why it is not reached.

    A machine that has no IPv6, as most containers, has no address of its own for one either: EADDRNOTAVAIL again, and
    only where each attempt ended so is it for want of local ports.
    """
    told = [one for one in attempts if not (isinstance(one, OSError) and one.errno == errno.EADDRNOTAVAIL)]
    return told or attempts
