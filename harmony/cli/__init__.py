"""The command ``harmony``: JSON in, JSON out."""

from harmony.cli.entry import main

__all__ = ["main"]
