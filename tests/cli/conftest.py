"""The command-line tests run the installed wheel; see `tests.packaging.installed`."""

from tests.packaging.installed import built, installed

__all__ = ["built", "installed"]
