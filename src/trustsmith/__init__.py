"""Keyless deployment from GitHub Actions to Microsoft Foundry."""

__version__ = "0.1.0"
