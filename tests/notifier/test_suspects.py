"""An item that makes Sierra seem unwell again while others are written is itself at fault."""

from notifier.suspects import Suspects


def test_an_item_that_meets_it_again_though_others_were_written_since_is_to_blame() -> None:
    suspects = Suspects()
    assert not suspects.record_failure(1)
    suspects.count_write()
    assert suspects.record_failure(1)
    suspects.forget(1)
    assert 1 not in suspects
    assert not suspects.record_failure(1)


def test_no_item_is_to_blame_while_nothing_is_written() -> None:
    suspects = Suspects()
    assert not any(suspects.record_failure(item) for item in (1, 2, 1, 2, 1, 2))
