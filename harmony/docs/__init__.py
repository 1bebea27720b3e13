"""The documentation, built from the spec and the grammar. The extra ``docs`` brings the tools."""

from harmony.docs.build import build_reference, write_files
from harmony.docs.site import build_site

__all__ = ["build_reference", "build_site", "write_files"]
