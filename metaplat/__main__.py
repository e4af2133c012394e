"""``python -m metaplat`` is the ``metaplat`` command."""

from metaplat.cli.main import main

if __name__ == "__main__":
    main()
