"""Exit codes, and the line that a person reads when something fails: never a traceback.

0  done
1  nothing found, or refused: the sentence says which
2  wrong usage, or a wrong setting
3  the database or Sierra can't be reached
4  none of these: a bug of ours, and the line says where
"""

import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from cli.output import aside, show_what_can_be
from runtime.settings import SettingsError
from runtime.stderr import open_missing_streams


class Refused(Exception):
    """Nothing was found, or it can't be done, and repeating it unchanged is no use: a sentence for each."""


class Unreachable(Exception):
    """The database or Sierra does not answer, or not to us. The text says which and why."""


def fenced(command: Callable[[], object]) -> NoReturn:
    """Run the command and leave the process with the exit code of what came of it."""
    open_missing_streams()
    show_what_can_be()
    try:
        _check_arguments()
        command()
    except Refused as error:
        _leave(1, *error.args)
    except SettingsError as error:
        _leave(2, *str(error).split("\n"))
    except Unreachable as error:
        _leave(3, error)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        _leave(4, f"unexpected {type(error).__name__} in {place.filename}:{place.lineno}: {error}")
    sys.exit(0)


def _check_arguments() -> None:
    """What is typed in another encoding than UTF-8 comes as half characters, which no database takes: 2."""
    for argument in sys.argv[1:]:
        try:
            argument.encode()
        except UnicodeEncodeError:
            _leave(2, f"{argument!a} is not UTF-8")


def _leave(code: int, *sentences: object) -> NoReturn:
    aside(*sentences)
    sys.exit(code)
