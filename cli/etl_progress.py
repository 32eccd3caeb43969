"""A progress bar of the ETL's batch under way, on a terminal. Elsewhere the log's line per batch is all there is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from etl.service import Doing, Etl


@contextmanager
def progress_shown(etl: "Etl") -> Iterator[None]:
    """Show what the ETL does on the standard error, if that is a terminal. Log lines come above the bar."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", visible=False)

        def show(doing: "Doing | None") -> None:
            if doing:
                progress.update(task, description=doing.what, completed=doing.items, total=doing.most, visible=True)
            else:
                progress.update(task, visible=False)
            progress.refresh()

        etl.tell = show
        with _log_above(console):
            yield


@contextmanager
def _log_above(console: Console) -> Iterator[None]:
    """Have the log written through the console, which moves the bar down: else they would share a line."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
    streams = [(handler, handler.stream) for handler in handlers]
    for handler, stream in streams:
        handler.setStream(FileProxy(console, cast("Any", stream)))
    try:
        yield
    finally:
        for handler, stream in streams:
            handler.setStream(stream)
