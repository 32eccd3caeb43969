"""The settings of the console."""

import re
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from runtime.hosts import Port
from runtime.settings import LateWriteSettings, RootPath, Text


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no time zone of this machine, e.g. Europe/Helsinki") from None
    return name


def _check_header(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValueError("is no name of a header, e.g. X-Forwarded-User")
    return name


Zone = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_check_zone)]
Header = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_check_header)]


class ConsoleSettings(LateWriteSettings):
    """The settings of the console."""

    console_host: Text = Field("127.0.0.1", description="Address that the console listens on")
    console_port: Port = Field(8080, description="Port that the console listens on")
    console_title: Text = Field("Signum-savotta", description="The library's name, in the head of each page")
    console_time_zone: Zone = Field("Europe/Helsinki", description="Time zone of the times on its pages")
    console_root_path: RootPath = Field("", description="Path that a proxy in front takes off, e.g. `/console`")
    console_forwarded_allow_ips: Text = Field(
        "127.0.0.1", description="Proxies whose X-Forwarded headers are believed, comma-separated; `*`: all"
    )
    console_user_header: Header | None = Field(
        None, description="Header by which those proxies name the person, e.g. `X-Forwarded-User`; unset: keys only"
    )

    @model_validator(mode="after")
    def _knows_who_may_name_the_person(self) -> Self:
        if self.console_user_header is not None and self.console_forwarded_allow_ips == "*":
            raise ValueError(
                "CONSOLE_FORWARDED_ALLOW_IPS=* would let anybody send CONSOLE_USER_HEADER: name the proxies"
            )
        return self
