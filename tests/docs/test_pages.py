"""Links and names in our pages lead to what is there: pages, headings, files, make targets, tests."""

import re
import tomllib

import pytest

from tests.docs.markdown import HOUSE, PAGES, anchors, blocks, code, links, prose_of, read, table

FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*/(?:[\w-]+\.\w+)?")
A_TEST_OR_QUIRK = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+){2,}")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (HOUSE / page).parent / file if file else HOUSE / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.resolve().relative_to(HOUSE).as_posix()), link


@pytest.mark.parametrize("page", PAGES)
def test_files_named_in_code_are_there(page: str) -> None:
    for word in code(page):
        if FILE.fullmatch(word):
            assert (HOUSE / word).exists(), word


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "mermaid")])
def test_files_named_in_pictures_are_there(page: str) -> None:
    named = [file for block in blocks(page, "mermaid") for file in re.findall(r"\b(?:\w+/)+\w+\.\w+", block.text)]
    assert [file for file in named if not (HOUSE / file).exists()] == []


def test_the_pictures_name_files() -> None:
    assert all("/" in block.text for page in ("README.md", "docs/architecture.md") for block in blocks(page, "mermaid"))


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_are_there(page: str) -> None:
    targets = set(re.findall(r"^([\w.-]+):", read("Makefile"), re.MULTILINE))
    said = [*code(page), *(line for block in blocks(page, "sh") for line in block.text.splitlines())]
    for line in said:
        if line.startswith("make "):
            assert line.split()[1] in targets, line


def test_every_quirk_and_test_named_is_there() -> None:
    quirks = set(re.findall(r"^def ([a-z]\w+)", read("sandbox/quirks.py"), re.MULTILINE)) - {"iso"}
    named = {name for *_, source in table("docs/sierra.md", "Quirks") for name in re.findall(r"`([^`]+)`", source)}
    named = {name for name in named if A_TEST_OR_QUIRK.fullmatch(name)}
    assert named - quirks - all_tests() == set()
    assert quirks - named == set(), "quirks that docs/sierra.md does not have"


def all_tests() -> set[str]:
    """The names of all tests."""
    return {
        name
        for file in (HOUSE / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
    }


def test_the_architecture_names_every_package() -> None:
    packages = tomllib.loads(read("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = {row[0].strip("`/") for row in table("docs/architecture.md", "Parts")}
    assert named == {*packages, "alembic"}


def test_the_readme_is_short_enough_to_be_read() -> None:
    prose = [line for line in read("README.md").splitlines() if not line.startswith("| `")]
    assert len(prose) < 160, "without the rows of settings and files, which are looked up and not read"


def test_what_an_operator_wants_leads_to_every_section_of_the_page() -> None:
    page = "docs/operations.md"
    top, _, _ = prose_of(read(page)).partition("\n## ")
    listed = {link.removeprefix("#") for link in re.findall(r"\]\((#[^)]+)\)", top)}
    sections = re.findall(r"^## (.+)$", prose_of(read(page)), re.MULTILINE)
    assert listed == {section.lower().replace(",", "").replace(" ", "-") for section in sections}


def test_every_decision_is_in_the_index() -> None:
    listed = {link for link in links("docs/decisions/README.md") if link[0].isdigit()}
    assert listed == {file.name for file in (HOUSE / "docs/decisions").glob("[0-9]*.md")}
