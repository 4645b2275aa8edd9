"""What the jobs of each environment do, and what its roles permit now, brought together for advice. Changes nothing.

What follows from it is judged in `trustsmith.grants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.errors import UsageError
from trustsmith.flows.evidence import role_definitions
from trustsmith.grants import assess, not_looked_at
from trustsmith.model.advice import Jobs
from trustsmith.model.config import CHECK_TRUST
from trustsmith.render import catalogue, own_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from trustsmith.flows.session import Session
    from trustsmith.model.advice import Advice
    from trustsmith.model.config import Config, Environment
    from trustsmith.model.resource import Side
    from trustsmith.render import Template


async def advised(session: Session, config: Config, sides: Collection[Side]) -> tuple[Advice, ...]:
    """The advice about the roles of each environment; without Azure among the sides, that it was not looked at."""
    if "azure" not in sides:
        return not_looked_at(config)
    answers = await role_definitions(session, config)
    definitions = {role: answer for role, answer in answers.items() if isinstance(answer, dict)}
    return assess(config, jobs_of(config, session.options.root), definitions)


def jobs_of(config: Config, root: Path | None = None) -> dict[str, Jobs]:
    """By environment, what its jobs do in Azure. root: the checkout, with the repository's own templates.

    Templates that are broken, or not there, declare nothing here: whoever renders them says what is wrong.
    """
    try:
        known = catalogue(own_folder(config, root))
    except UsageError:
        known = catalogue()
    return {environment.name: _jobs(config, environment, known) for environment in config.environments}


def _jobs(config: Config, environment: Environment, known: Mapping[str, Template]) -> Jobs:
    """They may do more where a template does not say that it declares all, and others where a workload is trusted, too.

    Where nothing but the proof is generated, other workflows are what the environment is for.
    """
    workflows = [workflow for workflow in config.workflows if environment.name in workflow.environments]
    done = [(known.get(workflow.template), workflow) for workflow in workflows]
    declared = [template.operations_of(workflow) for template, workflow in done if template]
    proven_only = all(workflow.template == CHECK_TRUST for workflow in workflows)
    complete = all(template and template.complete and not workflow.run for template, workflow in done)
    operations = dict.fromkeys(operation for operations in declared for operation in operations)
    return Jobs(operations=tuple(operations), more=proven_only or not complete or bool(environment.trusts))
