"""The limit of open files: raised to the hard limit, for each connection is an open file.

The usual soft limit of 1,024 is for programs that use select(), which none of ours does.
"""

import errno
import os
import resource
from contextlib import suppress

NONE_LEFT = "this process may open no more files: raise its limit (ulimit -n)"
MOST_OPEN_FILES = 65_536  # if the hard limit is infinite: more than any of our processes needs


def raise_limit_of_open_files() -> None:
    """Raise the soft limit to the hard one. Leave it as it is if the system refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS allows less than its hard limit says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def are_open_files_used_up() -> bool:
    """Try to open one more file. True if the limit forbids it."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
