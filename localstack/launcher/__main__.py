"""python -m launcher: checks the settings and the pins, then serves."""

import errno
import importlib.metadata
import os
import sys

from . import settings


def main() -> int:
    try:
        chosen = settings.Settings.read(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    version = importlib.metadata.version("ministack")
    if version != settings.MINISTACK:
        print(f"ministack is {version}; the launcher uses private names of {settings.MINISTACK}, "
              "so that only this one will do (localstack/requirements.lock)", file=sys.stderr)
        return 2
    # Before ministack is imported, which reads it: and its functions shall not see our shell.
    environment = chosen.environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    from . import server
    try:
        server.run(chosen)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        print(f"listen on {chosen.host}:{chosen.port}: {os.strerror(error.errno)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
