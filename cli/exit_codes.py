"""The exit codes of `signum`, and the line that it prints on a failure: never a traceback.

0  done
1  nothing found, or refused: the line says which
2  wrong usage, or a wrong setting
3  the database or Sierra can't be reached
4  none of these: a bug of ours, and the line says where
"""

import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from cli.output import print_err, replace_unencodable
from runtime.settings import SettingsError
from runtime.stderr import open_missing_streams


class Refused(Exception):
    """Nothing was found, or the command can't be done; repeating it unchanged is no use. A sentence per reason."""


class Unreachable(Exception):
    """The database or Sierra does not answer, or refuses us. The text says which and why."""


def run_and_exit(command: Callable[[], object]) -> NoReturn:
    """Run the command and exit with the code of its outcome."""
    open_missing_streams()
    replace_unencodable()
    try:
        _check_arguments()
        command()
    except Refused as error:
        _exit(1, *error.args)
    except SettingsError as error:
        _exit(2, *str(error).split("\n"))
    except Unreachable as error:
        _exit(3, error)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _exit(4, f"unexpected {type(error).__name__} in {frame.filename}:{frame.lineno}: {error}")
    sys.exit(0)


def _check_arguments() -> None:
    """Refuse arguments typed in another encoding than UTF-8: they hold half characters, which no database takes."""
    for argument in sys.argv[1:]:
        try:
            argument.encode()
        except UnicodeEncodeError:
            _exit(2, f"{argument!a} is not UTF-8")


def _exit(code: int, *sentences: object) -> NoReturn:
    print_err(*sentences)
    sys.exit(code)
