"""The net under the templates: a rendered workflow is read again and compared with what it was meant to hold.

Must not mend anything: a difference is a bug of ours, and nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.render.content import ENDPOINT

if TYPE_CHECKING:
    from trustsmith.render.content import Content, Job

_ACTIONS = ("actions/checkout", "actions/setup-python", "azure/login")
_JOB_KEYS = {"concurrency", "environment", "name", "permissions", "runs-on", "steps", "timeout-minutes"}


class MisrenderedError(RuntimeError):
    """A rendered text does not say what the configuration says: a bug of ours, which no user can mend."""


def compare(body: str, content: Content, actions: dict[str, tuple[str, str]]) -> None:
    """Read the rendered `body` with a YAML parser: it must hold what `content` means, and no more.

    actions: action → (`action@commit`, version), as pinned.
    Raises MisrenderedError. Costs 5 ms a job with ruamel's own parser, 0.7 ms where its C library is installed.
    """
    uses = [*(actions[action][0] for action in _ACTIONS), None, None, None]
    push = {"push": content.push} if content.push else {}
    meant = {
        "keys": ["defaults", "jobs", "name", "on", "permissions"],
        "top": (content.name, {"workflow_dispatch": None} | push, {}),
        "jobs": {job.id: _meant(job, content, uses) for job in content.jobs},
    }
    try:
        document = parsed(body, content.name)
        said = {
            "keys": sorted(document),
            "top": (document["name"], document["on"], document["permissions"]),
            "jobs": {job_id: _said(job, content) for job_id, job in document["jobs"].items()},
        }
    except (AttributeError, LookupError, TypeError) as error:
        raise MisrenderedError(f"the workflow {content.name!r} came out broken") from error
    if said != meant:
        raise MisrenderedError(f"the workflow {content.name!r} came out other than it was meant")


def parsed(body: str, name: str) -> Any:
    """What a YAML parser reads in the text of the workflow called `name`. Raises MisrenderedError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe").load(body)
    except YAMLError as error:
        raise MisrenderedError(f"the workflow {name!r} is no YAML") from error


def _meant(job: Job, content: Content, uses: list[str | None]) -> dict[str, Any]:
    """What the parsed job has to say, in the form of `_said`."""
    site = content.site
    login = {
        "client-id": job.client,
        "tenant-id": job.tenant,
        "allow-no-subscriptions": True,
        "audience": site.audience,
    }
    return {
        "keys": sorted(_JOB_KEYS | ({"needs"} if job.needs else set())),
        "name": job.title,
        "needs": job.needs,
        "environment": job.environment,
        "concurrency": {"group": job.group, "cancel-in-progress": False},
        "permissions": {"contents": "read", "id-token": "write"},
        "uses": uses,
        "steps": [["name", "uses", "with"]] * 3 + [["env", "name", "run"]] * 3,
        "login": login | ({"environment": site.login_environment} if site.login_environment else {}),
        "endpoints": job.endpoints,
        "run": content.run,
    }


def _said(job: dict[str, Any], content: Content) -> dict[str, Any]:
    """What a parsed job says. The template's own command holds nothing of the configuration: left out."""
    steps = job["steps"]
    return {
        "keys": sorted(job),
        "name": job["name"],
        "needs": job.get("needs"),
        "environment": job["environment"],
        "concurrency": job["concurrency"],
        "permissions": job["permissions"],
        "uses": [step.get("uses") for step in steps],
        "steps": [sorted(step) for step in steps],
        "login": steps[2]["with"],
        "endpoints": {key: text for key, text in steps[-1]["env"].items() if key.startswith(ENDPOINT)},
        "run": steps[-1]["run"] if content.run else None,
    }
