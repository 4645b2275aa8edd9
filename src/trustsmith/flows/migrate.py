"""`migrate --scan`: reads the checkout, has it scanned, and shows what was found. Changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trustsmith.errors import Differences
from trustsmith.migrate.listing import Entry, Listing
from trustsmith.migrate.scan import scan
from trustsmith.systems import sources
from trustsmith.ui import report_migrate

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


def show(options: Options, console: Console) -> None:
    """Show every use of a long-lived Azure credential. Raises Differences when there is one, or a file was not read."""
    repository, problems = sources.read(options.root)
    console.step("Looking for credentials")
    listing = Listing(
        entries=tuple(Entry(use=use) for use in scan(repository)),
        problems=tuple(problems),
        files=len(repository.workflows),
    )
    console.document(listing.as_json())
    console.data(report_migrate.lines(listing))
    if console.format == "sarif":
        console.raw(json.dumps(report_migrate.sarif(listing), indent=2) + "\n")
    if listing.entries:
        raise Differences(
            "Long-lived Azure credentials are in use.", hint="What takes their place is said above."
        )
    if listing.problems:
        raise Differences(
            "Not every file could be read.", hint="Mend what is named above, then run the same again."
        )
