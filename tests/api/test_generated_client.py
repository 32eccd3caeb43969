"""A client that was made of our OpenAPI by openapi-python-client speaks with the running API, problems included."""

import gzip
import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest

from tests.fix_api import ApiClient
from tests.fix_batch import TIMESTAMP, row, tsv
from tests.fix_postgres import TestDatabase

BARCODE = "33010000000001"
NAME = "generated_client"
CONFIG = "post_hooks: []"  # they only make it pretty
FROM_HERE = ["--meta=none", "--path=openapi.json", "--config=config.yml", f"--output-path={NAME}"]


@pytest.fixture
def generated(api: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The client, imported."""
    (tmp_path / "openapi.json").write_bytes(api.get("/openapi.json").content)
    (tmp_path / "config.yml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", *FROM_HERE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(NAME)
    for module in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[module]


def test_a_generated_client_works(
    api: ApiClient, printer_key: str, etl_key: str, database: TestDatabase, generated: ModuleType
) -> None:
    def operation(name: str) -> ModuleType:
        return importlib.import_module(f"{NAME}.api.{name}")

    def client_with(key: str) -> object:
        return generated.AuthenticatedClient(str(api.base_url), key, prefix="", auth_header_name="x-api-key")

    models = importlib.import_module(f"{NAME}.models")
    printer, etl = client_with(printer_key), client_with(etl_key)
    item_record_id = database.add_item(1, barcode=BARCODE)

    item = operation("print_stations.read_item").sync(BARCODE, client=printer)
    assert isinstance(item, models.ItemData)
    assert (item.item_record_id, item.in_update_queue) == (item_record_id, False)

    marked = operation("print_stations.mark_printed_item").sync(item.item_record_id, client=printer)
    assert marked == models.Marked(updated=True)
    assert database.fetch("SELECT item_record_id FROM update_queue") == [(item_record_id,)]

    report = models.StatusReport(internal_hostname="desk-1", internal_ip_address="None")
    status = operation("print_stations.take_report").sync(client=printer, body=report)
    assert isinstance(status, models.Status)
    assert database.fetch("SELECT internal_hostname FROM client WHERE client_name = 'desk 1'") == [("desk-1",)]

    offered = operation("etl.offer").sync(client=etl)
    assert isinstance(offered, models.FullSync)

    file = importlib.import_module(f"{NAME}.types").File(io.BytesIO(gzip.compress(tsv([row(2)]))), "data.tsv.gz")
    batch = models.Batch(timestamp=datetime.fromisoformat(TIMESTAMP), file=file)
    taken = operation("etl.take_batch").sync(client=etl, body=batch)
    assert (taken.upserted, taken.rejected) == (1, 0)

    offered = operation("etl.offer").sync(client=etl)
    assert isinstance(offered, models.ChangesSync)
    assert offered.timestamp == datetime.fromisoformat(TIMESTAMP)

    missing = operation("print_stations.read_item").sync("33010000000099", client=printer)
    assert missing == models.Problem(type_="about:blank", title="Not Found", status=404, detail="Item not found")

    refused = operation("print_stations.read_item").sync(BARCODE, client=etl)
    assert refused == models.Problem(type_="about:blank", title="Forbidden", status=403, detail="Invalid x-api-key")

    invalid = operation("print_stations.read_item").sync("?", client=printer)
    assert isinstance(invalid, models.InvalidProblem)
    assert [one.loc for one in invalid.detail] == [["path", "barcode"]]
