"""The command-line tests run the installed wheel; see `tests.packaging.installed` and `tests.cli.desk`."""

from tests.cli.desks import configured, desk, was_configured
from tests.packaging.installed import built, installed

__all__ = ["built", "configured", "desk", "installed", "was_configured"]
