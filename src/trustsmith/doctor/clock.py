"""This machine's clock against those of the services. Pure; must not read a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import AZURE, ENTRA, GITHUB, Check, bad, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding

#: Seconds. Entra allows five minutes when it looks at a token's times; half of that may be used up by others.
_MOST = 120.0


def skew(evidence: Evidence) -> Iterator[Finding]:
    """A clock that is wrong makes tokens look expired, or not good yet."""
    if not evidence.skews:
        return
    service, ahead = max(evidence.skews.items(), key=lambda item: abs(item[1]))
    if abs(ahead) > _MOST:
        way = "behind" if ahead > 0 else "ahead of"
        yield bad(
            f"This machine's clock is {abs(ahead):.0f} s {way} {service}'s: tokens look expired, or not good yet.",
            next="Set it by the network:\n  timedatectl set-ntp true      (Windows: w32tm /resync; macOS: sntp -sS "
            "time.apple.com)",
        )
    else:
        yield fine("This machine's clock agrees with the services'.")


CHECKS = (Check("clock", ENTRA | AZURE | GITHUB, skew),)
