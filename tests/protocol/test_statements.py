"""The statements do what the explored protocol's steps say: ways through its states are taken on a real PostgreSQL."""

import random
from collections.abc import Iterator

import pytest

from db.queue import Connection
from tests.fix_postgres import TestDatabase
from tests.protocol.broken import BROKEN, Broken
from tests.protocol.broken_in_doubt import BROKEN_IN_DOUBT
from tests.protocol.explore import NOTIFIER, PEOPLE, World, explore, steps
from tests.protocol.replay import Replay, expected
from tests.protocol.rules import Protocol
from tests.protocol.states import Item

WALKS, LENGTH = 60, 40
OF_A_FAILOVER = {"recheck", "give_back"}
SELDOM = {"stop_in_doubt", "fail_in_doubt"}  # stories of broken protocols take them


async def take(way: Iterator[tuple[str, World]], database: TestDatabase, connection: Connection, seed: int) -> set[str]:
    """Take the steps of a way, compare the tables after each, and return the steps' names."""
    told, taken = [f"seed {seed}"], set()
    world: World = (Item(),)
    with database.connect() as person:
        person.execute("DELETE FROM update_queue")
        person.execute("DELETE FROM update_log")
        person.execute("UPDATE sierra_item SET classification = '1'")
        replay = Replay(connection, person, random.Random(seed))
        for step, after in way:
            told.append(step)
            await replay.take(step, world[0], after[0])
            world = after
            assert replay.found() == expected(world[0]), "\n".join(told)
            taken.add(step.split()[-1])
    return taken


def wander(seed: int) -> Iterator[tuple[str, World]]:
    """A way of steps by chance."""
    world: World = (Item(),)
    chance = random.Random(seed)
    for _ in range(LENGTH):
        step, world = chance.choice([one for one in steps(Protocol(), world) if one[1] != world])
        yield step, world


def follow(story: list[str]) -> Iterator[tuple[str, World]]:
    """The way that the story of a broken protocol takes, as far as the protocol goes it."""
    world: World = (Item(),)
    for line in story:
        step = line.partition(" -> ")[0].rstrip()
        found = next((after for name, after in steps(Protocol(), world) if name == step and after != world), None)
        if found is None:
            return
        world = found
        yield step, world


async def test_walks_through_the_protocol_leave_the_same_in_the_tables(
    database: TestDatabase, connection: Connection
) -> None:
    database.add_item(1, item_record_id=1)
    taken: set[str] = set()
    for seed in range(WALKS):
        taken |= await take(wander(seed), database, connection, seed)
    of_the_model = {*PEOPLE, *(name for names in NOTIFIER.values() for name in names)}
    assert of_the_model - taken - SELDOM == OF_A_FAILOVER


@pytest.mark.parametrize("protocol", [*BROKEN, *BROKEN_IN_DOUBT])
async def test_stories_of_broken_protocols_end_as_the_protocol_says(
    database: TestDatabase, connection: Connection, protocol: type[Broken]
) -> None:
    database.add_item(1, item_record_id=1)
    story = explore(protocol(protocol.needs_classes), without=protocol.without).lines
    assert await take(follow(story), database, connection, seed=0)
