"""Entry point of the command `recado`."""

import sys

if "rich" not in sys.modules:
    # structlog imports fifty modules of rich for coloured tracebacks, which no log of ours has.
    sys.modules["rich"] = None  # type: ignore[assignment] # so that an import says that there is none
    import structlog  # noqa: F401 - remembers that there is none

    del sys.modules["rich"]

from bot.cli.main import cli
from bot.cli.streams import whole_output


def main() -> None:
    with whole_output():
        cli(prog_name="recado")


if __name__ == "__main__":
    main()
