"""The ``linewash`` command, also ``python -m backend``.

Imports happen inside the function, because every worker process imports this file when it starts.
"""


def main() -> None:
    """Run the command line."""
    from backend.cli.app import app

    app()


if __name__ == "__main__":
    main()
