"""`signum etl`: runs the ETL between SierraDNA and the api, or what is due; examines SierraDNA; exports the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exit_codes import Refused, Unreachable
from cli.output import AsJson, print_out, show_json, show_rows, span
from runtime.etl_settings import EtlCheckSettings, EtlSettings, SierraDnaSettings
from runtime.settings import read_settings
from runtime.stderr import write_stderr_in_background

if TYPE_CHECKING:
    from etl.service import Etl

app = typer.Typer(invoke_without_command=True)


@app.callback()
def run(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether the process that touches ETL_STATE_FILE gets on.")
    ] = False,
) -> None:
    """Bring the catalogue from SierraDNA to the api, until told to stop. One per library."""
    if context.invoked_subcommand:
        return
    if check:
        _check(read_settings(EtlCheckSettings).etl_state_file)
        return
    write_stderr_in_background()
    settings = read_settings(EtlSettings)
    from cli.etl_progress import progress_shown
    from etl import process

    raise typer.Exit(process.run(settings, progress_shown))


@app.command()
def once(
    everything: Annotated[bool, typer.Option("--all", help="Compare all items, not only those that changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do what is due now, and end: the rest of a full sync, changes, deletions."""
    settings = read_settings(EtlSettings)
    from cli.etl_progress import progress_shown
    from etl.process import made
    from runtime.logging import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    with _failing(), made(settings) as etl, progress_shown(etl):
        if everything:
            etl.begin_pass()
        rounds = _rounds(etl)
        if everything and etl.done.passed_to is not None:
            raise Refused('this backend takes no comparison of all items: run "signum sync restart", then this again')
    if as_json:
        show_json({"batches_sent": rounds})
    else:
        print_out(f"done: {rounds} batches were sent")


def _rounds(etl: "Etl") -> int:
    sent = 0
    while etl.round().kind != "rest":
        sent += 1
    if not sent:
        raise Refused("the backend takes in another batch: try again later")
    return sent


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Examine SierraDNA: rights, limits, indexes, times, names. Reads only, asks no backend; exit code 1: a problem."""
    settings = read_settings(SierraDnaSettings)
    from etl.doctor import Doctor
    from etl.process import dna_of

    with dna_of(settings) as dna:
        examined = Doctor(dna, settings.etl_campus_code, settings.etl_chunk_items, settings.etl_most_busy_share)
        findings = list(examined.examine())
    rows = [asdict(finding) | ({} if as_json else {"found": str(finding)}) for finding in findings]
    show_rows(rows, as_json, ("level", "check", "found"))
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        raise Refused("1 problem" if problems == 1 else f"{problems} problems")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write: gzipped TSV, as it would be sent.")],
    ids: Annotated[Path | None, typer.Option(help="Only these items: a file with an item_record_id per line.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only what changed since then, local time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the file that would be sent, and send nothing: to hold beside another ETL's."""
    if ids and since:
        raise typer.BadParameter("--ids and --since exclude each other")
    settings = read_settings(SierraDnaSettings)
    from etl.export import export as write
    from etl.process import dna_of

    keys, moment = _read_keys(ids) if ids else None, since.astimezone() if since else None
    try:
        with _failing(), dna_of(settings) as dna:
            rows = write(dna, settings.etl_campus_code, settings.etl_chunk_items, file, ids=keys, since=moment)
    except OSError as error:
        raise Refused(f"{file} can't be written: {error.strerror}") from None
    if as_json:
        show_json({"items_written": rows, "file": str(file)})
    else:
        print_out(f"{rows} items were written to {file}")


def _read_keys(file: Path) -> list[int]:
    try:
        return [int(line) for line in file.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise Refused(f"{file} is no list of item_record_ids: {error}") from None


def _check(state_file: str | None) -> None:
    """Check the process by the file that it touches at each transaction and round, for a container's health check."""
    if state_file is None:
        raise Refused("ETL_STATE_FILE is not set: the process touches no file that could be looked at")
    from etl.process import STALLED_SECONDS, age_of_last_round

    try:
        age = age_of_last_round(Path(state_file))
    except OSError as error:
        raise Refused(f"no ETL has run here: {state_file}: {error.strerror}") from None
    if age > STALLED_SECONDS:
        raise Refused(f"the ETL has stalled: it has done nothing for {span(age)}. Restart it")
    print_out(f"the ETL did something {span(max(age, 0))} ago")


@contextmanager
def _failing() -> Iterator[None]:
    """Turn what the ETL's errors say into exit codes."""
    from etl.errors import Away, EtlError

    try:
        yield
    except Away as error:
        raise Unreachable(str(error)) from error
    except EtlError as error:
        raise Refused(str(error)) from error
