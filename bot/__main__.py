"""Entry point of the command `recado`."""

from bot.cli.main import cli
from bot.cli.streams import whole_output


def main() -> None:
    with whole_output():
        cli(prog_name="recado")


if __name__ == "__main__":
    main()
