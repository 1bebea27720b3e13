"""``python -m harmony`` is the command ``harmony``."""

from harmony.cli import main

if __name__ == "__main__":
    main()
