"""What a job needs besides the steps themselves: permission to ask for a token, an environment, and a sign-in.

Must not rewrite a use. A job's own `permissions` replace all others, so that none of those it had may get lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.rewrite.draft import Cannot, Draft, Ids
from trustsmith.rewrite.edits import Edit, added, below, content_end, indent_of, line_end, line_start, scalar
from trustsmith.rewrite.signins import login_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.model.document import Node, Pair
    from trustsmith.model.workflow import Job, Step
    from trustsmith.rewrite.draft import Signing

TOKEN = {"id-token": "write"}
#: What `read-all` stands for (GitHub docs: workflow syntax, permissions).
_READ_ALL = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)
_TOKEN = re.compile(
    r"secrets\s*(?:\.\s*|\[\s*')GITHUB_TOKEN|github\s*(?:\.\s*|\[\s*')token|\bgit\s+push\b", re.IGNORECASE
)
#: Actions that do with GitHub's token no more than `contents: read` allows.
_READERS = re.compile(
    r"actions/(?:checkout|cache|cache/\w+|setup-[\w-]+|(?:up|down)load-artifact)|hashicorp/setup-[\w-]+"
    r"|(?:azure|docker)/[\w/-]+"
)


def permit(draft: Draft, job: Job, together: Iterable[Job]) -> None:
    """Let a job ask for a token. together: all jobs that will. Raises Cannot."""
    key = (job.workflow.file, job.id)
    if key in draft.permitted:
        return
    draft.permitted.add(key)
    _note_who_else(draft, job)
    text, root = job.workflow.text, job.workflow.root
    own, shared = job.node.pair("permissions"), root.pair("permissions")
    if own is not None:
        draft.change(job.workflow.file, _allowed(text, job.node, own))
    elif shared is not None and _covers(shared.value):
        return
    elif shared is not None and shared.value.pairs and all(each in together for each in job.workflow.jobs):
        draft.change(job.workflow.file, _allowed(text, root, shared))
    else:
        before = shared.value if shared is not None else None
        draft.change(job.workflow.file, [_own_permissions(draft, job, before)])


def _note_who_else(draft: Draft, job: Job) -> None:
    """Say who starts the job that cannot be seen to, or may not be meant to."""
    triggers, place = job.workflow.triggers, f"{job.workflow.file}: job {job.id}"
    if "pull_request" in triggers:
        draft.notes[
            f"{place} also runs for pull requests: those from forks get no token, as they got no secret, and the branch rules "
            "of the environment hold for refs/pull/*/merge"
        ] = None
    if "pull_request_target" in triggers:
        draft.notes[
            f"{place} runs for pull requests from forks with the repository's own rights, and so with a token, as it had the "
            "secret: see that it runs nothing of theirs"
        ] = None
    if job.workflow.reusable and job.uses is None and not list(draft.repository.callers(job.workflow)):
        draft.notes[
            f"{job.workflow.file} is called by nothing here: jobs that call it have to give it id-token: write"
        ] = None


def _covers(permissions: Node) -> bool:
    return permissions.value == "write-all" or permissions.text("id-token") == "write"


def _allowed(text: str, holder: Node, pair: Pair) -> list[Edit | None]:
    """`id-token: write` among permissions that are there."""
    given = pair.value
    if _covers(given):
        return []
    if given.alias or given.anchor:
        raise Cannot("its permissions are shared through an anchor")
    if token := given.pair("id-token"):
        return [Edit(token.value.start, token.value.end, "write")]
    if given.value == "read-all":
        lines = _lines(text, holder, pair, dict.fromkeys(_READ_ALL, "read") | TOKEN)
        start = given.start - len(text[: given.start]) + len(text[: given.start].rstrip(" \t"))
        return [Edit(start, content_end(text, given), lines)]
    if given.flow and not given.pairs:
        return [Edit(given.start, given.end, "{id-token: write}")]
    return [added(text, given, TOKEN)]


def _lines(text: str, holder: Node, pair: Pair, entries: dict[str, str]) -> str:
    """A mapping below a key that had a text."""
    step = indent_of(holder) if holder.get("jobs") else 2
    indent = " " * (pair.key.column - 1 + step)
    end = line_end(text)
    return "".join(f"{end}{indent}{name}: {value}" for name, value in entries.items())


def _own_permissions(draft: Draft, job: Job, shared: Node | None) -> Edit | None:
    """A job's first permissions: those that its workflow has for all, else what a checkout needs.

    A job that calls a workflow also gives what the jobs there ask for: more than it has they may not have.
    """
    if shared is None:
        known = {"contents": "read"} | _asked_for(draft, job.local)
        if where := ", ".join([*_token_users(draft, job), *_token_users_below(draft, job)]):
            draft.notes[
                f"{job.workflow.file}: job {job.id} had the repository's default permissions, and now has contents: read "
                f"and id-token: write; its token may be used at {where}: add what that needs"
            ] = None
    elif shared.value == "read-all":
        known = dict.fromkeys(_READ_ALL, "read")
    else:
        known = {pair.key.value: pair.value.value for pair in shared.pairs}
    return _entry(job, "permissions", known | TOKEN)


def _asked_for(draft: Draft, file: str, depth: int = 4) -> dict[str, str]:
    """What the jobs of a local workflow ask for, the widest of each."""
    asked: dict[str, str] = {}
    for workflow in (w for w in draft.repository.workflows if file and w.file == file):
        for holder in (workflow.root, *(job.node for job in workflow.jobs)):
            given = holder.get("permissions")
            for pair in given.pairs if given is not None else ():
                if pair.value.value != "none" and asked.get(pair.key.value) != "write":
                    asked[pair.key.value] = pair.value.value
        for job in workflow.jobs if depth else ():
            asked |= {
                name: said
                for name, said in _asked_for(draft, job.local, depth - 1).items()
                if said == "write"
            }
    return asked


def _token_users(draft: Draft, job: Job) -> Iterator[str]:
    """Where a job uses GitHub's token for more than to read, or may: actions can take it by themselves."""
    for pair in (*job.env.values(), *job.workflow.env.values()):
        if _TOKEN.search(pair.value.value):  # every step has it then
            yield f"line {pair.key.line} ({pair.key.value})"
    for step in job.steps:
        texts = " ".join(node.value for node in step.node.texts())
        said = _TOKEN.search(texts) and step.action != "actions/checkout"
        if said or (step.action and not _reads(draft, step)):
            yield f"line {step.node.line}" + (f" ({step.action})" if step.action else "")


