"""`signum`, the command line: runs the processes, and manages clients, queue and sync."""

from typing import Annotated

import typer

from cli import acts, clients, config, control, doctor, etl, items, persons, processes, queue, reverts, sync
from cli.exit_codes import run_and_exit
from cli.output import print_out
from cli.predecessor import command as predecessor
from cli.progress import progress

app = typer.Typer(
    epilog="Exit codes: 0 done; 1 nothing found or refused; 2 wrong usage or setting; "
    "3 database or Sierra not reachable. Settings are environment variables: see the README.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("api")(processes.api)
app.command("console")(processes.console)
app.command("notifier")(processes.notifier)
app.command("migrate")(processes.migrate)
app.command("import-predecessor")(predecessor.import_predecessor)
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)
app.command("preview")(items.preview)
app.command("history")(items.history)
app.command("revert")(reverts.revert)
app.command("acts")(acts.acts)
app.command("progress")(progress)
for command in (control.status, control.pause, control.resume):
    queue.app.command(command.__name__)(command)
app.add_typer(etl.app, name="etl")
app.add_typer(queue.app, name="queue")
app.add_typer(clients.app, name="client")
app.add_typer(persons.app, name="person")
app.add_typer(sync.app, name="sync")


def _show_version(wanted: bool) -> None:
    if wanted:
        from runtime.release import release

        print_out(f"signum {release()}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the release, and end.")
    ] = False,
) -> None:
    """Signum-savotta's backend: its processes, and the commands for the people who run it."""


def run() -> None:
    """The `signum` command."""
    run_and_exit(lambda: app(prog_name="signum"))


if __name__ == "__main__":
    run()
