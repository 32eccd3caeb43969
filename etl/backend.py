"""The backend's two requests: what is wanted (GET /sync), and a batch (POST /sync). The only user of httpx here.

Any backend that speaks the contract will do. Which of its additions it understands it says in `accepts`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import IO, Any, Literal, Self

import httpx

from etl.errors import BackendAway, BackendRefuses, RestartAsked

ASK_SECONDS = 10.0
SEND_SECONDS = 120.0
_AWAY = (408, 409, 425, 429)
_TEXT_CHARACTERS = 300

Mode = Literal["SYNC_FULL", "SYNC_CHANGES"]
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Offer:
    """The batch that is wanted next. While one is being taken in (`is_busy`), none is wanted.

    `timestamp` is the position of changes. In a full sync it is None where they can't be sent between the pages.
    """

    mode: Mode
    is_busy: bool = False
    batch_size: int = 0
    last_synced_id: int = 0
    timestamp: datetime | None = None
    accepts: frozenset[str] = frozenset()
    deletions_since: date | None = None
    passed_at: datetime | None = None


class Backend:
    """One backend, with the ETL's key. Redirects are followed nowhere: the key is for this address."""

    def __init__(self, base_url: str, key: str, *, send_seconds: float = SEND_SECONDS) -> None:
        self._send_seconds = send_seconds
        self._http = httpx.Client(base_url=base_url, headers={"x-api-key": key}, timeout=ASK_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def ask(self) -> Offer:
        """Ask what is wanted. The next batch is judged by the answer."""
        answer = self._request("GET")
        try:
            return read_offer(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise BackendRefuses(f"GET /sync was answered with no offer: {answer!s:.{_TEXT_CHARACTERS}}") from error

    def ask_again(self, offer: Offer) -> None:
        """Ask before the next part of a run. RestartAsked: something else is wanted by now."""
        now = self.ask()
        if now.is_busy:
            raise BackendAway("the backend takes in another batch between two parts")
        if (now.mode, now.timestamp) != (offer.mode, offer.timestamp):
            raise RestartAsked("the backend wants something else by now: the other parts are left")

    def send(self, file: IO[bytes], fields: Fields) -> Mapping[str, Any]:
        """Send a batch. It may be sent again after BackendAway, whether it was taken in or not."""
        files = {"file": ("data.tsv.gz", file, "application/gzip")}
        return self._request("POST", data=fields, files=files, timeout=self._send_seconds)

    def _request(self, method: str, **parts: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, "/sync", **parts)
        except httpx.HTTPError as error:
            text = str(error) or type(error).__name__
            raise BackendAway(
                f"{method} /sync had no answer from {self._http.base_url} (BACKEND_URL): {text}"
            ) from error
        if response.status_code != httpx.codes.OK:
            said = f"{method} /sync was answered with {response.status_code}: {_detail(response)}{_advice(response)}"
            is_away = response.status_code in _AWAY or response.status_code >= 500
            raise BackendAway(said) if is_away else BackendRefuses(said)
        try:
            answer = response.json()
        except ValueError as error:
            raise BackendRefuses(f"{method} /sync was answered with no JSON") from error
        if not isinstance(answer, dict):
            raise BackendRefuses(f"{method} /sync was answered with no object")
        return answer


def read_offer(answer: Mapping[str, Any]) -> Offer:
    """The offer in an answer. KeyError, TypeError or ValueError: it is none."""
    mode = answer["sync_mode"]
    if mode not in ("SYNC_FULL", "SYNC_CHANGES"):
        raise ValueError(mode)
    if mode == "SYNC_FULL" and int(answer["batch_size"]) < 1:
        raise ValueError("batch_size")  # an empty page would end the full sync
    deletions_since = answer.get("deletions_since")
    return Offer(
        mode=mode,
        is_busy=answer.get("sync_status", "idle") != "idle",
        batch_size=int(answer["batch_size"]) if mode == "SYNC_FULL" else 0,
        last_synced_id=int(answer["last_synced_id"]) if mode == "SYNC_FULL" else 0,
        timestamp=_time(answer["timestamp"]) if mode == "SYNC_CHANGES" else _time_if_any(answer.get("changes_since")),
        accepts=frozenset(answer.get("accepts") or ()),
        deletions_since=date.fromisoformat(deletions_since) if deletions_since else None,
        passed_at=_time_if_any(answer.get("passed_at")),
    )


def count_in(answer: Mapping[str, Any], name: str) -> int:
    """A number of rows in the answer to a batch. 0: the backend does not tell it."""
    value = answer.get(name)
    return value if isinstance(value, int) else 0


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _time_if_any(text: str | None) -> datetime | None:
    return _time(text) if text else None


def _advice(response: httpx.Response) -> str:
    if response.status_code in (401, 403):
        return ". Check ETL_CLIENT_API_KEY, the key of a client of type etl there"
    return f". Check BACKEND_URL, {response.url}" if response.is_redirect or response.status_code == 404 else ""


def _detail(response: httpx.Response) -> str:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text
    text = detail if isinstance(detail, str) else json.dumps(detail)
    return " ".join(text.split())[:_TEXT_CHARACTERS]
