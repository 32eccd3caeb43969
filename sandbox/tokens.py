"""Sierra's tokens: a client with a token that Sierra gave for its key may ask, as long as the token lives."""

import base64
import binascii
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.quirks import Refused

READ, WRITE = "Items Read", "Items Write"


@dataclass(slots=True)
class Tokens:
    """One client key, the tokens given for it (with their end, by the monotonic clock) and what it may do."""

    key: str
    secret: str
    life_seconds: float = 3600
    roles: tuple[str, ...] = (READ, WRITE)
    key_revoked: bool = False
    _ends_at: dict[str, float] = field(default_factory=dict)

    def give(self, authorization: str, body: bytes) -> dict[str, Any]:
        """Give a new token. Raise Refused for no or wrong credentials, a revoked key, or another kind of grant."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "basic":
            raise Refused(401, 113, "Invalid or missing authorization header")
        if self.key_revoked or not secrets.compare_digest(_decode(credentials), f"{self.key}:{self.secret}".encode()):
            raise Refused(401, 127, "Invalid client credentials")
        if b"grant_type=client_credentials" not in body.split(b"&"):
            raise Refused(400, 105, "Required parameter missing : grant_type")
        token = secrets.token_urlsafe(32)
        self._ends_at[token] = time.monotonic() + self.life_seconds
        return {"access_token": token, "token_type": "bearer", "expires_in": int(self.life_seconds)}

    def check(self, authorization: str, role: str) -> None:
        """Check a token. Raise Refused as `_living` does, and for a key that lacks the role."""
        self._living(authorization)
        if role not in self.roles:
            raise Refused(403, 116, f"Forbidden : the client key lacks the role {role}")

    def info(self, authorization: str) -> dict[str, Any]:
        """The token's key, roles and remaining seconds. Raise Refused as `check` does."""
        left = self._ends_at[self._living(authorization)] - time.monotonic()
        return {
            "keyId": self.key,
            "grantType": "client_credentials",
            "authorizationScheme": "Bearer",
            "expiresIn": int(left),
            "roles": [{"name": role, "tokenLifetime": int(self.life_seconds)} for role in self.roles],
        }

    def _living(self, authorization: str) -> str:
        """Return the token. Raise Refused if there is none, it was never given, or its life has ended."""
        token = bearer(authorization)
        if token is None:
            raise Refused(401, 113, "Invalid or missing authorization header")
        if token not in self._ends_at:
            raise Refused(401, 120, "invalid_token")
        if self.key_revoked or self._ends_at[token] <= time.monotonic():
            raise Refused(401, 123, "invalid_grant")
        return token

    def expire_all(self) -> None:
        """End the life of all tokens early, whatever `expires_in` said."""
        self._ends_at = dict.fromkeys(self._ends_at, 0.0)


def bearer(authorization: str) -> str | None:
    """The token in such a header."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _decode(credentials: str) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return b""
