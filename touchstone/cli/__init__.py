"""The command line, `touchstone eval | collect | serve | ...`: its subcommands are in `touchstone.cli.commands`."""

from __future__ import annotations

import sys

from touchstone.environment import restart_clean
from touchstone.errors import TouchstoneError


def main() -> None:
    """Entry point. A user's mistake prints one sentence on stderr and exits with its code; Ctrl-C exits with 130."""
    restart_clean()
    from touchstone.cli.commands import parse

    try:
        sys.exit(parse(sys.argv[1:]).run())
    except TouchstoneError as error:
        print(f"touchstone: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("touchstone: interrupted; run the same command again to go on.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
