"""docs/monitoring: its tables are what api and notifier tell, and its alerts and panels ask for nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml

from api.metrics import COUNTED as API_COUNTED
from api.metrics import DatabaseCollector
from etl.metrics import COUNTED as ETL_COUNTED
from notifier.metrics import COUNTED as NOTIFIER_COUNTED
from notifier.metrics import Condition, ConditionCollector
from runtime import thresholds
from runtime.metrics import metrics_served
from runtime.settings import ApiSettings
from sandbox.postgres import free_port
from tests.docs.markdown import HOUSE, read, table
from tests.fix_metrics import Scraped
from tests.fix_postgres import TestDatabase

FOLDER = "docs/monitoring"
PAGE = f"{FOLDER}/README.md"
LABELS = {
    "signum_http_requests_total": "method, route, status",
    "signum_http_request_seconds": "method, route",
    "signum_batch_seconds": "result",
    "signum_batch_rows_total": "result",
    "signum_etl_rows_sent_total": "mode",
    "signum_etl_rows_written_total": "mode",
    "signum_etl_statement_seconds": "statement",
}
HEADINGS = ["Metrics of the api", "Metrics of the notifier", "Metrics of the ETL"]


@pytest.fixture
def told(database: TestDatabase) -> dict[str, Scraped]:
    """The metrics that each process tells."""
    database.fetch("UPDATE sync_state SET last_sync_run_completed_at = now()")
    asked = DatabaseCollector(ApiSettings(**database.settings()))
    looked = ConditionCollector(lambda: Condition("listening", "closed", False, 1.0, 0))
    scraped = []
    for collectors in ((API_COUNTED, asked), (NOTIFIER_COUNTED, looked), (ETL_COUNTED,)):
        with metrics_served("127.0.0.1", free_port(), *collectors) as port:
            assert port is not None
            scraped.append(Scraped(port))
    return dict(zip(HEADINGS, scraped, strict=True))


def rows(scraped: Scraped) -> Iterator[list[str]]:
    """The metrics as the table has them."""
    for family in scraped.families.values():
        if family.name.endswith("_created"):
            continue
        name = family.name + "_total" * (family.type == "counter")
        own = {label for sample in family.samples for label in sample.labels} - {"le"}
        labels = LABELS.get(name) or ", ".join(sorted(own))
        yield [f"`{name}`", family.type, labels, family.documentation]


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_metric_that_is_told_stands_in_the_table_and_no_other(heading: str, told: dict[str, Scraped]) -> None:
    assert table(PAGE, heading) == list(rows(told[heading]))


def test_names_are_those_of_the_house(told: dict[str, Scraped]) -> None:
    for name, *_ in (row for scraped in told.values() for row in rows(scraped)):
        assert re.fullmatch(r"`signum_[a-z0-9_]+`", name)


def asked_for() -> dict[str, str]:
    """The expressions of alerts and panels, by title."""
    rules = [rule for group in yaml.safe_load(read(f"{FOLDER}/alerts.yml"))["groups"] for rule in group["rules"]]
    panels = json.loads(read(f"{FOLDER}/dashboard.json"))["panels"]
    found = {rule["alert"]: rule["expr"] for rule in rules}
    found |= {f"{panel['title']} {one['refId']}": one["expr"] for panel in panels for one in panel["targets"]}
    return found


@pytest.mark.parametrize("title", asked_for())
def test_alerts_and_panels_ask_for_metrics_that_are_told(title: str) -> None:
    known = set()
    for name, kind, *_ in (row for heading in HEADINGS for row in table(PAGE, heading)):
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        known |= {name.strip("`") + part for part in parts}
    named = set(re.findall(r"\bsignum_\w+", asked_for()[title]))
    assert named
    assert named - known == set()


def test_every_alert_has_all_its_parts_and_is_explained() -> None:
    (group,) = yaml.safe_load(read(f"{FOLDER}/alerts.yml"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    for rule in rules:
        assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
    assert [rule["alert"] for rule in rules] == [row[0].strip("`") for row in table(PAGE, "What to watch")]


def test_every_alert_has_a_moment_when_it_fires_and_one_when_it_does_not() -> None:
    (group,) = yaml.safe_load(read(f"{FOLDER}/alerts.yml"))["groups"]
    tried = yaml.safe_load(read(f"{FOLDER}/alerts_test.yml"))["tests"]
    moments = [moment for one in tried for moment in one["alert_rule_test"]]
    fires = {moment["alertname"] for moment in moments if "exp_alerts" in moment}
    assert fires == {rule["alert"] for rule in group["rules"]}
    assert {moment["alertname"] for moment in moments if "exp_alerts" not in moment} >= fires - {"SignumSyncGap"}


def test_alerts_and_views_have_the_limits_of_the_verdict() -> None:
    (group,) = yaml.safe_load(read(f"{FOLDER}/alerts.yml"))["groups"]
    rules = {rule["alert"]: rule for rule in group["rules"]}
    assert f" > {thresholds.LONGEST_DUE_SECONDS} and" in rules["SignumQueueOld"]["expr"]
    assert rules["SignumRejected"]["expr"].endswith(f" > {thresholds.MOST_REJECTED}")
    assert rules["SignumBreakerOpen"]["for"] == f"{thresholds.BREAKER_OPEN_SECONDS // 60}m"
    assert rules["SignumNoBatch"]["expr"].endswith(f" > {thresholds.NO_BATCH_SECONDS}")
    assert rules["SignumSyncStands"]["expr"].count(f" > {thresholds.NO_BATCH_SECONDS}") == 2
    assert f"interval '{thresholds.GONE_SECONDS} seconds'" in read("db/sql/monitoring.sql")
    (view,) = re.findall(r"CREATE VIEW public\.notifier_overview AS.*?;", read("db/schema.sql"), re.DOTALL)
    gone, stalled = (timedelta(seconds=limit) for limit in (thresholds.GONE_SECONDS, thresholds.STALLED_SECONDS))
    assert set(re.findall(r"'(\d\d:\d\d:\d\d)'::interval", view)) == {f"0{gone}", f"0{stalled}"}


def promtool(*words: str, given: str = "") -> None:
    done = subprocess.run(["promtool", *words], cwd=HOUSE / FOLDER, input=given, capture_output=True, text=True)
    assert (done.returncode, done.stderr.replace("Unit Testing:", "").strip()) == (0, ""), done.stdout


needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not here: it is Prometheus's")


@needs_promtool
@pytest.mark.parametrize("words", ["check config prometheus.yml", "test rules alerts_test.yml"])
def test_prometheus_takes_the_files_and_the_alerts_fire_when_they_should(words: str) -> None:
    promtool(*words.split())


@needs_promtool
@pytest.mark.parametrize("heading", HEADINGS)
def test_prometheus_finds_no_fault_with_what_is_told(heading: str, told: dict[str, Scraped]) -> None:
    promtool("check", "metrics", given=told[heading].text)