def _reads(draft: Draft, step: Step, depth: int = 4) -> bool:
    """Whether an action does no more with the token than to read: one of the checkout, if its steps do not."""
    if not step.local:
        return bool(_READERS.fullmatch(step.action))
    action = next((w for w in draft.repository.workflows if w.is_action and w.folder == step.local), None)
    steps = list(action.steps) if action is not None else []
    if action is None or not depth or not steps or _TOKEN.search(action.text):
        return False
    return all(_reads(draft, each, depth - 1) for each in steps if each.action)


def _token_users_below(draft: Draft, job: Job) -> Iterator[str]:
    """The same in the jobs of the local workflow that a job calls, which may have no more than it."""
    for workflow in (w for w in draft.repository.workflows if job.local and w.file == job.local):
        for called in workflow.jobs if workflow.root.get("permissions") is None else ():
            if called.node.get("permissions") is None:
                yield from (f"{where} of {workflow.file}" for where in _token_users(draft, called))


def place(draft: Draft, job: Job, environment: str) -> None:
    """Give a job its environment. Raises Cannot."""
    if job.environment is not None and job.environment.value.strip():
        if "${{" in job.environment.value and "''" in job.environment.value:
            raise Cannot("the job has no environment in some of its runs")
    elif job.node.pair("environment") is not None:
        raise Cannot("the job's environment has no name")
    else:
        draft.change(job.workflow.file, [_entry(job, "environment", scalar(environment))])


def _entry(job: Job, name: str, value: str | dict[str, str]) -> Edit | None:
    """A new entry of a job, below the one that says where it runs."""
    text = job.workflow.text
    if job.node.flow or job.node.alias or job.node.anchor:
        raise Cannot("the job is written in brackets, or shared through an anchor")
    after = job.node.pair("runs-on") or job.node.pair("uses")
    if after is None:
        raise Cannot("the job does not say where it runs")
    indent = " " * (after.key.column - 1)
    if isinstance(value, str):
        lines = [f"{indent}{name}: {value}"]
    else:
        inner = indent + " " * indent_of(job.workflow.root)
        lines = [f"{indent}{name}:", *(f"{inner}{key}: {said}" for key, said in value.items())]
    return below(text, content_end(text, after.value), lines)


def log_in(draft: Draft, signing: Signing) -> None:
    """Steps of azure/login before those that need one, unless the job has signed in by then. Raises Cannot."""
    job = signing.job
    made: list[str] = []
    for place, ids in sorted(signing.logins, key=lambda each: each[0]):
        before = [
            step
            for number, step in enumerate(job.steps[: place + 1])
            if (step.action == "azure/login" and number < place) or number in signing.turned
        ]
        conditions = {step.node.text("if") for step in before} | set(made)
        step = job.steps[place]
        if not conditions & {"", step.node.text("if")}:
            _has_cli(draft, job)
            draft.change(job.workflow.file, [_before(draft, step, ids)])
            made.append(step.node.text("if"))
        elif ids.client and ids.client not in {said for said, *_ in signing.whose}:
            draft.notes[
                f"{job.workflow.file}:{step.node.line}: this signed in as {ids.client}, and now goes by the sign-in before it"
            ] = None


def _has_cli(draft: Draft, job: Job) -> None:
    """Whether azure/login, where there was none, finds the Azure CLI that it takes. Raises Cannot."""
    if job.node.get("container") is not None:
        raise Cannot("the job runs in a container: put azure/login where Azure CLI is")
    runner = job.node.get("runs-on")
    if runner is not None and any(node.value == "self-hosted" for node in runner.texts()):
        draft.notes[
            f"{job.workflow.file}: job {job.id} is given azure/login, which takes Azure CLI: see that its runners have it"
        ] = None


def _before(draft: Draft, step: Step, ids: Ids) -> Edit:
    """A step of azure/login in front of another, and of the comment above that."""
    text = step.job.workflow.text
    dash = text.rfind("-", 0, step.node.start)
    start = line_start(text, dash)
    indent = text[start:dash]
    if indent.strip():
        raise Cannot("the steps are written in brackets")
    while start > 0 and text[line_start(text, start - 1) : start].strip().startswith("#"):
        start = line_start(text, start - 1)
    gap = text[dash + 1 : step.node.start]
    condition = step.node.pair("if")
    lines = login_lines(draft, step, ids)
    end = line_end(text)
    if condition is not None:
        column = " " * (step.node.pairs[0].key.column - 1)
        said = text[condition.key.start : content_end(text, condition.value)]
        lines = f"{said}{end}{column}{lines}"
    blank = end if start > 0 and not text[line_start(text, start - 1) : start].strip() else ""
    return Edit(start, start, f"{indent}-{gap}{lines}{end}{blank}")
