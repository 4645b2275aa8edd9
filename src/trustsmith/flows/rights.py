"""What the jobs of each environment do, and what its roles permit now, brought together for advice. Changes nothing.

What follows from it is judged in `trustsmith.grants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.flows.evidence import role_definitions
from trustsmith.grants import assess, not_looked_at
from trustsmith.model.advice import Jobs
from trustsmith.model.config import CHECK_TRUST
from trustsmith.render import does_more, operations_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.flows.session import Session
    from trustsmith.model.advice import Advice
    from trustsmith.model.config import Config, Environment
    from trustsmith.model.resource import Side


async def advised(session: Session, config: Config, sides: Collection[Side]) -> tuple[Advice, ...]:
    """The advice about the roles of each environment; without Azure among the sides, that it was not looked at."""
    if "azure" not in sides:
        return not_looked_at(config)
    answers = await role_definitions(session, config)
    definitions = {role: answer for role, answer in answers.items() if isinstance(answer, dict)}
    return assess(config, jobs_of(config), definitions)


def jobs_of(config: Config) -> dict[str, Jobs]:
    """By environment, what its jobs do in Azure."""
    return {environment.name: _jobs(config, environment) for environment in config.environments}


def _jobs(config: Config, environment: Environment) -> Jobs:
    """A workload that is trusted beside the jobs may do anything, and so may a workflow that declares nothing.

    Where nothing but the proof is generated, other workflows are what the environment is for.
    """
    workflows = [workflow for workflow in config.workflows if environment.name in workflow.environments]
    done = [operations_of(workflow) for workflow in workflows]
    proven_only = all(workflow.template == CHECK_TRUST for workflow in workflows)
    more = proven_only or not all(done) or bool(environment.trusts) or any(map(does_more, workflows))
    return Jobs(operations=tuple(dict.fromkeys(o for does in done for o in does)), more=more)
