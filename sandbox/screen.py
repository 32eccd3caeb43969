"""Shows the printed label, Sierra's record before and after, when it was where, and commands to try next."""

import sys
from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.table import Table

from sandbox.catalogue import Item, Oddity
from sandbox.demo import Printed, fixed_value, ordinary_items
from sandbox.system import System, add_person


def show_printed(printed: Printed, first_ms: float, screen: Console) -> None:
    """Print the item, and Sierra's record before and after."""
    item = printed.item
    screen.print(
        f"\n[bold]{item['best_author']}: {item['best_title']}[/bold], barcode {item['barcode']}, "
        f"label [bold reverse] {item['classification']} {item['shelfmark']} [/bold reverse]"
    )
    table = Table("Sierra's record", "before", "after")
    table.add_row("call number", printed.call_number_before, f"[green]{printed.call_number_after}[/green]")
    if printed.call_number_in_dna:
        table.add_row("the same in SierraDNA", "", f"[green]{printed.call_number_in_dna}[/green]")
    for number, name in (("74", "IUSE3 (74)"), ("69", "INVDA (69)"), ("85", "REVISIONS (85)")):
        table.add_row(name, fixed_value(printed.before, number), fixed_value(printed.after, number))
    screen.print(table)
    screen.print(
        f"[bold]{printed.dispatch_ms} ms[/bold] from the api's answer to Sierra's PUT "
        f"({first_ms} ms for the first label since the start).\n"
    )
    if printed.brought_back_at:
        screen.print(_times(printed))


def _times(printed: Printed) -> Table:
    """The four times of the closed loop."""
    table = Table("The label's way", "at", "seconds later")
    steps = (
        ("printed: the api has marked the item", printed.printed_at),
        ("pushed: Sierra's PUT has come", printed.pushed_at),
        ("shown: SierraDNA has it", printed.in_dna_at),
        ("brought back: our ETL has sent it to the api", printed.brought_back_at),
    )
    for name, at in steps:
        if at:
            later = (at - printed.printed_at).total_seconds()
            table.add_row(name, f"{at.astimezone():%T.%f}"[:-3], f"{later:.3f}")
    return table


def show_ways_to_play(system: System, items: list[Item], screen: Console) -> None:
    """Print commands that work, to copy."""
    if system.console_url:
        key = add_person(system, "you")
        screen.print("[bold]The console, for people: its address, and the key to sign in with[/bold]")
        screen.print(f"  {system.console_url}\n  {key}", soft_wrap=True, highlight=False, markup=False)
    for title, line in _ways_to_play(system, items):
        screen.print(f"[bold]{title}[/bold]")
        screen.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    screen.print("\nCtrl-C ends everything and leaves nothing.")


def _ways_to_play(system: System, items: list[Item]) -> list[tuple[str, str]]:
    item = ordinary_items(items)[-1]
    ghost = next((item for item in items if item.oddity is Oddity.GHOST), item)
    printer = f"-H 'x-api-key: {system.printer_key}' {system.api_url}/itemdata"
    sandbox = f"{system.sierra_url}/_sandbox"
    program_psql = quote(str(system.postgres.program("psql")))
    psql = f'{program_psql} "{system.postgres.dsn()}"'
    # Without the caller's environment: a DB_HOST in it would count for more than the file's.
    program = quote(str(Path(sys.executable).with_name("signum")))
    signum = f"env -i SETTINGS_FILE={quote(str(system.settings_file))} {program}"
    stamp = "SELECT record_last_updated_gmt, field_content FROM sierra_view.record_metadata AS item"
    fields = f"JOIN sierra_view.varfield ON record_id = item.id WHERE item.id = {item.record_id}"
    to_dna = [("See it in SierraDNA", f'{program_psql} "{system.dna}" -c "{stamp} {fields}"')] if system.dna else []
    etl_doctor = [("Examine SierraDNA as our ETL sees it", f"{signum} etl doctor")] if system.dna else []
    outage = """'{"status": 503, "code": 117, "times": 10}'"""
    return [
        ("The API, described", system.api_url),
        ("Read an item", f"curl {printer}/{item.barcode}"),
        ("Say that its label was printed", f"curl -X PUT {printer}/{item.record_id}"),
        ("See Sierra's record of it", f"curl {sandbox}/records/{item.number}"),
        *to_dna,
        ("Mark one that Sierra shows but won't write", f"curl -X PUT {printer}/{ghost.record_id}"),
        ("Let Sierra be down for ten requests", f"curl -d {outage} {sandbox}/faults"),
        ("See what Sierra was asked", f"curl {sandbox}/journal"),
        *etl_doctor,
        ("Ask as the ETL does", f"curl -H 'x-api-key: {system.etl_key}' {system.api_url}/sync"),
        ("Look at the queue, and at what else `signum --help` lists", f"{signum} queue status"),
        ("Look at the queue's history as a DBA does", f"{psql} -c 'TABLE update_history'"),
        ("Read the logs", f"tail -f {system.running[0].log.parent}/*.log"),
    ]
