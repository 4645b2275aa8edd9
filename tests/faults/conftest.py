"""The fault tests run the installed wheel, as the command-line tests do."""

from tests.cli.desks import configured, desk, was_configured
from tests.packaging.installed import built, installed

__all__ = ["built", "configured", "desk", "installed", "was_configured"]
