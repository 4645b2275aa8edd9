"""What expanding does to a repository's jobs, for people. Builds lines and values; must not print or decide."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.rewrite.placing import proposal
from trustsmith.ui.report import Line
from trustsmith.ui.report_migrate import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.migrate.expansion import Shadow
    from trustsmith.model.config import Config
    from trustsmith.rewrite.placing import Placed


class Expansion(NamedTuple):
    """The jobs that use an old secret, and what is configured for them.

    prefix: of the repository's subjects. hidden: what the ids would have hidden as variables. file: the configuration's,
    seen from the checkout. written: whether it will be.
    """

    placed: Sequence[Placed]
    config: Config
    prefix: str
    hidden: Sequence[Shadow]
    file: str
    written: bool

    @property
    def unplaced(self) -> list[Placed]:
        """Those of which nobody has said an environment."""
        return [each for each in self.placed if not each.said]

    @property
    def order(self) -> list[str]:
        """The environments in the order in which they are deployed to."""
        return [each.name for each in self.config.environments]


def as_json(expansion: Expansion) -> dict[str, Any]:
    """The jobs for machines."""
    return {"jobs": [each.as_json() for each in expansion.placed], "store": expansion.config.store}


def jobs(placed: Sequence[Placed]) -> Iterator[Line]:
    """Where each job is to run."""
    yield from table("Jobs that use a secret", [(each.place, _where(each)) for each in placed])


def lines(expansion: Expansion) -> Iterator[Line]:
    """What an environment changes for its jobs, and what else is to be known before somebody says yes."""
    if any(each.job.environment is None for each in expansion.placed):
        yield Line(
            f"A job without an environment has a subject such as {expansion.prefix}:ref:refs/heads/main,"
        )
        yield Line("which no credential of ours trusts. With one its subject is")
        yield Line(f"{expansion.prefix}:environment:ENV,")
        yield Line("and the environment's rules and secrets are its own.")
        yield Line("")
    rows = [(each.place, _proposed(each, expansion)) for each in expansion.unplaced]
    yield from table("Proposed", rows)
    for note in _notes(expansion):
        yield Line(f"Note: {note}")
    yield Line("")


def _notes(expansion: Expansion) -> Iterator[str]:
    if expansion.written:
        yield f"{expansion.file} is written, too, when the plan is accepted."
    if any(environment.client_id is None for environment in expansion.config.environments):
        yield (
            "New applications have Foundry Project Manager on their projects and nothing else: the old one's other roles do "
            "not come along. Declare as grants what jobs need besides."
        )
    if expansion.hidden:
        names = ", ".join(f"{shadow.name} ({shadow.environment})" for shadow in expansion.hidden)
        words = " ".join(f"--allow {shlex.quote(shadow.hazard.id)}" for shadow in expansion.hidden)
        yield (
            f"The ids become secrets of the environments: as variables they would hide {names} from the workflows as they "
            f"are. Called workflows read such secrets only with secrets: inherit. To have variables all the same, begin with {words}."
        )


def _where(placed: Placed) -> str:
    if not placed.said:
        return "no environment yet"
    if placed.names is None:
        return f"{placed.said}: what that can be is not said in the checkout; configure each of them"
    names = ", ".join(sorted(placed.names))
    said = names if placed.said in placed.names else f"{placed.said}: {names}"
    return f"{said} ({placed.how}; to be added)" if placed.how else said


def _proposed(placed: Placed, expansion: Expansion) -> str:
    environment, why = proposal(placed.job, expansion.order)
    return f"{environment}: {why}" if environment else why


def next_steps(expansion: Expansion) -> str:
    """What to type when both ways in are there."""
    words = [f"--environment {shlex.quote(word)}" for word in _words(expansion)]
    rewrite = " ".join(["trustsmith migrate --rewrite", *words])
    files = " ".join(
        [shlex.quote(expansion.file), *(workflow.path for workflow in expansion.config.workflows)]
    )
    return (
        f"\nThe new way in is set up beside the old one: nothing was taken away, and nothing is proven yet. Next, bring "
        f"the check to the default branch, and rewrite the workflows:\n"
        f"  git add {files}\n"
        f"  git commit -m 'Trust the environments'\n"
        f"  git push\n"
        f"  {rewrite}          # a diff; then with --write, or --pr\n"
        f"  trustsmith migrate --prove\n"
        f"Where it stands: trustsmith migrate --status"
    )


def _words(expansion: Expansion) -> Iterator[str]:
    """What was said of jobs, and what is proposed for the others."""
    for each in expansion.placed:
        if each.job.environment is not None:
            continue
        environment = each.said if each.said and "${{" not in each.said else ""
        environment = environment or proposal(each.job, expansion.order)[0]
        if not each.said or each.how == "as you say":
            yield f"{each.job.id}={environment or 'ENV'}"
