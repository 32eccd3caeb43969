"""Addresses as settings: URLs; a database's hosts and ports, one of each or lists with commas as libpq takes them."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

Port = Annotated[int, Field(ge=1, le=65535)]
_PORT = TypeAdapter[int](Port)


def _read_hosts(value: object) -> object:
    """Refuse what libpq would take for another host: nothing between two commas, which is this machine; brackets."""
    hosts = [host.strip() for host in value.split(",")] if isinstance(value, str) else []
    if len(hosts) > 1 and not all(hosts):
        raise ValueError("has a comma with no host before or after it")
    if bracketed := next((host for host in hosts if "[" in host or "]" in host), None):
        raise ValueError(f"has {bracketed}: leave out the brackets, which only a URL needs")
    return ",".join(hosts) if hosts else value


def _read_ports(value: object) -> int | str:
    """A single port is a number; several stay a list."""
    ports = []
    for port in str(value).split(","):
        try:
            ports.append(_PORT.validate_python(port.strip()))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from None
    return ports[0] if len(ports) == 1 else ",".join(map(str, ports))


def _check_url(url: str) -> str:
    """Refuse a URL that no request can go to, by the library that sends the requests."""
    import httpx  # in the processes that have such a setting, and send requests

    try:
        parts = httpx.URL(url)
        has_address = parts.host and (parts.port is None or 0 < parts.port < 65536)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(f"is no URL: {error}") from error
    if not has_address:
        raise ValueError("is no URL: it lacks a host, or its port is not between 1 and 65535")
    return url


HttpUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s?#]+$"),
    AfterValidator(_check_url),
]
Hosts = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_read_hosts)]
Ports = Annotated[
    int | str,
    BeforeValidator(_read_ports),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),  # of each
]


def refuse_other_counts(hosts: str | None, ports: int | str | None, text: str) -> None:
    """Raise ValueError, with `text` and the counts, for several ports that are not as many as the hosts.

    None stands for a setting that is wrong itself, and has a line of its own.
    """
    if hosts is None or ports is None:
        return
    of_hosts, of_ports = len(hosts.split(",")), len(str(ports).split(","))
    if of_ports not in (1, of_hosts):
        counts = text.format(f"{of_ports} ports for {of_hosts} host{'s' * (of_hosts > 1)}")
        raise ValueError(f"{counts}: name one port for all, or one for each")


def addresses(hosts: str, ports: int | str) -> str:
    """Each host with its port, for people."""
    all_hosts, all_ports = hosts.split(","), str(ports).split(",")
    return ", ".join(f"{host}:{port}" for host, port in zip(all_hosts, all_ports * len(all_hosts), strict=False))
