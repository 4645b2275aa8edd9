"""Fixtures of the packaging tests."""

from tests.packaging.installed import built, installed

__all__ = ["built", "installed"]
