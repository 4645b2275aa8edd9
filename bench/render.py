"""How long a thousand workflow files take to render, in seconds of the processor and as a ratio to parsing them.

Each is parsed once while it is rendered, so the ratio says what all the rest costs.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from trustsmith.model.config import Config, Environment, Workflow
from trustsmith.model.foundry import ProjectId
from trustsmith.render import Site, render
from trustsmith.render.ink import events

if TYPE_CHECKING:
    from collections.abc import Callable

_FILES = 1000
_RUNS = 5
_SITE = Site(
    authority="https://login.microsoftonline.com",
    audience="api://AzureADTokenExchange",
    foundry_scope="https://ai.azure.com/.default",
    login_environment=None,
    version="0",
)


def _config() -> Config:
    project = ProjectId("11111111-1111-1111-1111-111111111111", "rg", "foundry", "agents")
    workflows = (
        Workflow(
            name=f"deploy-{number}",
            template="deploy-agents",
            path=f".github/workflows/deploy-{number}.yml",
            stages=(("dev",),),
        )
        for number in range(_FILES)
    )
    return Config(
        repository="contoso/agents",
        tenant="11111111-1111-1111-1111-111111111111",
        environments=(Environment(name="dev", projects=(project,)),),
        workflows=tuple(workflows),
    )


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Render and parse in turn, and print both."""
    config = _config()
    files = render(config, _SITE)
    pairs = [
        (
            seconds(lambda: render(config, _SITE)),
            seconds(lambda: [events(file.text) for file in files]),
        )
        for _ in range(_RUNS)
    ]
    rendering, parsing = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"{_FILES} files rendered in {rendering:.2f} s; rendering / parsing alone: {rendering / parsing:.2f}"
    )


if __name__ == "__main__":
    main()
