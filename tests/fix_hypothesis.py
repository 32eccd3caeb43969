"""Hypothesis looks for counterexamples always in the same places; `--hypothesis-profile=deep` far and wide.

`ci` is its own profile: derandomized and without deadlines, so that no machine's bad day makes a test fail.
"""

from hypothesis import settings

settings.load_profile("ci")
settings.register_profile("deep", derandomize=False, max_examples=5_000, stateful_step_count=100)
