"""The client of Sierra's REST API: one per process, one token for all requests, each with a total deadline.

Errors of the wire and of HTTP are translated here, once, to those of notifier/sierra/errors.py.
"""

import asyncio
import base64
import re
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from notifier.sierra.connections import Connections, Silent, Unconnected
from notifier.sierra.errors import (
    ItemError,
    ItemRejected,
    ItemTroubled,
    ListFailed,
    NeedsPerson,
    SierraRefused,
    SierraSilent,
    SierraUnavailable,
)
from notifier.sierra.records import Record
from notifier.sierra.responses import (
    RECORD_NOT_FOUND,
    Deleted,
    NotARecord,
    Response,
    describe,
    error_code,
    error_of,
    of_a_list,
    read_record,
    read_records,
    unreadable,
    unwrap,
)
from notifier.sierra.sendings import Sendings
from notifier.sierra.token import Token
from notifier.sierra.unreached import fault_of

REPEAT_PAUSE_SECONDS = 0.1
SILENCE = "silence"
NOT_WELL = (429, 502, 503, 504)  # these don't show that Sierra would have answered other requests
ITEM_FIELDS = "id,fixedFields,varFields"
HEADER_SAFE = re.compile(r"[!-~]{1,8192}")
NO_TOKEN = "Sierra's token endpoint answered something that is no token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Access:
    """The address of Sierra's API, our key there, and limits for requests."""

    endpoint: str
    key: str
    secret: str
    pool_size: int = 4
    timeout_seconds: float = 10.0
    retries: int = 3
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The roles of our key at Sierra, and the seconds left of its token."""

    roles: tuple[str, ...]
    seconds_left: int


class SierraClient:
    """Reads and writes items. Use as `async with`; tasks may share it.

    A request without a response is Sierra's fault (SierraUnavailable), unless Sierra answered another request since it
    was sent: then it is this item's (ItemTroubled). If no other was answered, the client asks Sierra about our token.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._connections = Connections(access.endpoint, access.pool_size, access.ca_bundle)
        self.token = Token(self._fetch_token)
        self.last_response_at = -1.0
        self._token_question: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.token.aclose()
        if self._token_question is not None:
            self._token_question.cancel()
            await asyncio.gather(self._token_question, return_exceptions=True)
        await self._connections.aclose()

    async def read_items(self, numbers: Collection[str]) -> dict[str, Record | Deleted]:
        """The items that Sierra shows, by number. Raise ListFailed where only asking for each can tell."""
        query = {"id": ",".join(numbers), "limit": str(len(numbers)), "fields": ITEM_FIELDS}
        what = f"the list of items {query['id']}"
        try:
            response = await self._call("GET", "items", what, params=query)
        except ItemError as error:
            raise ListFailed(str(error)) from error
        if response.status == 404 and error_code(response) == RECORD_NOT_FOUND:
            return {}
        if response.status != 200 or response.is_page:
            raise of_a_list(error_of(response, what))
        try:
            return read_records(response.json(), numbers)
        except ValueError as error:
            raise ListFailed(f"Sierra's answer to {what} can't be read: {error}") from error

    async def read_item(self, number: str) -> Record | Deleted:
        """The item. Raise ItemRejected if Sierra has none of that number."""
        what = f"item {number}"
        response = await self._call("GET", f"items/{number}", what, params={"fields": ITEM_FIELDS})
        if response.status != 200 or response.is_page:
            raise error_of(response, what)
        try:
            record = read_record(response.json())
        except (NotARecord, ValueError) as error:
            raise unreadable(f"Sierra's answer to {what} can't be read: {error}") from error
        if record.number != number:
            raise unreadable(f"Sierra answered with item {record.number} to {what}")
        return record

    async def write_item(self, number: str, patch: Mapping[str, Any], sendings: Sendings | None = None) -> None:
        """Write a patch. `sendings` may prevent each, and tells afterwards whether one had no answer."""
        what = f"item {number}"
        response = unwrap(await self._call("PUT", f"items/{number}", what, json=patch, sendings=sendings))
        if response.status == 404 and error_code(response) is not None:
            raise ItemRejected("ghost", f"Sierra shows {what} but refuses to save it: a ghost record, ask the vendor")
        if not 200 <= response.status < 300 or response.is_page:
            raise error_of(response, what)

    async def token_info(self) -> TokenInfo | None:
        """Sierra's information on our token. None where it gives none: at some sites this needs a role of its own."""
        response = await self._call("GET", "info/token", "our token")
        try:
            data = response.json()
            return TokenInfo(tuple(str(role["name"]) for role in data["roles"]), int(data["expiresIn"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            return None

    async def _call(
        self, method: str, path: str, what: str, *, sendings: Sendings | None = None, **request: Any
    ) -> Response:
        """Send with the token; renew it once on a 401. Other statuses are the caller's to judge."""
        for _ in range(2):
            token = await self.token.get()
            headers = {"Authorization": f"Bearer {token}"}
            response = await self._send(method, path, what, sendings or Sendings(), headers=headers, **request)
            if response.status != 401 or response.is_page:
                return response
            self.token.forget(token)
        raise SierraRefused(f"Sierra refuses even a new token, at {what}: check the key's role in Sierra")

    async def _fetch_token(self) -> tuple[str, float]:
        """A new token and its life in seconds."""
        basic = base64.b64encode(f"{self._access.key}:{self._access.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        form = {"grant_type": "client_credentials"}
        response = await self._send("POST", "token", "the token", Sendings(), headers=headers, data=form)
        if response.status in (400, 401, 403) and not response.is_page:
            raise SierraRefused(
                f"Sierra refuses our key ({response.status}): check SIERRA_API_CLIENT_KEY and SIERRA_API_CLIENT_SECRET"
            )
        if response.status != 200 or response.is_page:
            error = error_of(response, "the token")
            said = f"Sierra gave no token: {describe(response)}. Check SIERRA_API_ENDPOINT"
            if isinstance(error, SierraUnavailable):
                raise error
            raise SierraUnavailable(said) if response.status >= 500 else NeedsPerson(said)
        try:
            data = response.json()
            token, seconds = data["access_token"], float(data.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise NeedsPerson(NO_TOKEN) from error
        if not isinstance(token, str) or not HEADER_SAFE.fullmatch(token) or not seconds > 0:
            raise NeedsPerson(NO_TOKEN)
        return token, seconds

    async def _send(self, method: str, path: str, what: str, sendings: Sendings, **parts: Any) -> Response:
        """Send a request, within its total deadline again where Sierra did not begin to answer. Return the response."""
        try:
            request = self._connections.build(method, path, **parts)
        except (ValueError, httpx.InvalidURL) as error:  # a lone surrogate, NaN, a number longer than any URL
            said = f"{what[:60].capitalize()} holds what can't be sent to Sierra: {error}"
            raise ItemRejected("unsendable", said) from error
        sent_at = time.monotonic()
        try:
            async with asyncio.timeout(self._access.timeout_seconds):
                return await self._send_with_repeats(request, sendings)
        except (TimeoutError, Silent) as error:
            if fault := fault_of(error):
                raise fault from error
            reason = str(error) or f"no answer within {self._access.timeout_seconds:g} s"
            if path != "token" and await self._has_answered_since(sent_at, request):
                raise ItemTroubled(
                    "unanswered", f"Sierra did not answer for {what}: {reason}", ambiguous=SILENCE
                ) from error
            raise SierraSilent(f"Sierra does not answer: {reason}") from error

    async def _has_answered_since(self, sent_at: float, silent: httpx.Request) -> bool:
        """Return whether Sierra answered any request since. If not, ask about the token first: once for all."""
        if self.last_response_at <= sent_at:
            if self._token_question is None or self._token_question.done():
                headers = {"Authorization": silent.headers["Authorization"]}
                request = self._connections.build("GET", "info/token", headers=headers)
                self._token_question = asyncio.create_task(self._ask(request))
            await asyncio.shield(self._token_question)
        return self.last_response_at > sent_at

    async def _ask(self, request: httpx.Request) -> None:
        with suppress(TimeoutError, Silent):
            async with asyncio.timeout(self._access.timeout_seconds):
                await self._send_with_repeats(request, Sendings())

    async def _send_with_repeats(self, request: httpx.Request, sendings: Sendings) -> Response:
        """The response, at the latest to the last repeat. Raise Silent if there is none."""
        for repeats in range(self._access.retries):
            try:
                return await self._exchange(request, sendings)
            except Silent as silence:
                if silence.has_begun:
                    raise
            await asyncio.sleep(REPEAT_PAUSE_SECONDS * repeats)
        return await self._exchange(request, sendings)

    async def _exchange(self, request: httpx.Request, sendings: Sendings) -> Response:
        """The response to one sending. Take its time as Sierra's last, unless a proxy gave it or Sierra is not well."""
        try:
            response = await self._connections.exchange(request, sendings.begin)
        except Unconnected:
            sendings.withdraw()
            raise
        sendings.note_answer(response)
        if not response.is_page and response.status not in NOT_WELL:
            self.last_response_at = time.monotonic()
        return response
