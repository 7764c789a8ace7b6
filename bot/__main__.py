"""Entry point of the command `recado`."""

from bot.cli.main import cli


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
