"""The ETL's errors: the type says what the caller does next.

EtlError
├── Away              tried again after a pause that doubles: nobody has to act
│   ├── SierraAway        SierraDNA does not answer, or lets no session in
│   └── BackendAway       the backend does not answer, or takes no batch now
├── NeedsPerson       tried again every ten minutes, in case a person has acted
│   ├── SierraRefuses     a right, a view, the login
│   ├── SierraIsEmpty     no item is shown: the campus, or a view
│   ├── BackendRefuses    the key, the size, an answer that is none
│   └── DiskRefuses       the temporary folder: no room, no right
├── TooLong           the statement met its time-out: ask for less
├── Conflict          a standby cancelled it: ask again
└── RestartAsked      the backend wants something else: ask what
"""


class EtlError(Exception):
    """The text is a sentence for the log."""


class Away(EtlError):
    """The other side is away for now."""


class SierraAway(Away):
    """SierraDNA does not answer, or lets no session in."""


class BackendAway(Away):
    """The backend does not answer, or takes no batch now."""


class NeedsPerson(EtlError):
    """It stays so until a person acts."""


class SierraRefuses(NeedsPerson):
    """SierraDNA refuses the login, or a statement for good."""


class SierraIsEmpty(NeedsPerson):
    """SierraDNA shows no item at all, which no library has."""

    def __init__(self, campus_code: str) -> None:
        super().__init__(f"SierraDNA shows no item of ETL_CAMPUS_CODE {campus_code!r}: run signum etl doctor")


class BackendRefuses(NeedsPerson):
    """The backend refuses the key or the batch, or answers something that is no answer."""


class DiskRefuses(NeedsPerson):
    """The temporary folder takes no batch."""


class TooLong(EtlError):
    """A statement met its time-out."""


class Conflict(EtlError):
    """A standby cancelled the statement, which was in the way of its replay."""


class RestartAsked(EtlError):
    """The backend wants something else than before this part: the rest of the run is left."""
