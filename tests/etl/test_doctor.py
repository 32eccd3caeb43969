"""`signum etl doctor` tells what is missing, once, and what to do."""

from typing import Any

import pytest

from etl.doctor import Doctor
from etl.process import dna_of
from runtime.etl_settings import SierraDnaSettings
from tests.fix_dna import DnaInThread
from tests.fix_etl import dna_settings, owner


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"sierra_dna_sslmode": "require"}, "_SSLMODE"),
        ({"sierra_dna_password": "wrong"}, "_PASSWORD"),
        ({"sierra_dna_name": "none"}, "_NAME"),
        ({"sierra_dna_port": 1}, "SIERRA_DNA_PORT"),
    ],
)
def test_doctor_without_a_session_tells_it_once_with_the_settings_to_check(
    dna: DnaInThread, wrong: dict[str, Any], setting: str
) -> None:
    with dna_of(SierraDnaSettings(**dna_settings(dna, **wrong))) as connection:
        (found,) = Doctor(connection, "", 100, 1).examine()
    assert (found.level, found.check, setting in str(found.advice)) == ("problem", "SierraDNA", True)


def test_doctor_tells_a_view_that_is_missing_from_one_that_can_not_be_read(dna: DnaInThread) -> None:
    dna.fault(forbidden_views=("subfield",))
    with owner(dna) as session, dna_of(SierraDnaSettings(**dna_settings(dna))) as connection:
        session.execute("ALTER VIEW sierra_view.location_myuser RENAME TO away")
        found = {one.text for one in Doctor(connection, "", 100, 1).examine() if one.check == "rights"}
    assert found == {"this login can't read sierra_view.subfield", "there is no sierra_view.location_myuser"}


def test_doctor_tells_that_items_are_shown_no_row_of_another_view(dna: DnaInThread) -> None:
    dna.fault(empty_views=("item_record",))
    with dna_of(SierraDnaSettings(**dna_settings(dna))) as connection:
        (problem,) = [one for one in Doctor(connection, "", 100, 1).examine() if one.level == "problem"]
    assert (problem.check, problem.text) == ("chunk", "this login is shown no item of campus_code ''")
