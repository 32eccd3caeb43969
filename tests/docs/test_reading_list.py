"""README's reading list names every module of the api, the notifier and db, but those that stand beside the way."""

import re

from tests.docs.markdown import HOUSE, read

BESIDE = {
    "api/metrics.py": "counts requests",
    "api/openapi.py": "describes the api",
    "api/repeats.py": "keeps the log short",
    "api/routes/docs_pages.py": "serves the pages at / and /redoc",
    "api/routes/health.py": "serves /healthz and /readiness",
    "api/routes/status.py": "serves /status",
    "db/acts.py": "keeps what people did",
    "db/catalogue.py": "is read by the console",
    "db/checks.py": "is the doctor's",
    "db/console.py": "is the console's way to the database",
    "db/persons.py": "knows who may use the console",
    "db/history.py": "is read by commands and reverts",
    "db/history_filter.py": "is the console's",
    "db/item_story.py": "is the console's",
    "db/locks.py": "explains a wait",
    "db/monitoring.py": "is asked by Prometheus",
    "db/snapshot.py": "is what the verdict is made from",
    "db/notifiers.py": "has the heartbeats",
    "db/progress.py": "counts the relabelling",
    "db/queue_filter.py": "is the console's",
    "db/queue_people.py": "is a person's way to the queue",
    "db/reasons.py": "lists the kinds of failures",
    "db/servers.py": "is the doctor's",
    "notifier/checks.py": "is the doctor's",
    "notifier/config.py": "reads the settings",
    "notifier/heartbeat.py": "says that the process lives",
    "notifier/metrics.py": "counts pushes",
    "notifier/outcome_log.py": "writes the log's lines",
    "notifier/progress.py": "counts the relabelling",
    "notifier/revert.py": "undoes a push",
}


def test_every_module_is_on_the_reading_list_or_beside_the_way() -> None:
    modules = {
        file.relative_to(HOUSE).as_posix()
        for folder in ("api/**", "notifier/**", "db")
        for file in HOUSE.glob(f"{folder}/*.py")
        if file.name != "__init__.py"
    }
    assert modules - listed() - set(BESIDE) == set(), "name them in README.md, in their place"
    assert set(BESIDE) - modules == set(), "they are gone"
    assert listed() & set(BESIDE) == set(), "they are on the list"


def test_every_file_on_the_reading_list_is_there() -> None:
    assert [file for file in listed() if not (HOUSE / file).is_file()] == []


def listed() -> set[str]:
    """The files that the reading list names."""
    _, _, section = read("README.md").partition("## Where to read first\n")
    section, _, _ = section.partition("\n| Page |")
    return set(re.findall(r"`((?:\w+/)+\w+\.(?:py|sql))`", section))
