"""The API's pages work for a reader on a network without a way out."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.fix_api import ApiClient, StartApi

PAGES = ["/", "/redoc", "/redoc/"]


class Links(HTMLParser):
    """The addresses that a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href", "spec-url", "srcset") and value]


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_everything_from_this_server(api: ApiClient, path: str) -> None:
    page = api.get(path)
    assert page.status_code == 200
    links = Links(page.text).found
    assert len(links) >= 3
    assert all(link.startswith("/") and not link.startswith("//") for link in links)
    assert not re.search(r"https?:|//\w", page.text.replace("<!-- ", ""))
    assert {link: api.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize("path", PAGES)
def test_browser_is_told_to_load_nothing_from_outside(api: ApiClient, path: str) -> None:
    policy = api.get(path).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ")
    assert set(re.findall(r"\S+:", policy)) == {"data:", "blob:"}


@pytest.mark.parametrize("path", PAGES)
def test_browser_is_told_to_run_only_the_pages_own_scripts(api: ApiClient, path: str) -> None:
    page = api.get(path)
    (rule,) = re.findall("script-src ([^;]*)", page.headers["Content-Security-Policy"])
    inline = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    assert len(inline) == (1 if path == "/" else 0)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    assert rule.split() == ["'self'", *(f"'sha256-{digest}'" for digest in hashes)]


def test_pages_are_reached_through_a_proxy_that_takes_a_path_off(start_api: StartApi) -> None:
    api = start_api(api_root_path="/signum")
    for path in PAGES:
        links = Links(api.get(path).text).found
        assert all(link.startswith("/signum/") for link in links)
        assert {api.get(link.removeprefix("/signum")).status_code for link in links} == {200}
    assert "url: '/signum/openapi.json'" in api.get("/").text
    assert api.get("/openapi.json").json()["servers"] == [{"url": "/signum"}]


def operations(api: ApiClient) -> dict[str, dict[str, Any]]:
    paths = api.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}": found for path, methods in paths.items() for method, found in methods.items()}


def test_every_route_is_described(api: ApiClient) -> None:
    described = operations(api)
    assert {
        "GET /itemdata/{barcode}",
        "PUT /itemdata/{item_record_id}",
        "POST /status",
        "GET /sync",
        "POST /sync",
        "GET /healthz",
        "GET /readiness",
    } == set(described)
    assert all(found["summary"] and found["description"] for found in described.values())


def test_every_problem_is_described_with_an_example(api: ApiClient) -> None:
    for name, found in operations(api).items():
        for status, response in found["responses"].items():
            if status != "200":
                (content,) = response["content"].values()
                assert content["example"]["detail"], (name, status)


def test_every_route_but_health_needs_a_key(api: ApiClient) -> None:
    assert api.get("/openapi.json").json()["components"]["securitySchemes"]["x-api-key"]["name"] == "x-api-key"
    for name, found in operations(api).items():
        is_open = name in ("GET /healthz", "GET /readiness")
        assert found.get("security") == (None if is_open else [{"x-api-key": []}]), name
        assert is_open or {"401", "403", "503"} <= set(found["responses"]), name


def test_parameters_and_form_are_described_with_examples(api: ApiClient) -> None:
    described = operations(api)
    (barcode,) = described["GET /itemdata/{barcode}"]["parameters"]
    assert barcode["schema"]["pattern"] == r"^[0-9\.\w]{10,30}$"
    (item_record_id,) = described["PUT /itemdata/{item_record_id}"]["parameters"]
    assert (item_record_id["schema"]["type"], item_record_id["schema"]["format"]) == ("integer", "int64")
    assert {"minimum", "maximum"} <= set(item_record_id["schema"])
    assert barcode["example"] == barcode["schema"]["examples"][0]
    assert item_record_id["example"] == item_record_id["schema"]["examples"][0]
    form = described["POST /status"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert form == {"$ref": "#/components/schemas/StatusReport"}
    form = api.get("/openapi.json").json()["components"]["schemas"]["StatusReport"]
    assert form["required"] == ["internal_hostname", "internal_ip_address"]
    assert all(field["example"] == field["examples"][0] for field in form["properties"].values())
