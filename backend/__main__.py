"""The ``linewash`` command, also ``python -m backend``.

Nothing is imported here until it is called: a worker process imports this file again when it starts.
"""


def main() -> None:
    """Run the command line."""
    from backend.cli.app import app

    app()


if __name__ == "__main__":
    main()
