"""The configuration's `observer`: who looks whether everything is still as the file says.

Must not read files or contact anything; what an observer may read is in `model.observing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from trustsmith import configvalues as values
from trustsmith.configkeys import required
from trustsmith.configreader import Reader, shown
from trustsmith.model.config import Observer

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

    from trustsmith.model.config import Config


def read(reader: Reader, node: Node | None) -> Observer | None:
    """The observer; None when the file has none. `observer: {}` is one with everything by default."""
    fields = reader.mapping(node, "observer", required("observer"))
    if node is None:
        return None
    name = reader.value(fields.get("environment"), "environment", values.environment_name)
    github = reader.value(fields.get("github"), "github", values.one_of(["token", "app"]))
    reach = reader.value(fields.get("reach"), "reach", values.one_of(["accounts", "subscriptions"]))
    return Observer(
        environment=name or Observer.environment,
        client_id=reader.value(fields.get("client_id"), "client_id", values.client_id),
        github=cast("Literal['token', 'app']", github or Observer.github),
        reach=cast("Literal['accounts', 'subscriptions']", reach or Observer.reach),
    )


def check(reader: Reader, config: Config, node: Node | None) -> None:
    """It has an environment and an identity of its own: who deploys must not read the tenant, and the other way round."""
    observer = config.observer
    if observer is None:
        return
    taken = [e.name for e in config.environments if e.name.casefold() == observer.environment.casefold()]
    if taken:
        reader.report(
            node,
            f"The observer's environment is called {shown(observer.environment, 40)}, as one that deploys.",
            "Give it another name: observer: {environment: trustsmith-observer}",
        )
    shared = [e.name for e in config.environments if e.client_id and e.client_id == observer.client_id]
    if shared:
        reader.report(
            node,
            f"The observer has the 'client_id' of environment {shown(shared[0], 40)}: what deploys there could then read "
            "the whole tenant.",
            "Name another application, or leave 'client_id' out to have one registered.",
        )
