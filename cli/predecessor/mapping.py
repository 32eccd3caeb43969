"""Maps the predecessor's rows to ours. Pure: texts to texts, clients to clients and remarks."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from cli.predecessor.database import OldClient
from db.clients import PREFIX_LENGTH

CLIENT_TYPES = {"ETL": "etl", "SIGNUM_PRINTER": "signum-printer"}


def as_row(cells: list[str]) -> list[str]:
    """An item's cells as the ETL sends them; the last one is the JSON, which holds the ETL's text as a string."""
    *others, shelfmark_json = cells
    return [*others, _string_in(shelfmark_json)]


def _string_in(document: str) -> str:
    """The string in a JSON document; the document itself if it holds something else, and nothing for null."""
    try:
        # Parse strings only: a deeply nested list would exhaust the parser's stack.
        return (
            str(json.loads(document)) if document.lstrip().startswith('"') else "" if document == "null" else document
        )
    except ValueError:
        return document


def known_clients(clients: Iterable[OldClient]) -> tuple[list[dict[str, Any]], list[str]]:
    """The clients as we store them, and a remark on each that was left out or renamed.

    Names are unique here: a second `desk` becomes `desk (7)`, by its id. Keys are unique too, and the first to have one
    stands for all.
    """
    stored: dict[str, dict[str, Any]] = {}
    remarks, names = [], set()
    for client in clients:
        called = client.client_name or "client"
        if not client.api_key:
            remarks.append(f"{called} (id {client.id}) has no key, and was left out: add it anew")
        elif client.client_type not in CLIENT_TYPES:
            remarks.append(f"{called} (id {client.id}) has the unknown type {client.client_type}, and was left out")
        elif client.api_key in stored:
            remarks.append(_shared_key(called, client, stored[client.api_key]))
        else:
            name = f"{called} ({client.id})" if called in names or not client.client_name else called
            if client.client_name and name != called:
                remarks.append(f"there are several clients called {called}: one of them is now called {name}")
            names.add(name)
            stored[client.api_key] = _stored(client, name, client.api_key)
    return list(stored.values()), remarks


def _shared_key(called: str, client: OldClient, first: dict[str, Any]) -> str:
    remark = f"{called} (id {client.id}) has the same key as {first['client_name']}"
    if CLIENT_TYPES[client.client_type or ""] == first["client_type"]:
        return f"{remark}: it goes on under that name"
    return f"{remark}, which is a client of another type, and was left out: add it anew"


def _stored(client: OldClient, name: str, key: str) -> dict[str, Any]:
    return {
        "client_name": name,
        "client_type": CLIENT_TYPES[client.client_type or ""],
        "api_key_sha256": sha256(key.encode()).digest(),
        # Enough to recognise a key by; of a short key not enough to guess the rest.
        "api_key_prefix": key[: min(PREFIX_LENGTH, len(key) // 3)],
        "internal_hostname": client.internal_hostname,
        "internal_ip_address": client.internal_ip_address,
        "last_seen_at": client.last_seen_at,
    }
