"""Entry point of the command `recado`."""

from bot.cli.main import cli
from bot.cli.streams import keep_closed_pipes_quiet


def main() -> None:
    keep_closed_pipes_quiet()
    cli(prog_name="recado")


if __name__ == "__main__":
    main()
