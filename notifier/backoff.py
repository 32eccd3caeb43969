"""The pauses before the next try, of each kind. Pure: `chance` is a random number from 0 to 1."""

POSTPONE_BASE_SECONDS = 30.0
POSTPONE_MOST_SECONDS = 3600.0
BREAKER_BASE_SECONDS = 1.0
BREAKER_MOST_SECONDS = 60.0
RECONNECT_BASE_SECONDS = 0.5
RECONNECT_MOST_SECONDS = 5.0
LOCK_BASE_SECONDS = 0.02
LOCK_MOST_SECONDS = 1.0


def jittered(base: float, most: float, failures: int, chance: float) -> float:
    """Half and a random half of `base` doubled at each of the `failures` before this one, `most` at the most."""
    # 2 ** 30 seconds are 34 years: the cap has long decided, and a float never overflows.
    full = min(most, base * 2.0 ** min(failures, 30))
    return full / 2 + full / 2 * chance


def postponement(attempts: int, chance: float, retry_after: float = 0.0) -> float:
    """Seconds until an item is due again after its `attempts`-th attempt failed: ten attempts take about two hours.

    Sierra's Retry-After can make it longer, never shorter: short pauses would soon use up the attempts.
    """
    return max(retry_after, jittered(POSTPONE_BASE_SECONDS, POSTPONE_MOST_SECONDS, max(0, attempts - 1), chance))


def breaker_pause(failures: int, chance: float, retry_after: float | None = None) -> float:
    """Seconds until Sierra is probed again, after `failures` failed probes: its Retry-After, but never at once."""
    if retry_after is not None:
        return max(retry_after, jittered(BREAKER_BASE_SECONDS, BREAKER_MOST_SECONDS, 0, chance))
    return jittered(BREAKER_BASE_SECONDS, BREAKER_MOST_SECONDS, failures, chance)


def reconnect_pause(failures: int, chance: float) -> float:
    """Seconds until the database is tried again, after `failures` failed tries."""
    return jittered(RECONNECT_BASE_SECONDS, RECONNECT_MOST_SECONDS, failures, chance)


def lock_pause(failures: int, chance: float) -> float:
    """Seconds until a row locked by another session is tried again, after `failures` failed tries."""
    return jittered(LOCK_BASE_SECONDS, LOCK_MOST_SECONDS, failures, chance)
