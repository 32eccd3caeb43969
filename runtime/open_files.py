"""The limit of open files: a process takes what it may have, for each connection is an open file.

The usual soft limit of 1,024 is for programs that use select(), which none of ours does.
"""

import errno
import os
import resource
from contextlib import suppress

NONE_LEFT = "this process may open no more files: raise its limit (ulimit -n)"
MOST_OPEN_FILES = 65_536  # where the hard limit is none: more than any of our processes has use for


def raise_limit_of_open_files() -> None:
    """Raise the soft limit to the hard one. Leave it as it is where the system has its own mind about that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS allows less than its hard limit says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def are_open_files_used_up() -> bool:
    """Try whether one more file can be opened."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
