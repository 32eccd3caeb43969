"""Metrics as Prometheus gets them: by name and labels, over real HTTP."""

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


class Scraped:
    """The answer of one `/metrics`."""

    def __init__(self, port: int) -> None:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=15.0).raise_for_status()
        self.text = answer.text
        self.families: dict[str, Metric] = {found.name: found for found in text_string_to_metric_families(answer.text)}

    def value(self, name: str, **labels: str) -> float | None:
        """The sample with exactly these labels; None if there is none."""
        samples = (sample for family in self.families.values() for sample in family.samples)
        return next((sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)), None)
