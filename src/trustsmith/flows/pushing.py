"""One commit, one branch, one pull request: made when they are not there, brought up to date when they are.

Each step finds what an earlier run did of it, so that a run that was cut is finished by the next. Must not decide what the
files hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trustsmith.errors import Conflict, Incomplete, NotAllowed, NotFound, Refused, ServiceError, UsageError
from trustsmith.model.branch import Commit, foreign, message_of, title_of
from trustsmith.systems.published import Published
from trustsmith.ui.report_pull import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.flows.session import Session
    from trustsmith.model.branch import Proposal

_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """How it ended. state: opened, updated, unchanged, needless (it is open, and there is nothing to do), or none."""

    state: str
    said: str
    branch: str
    url: str = ""
    number: int | None = None
    commit: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry in the command's document."""
        return {
            "state": self.state,
            "url": self.url,
            "number": self.number,
            "branch": self.branch,
            "commit": self.commit,
        }


class Push:
    """Brings files into one kind of pull request, against the last commit of the default branch."""

    def __init__(self, session: Session, published: Published, proposal: Proposal) -> None:
        self._proposal = proposal
        self._talk = session.talk
        self._web = session.endpoints.web
        self._commits = session.github.commits
        self._published = published
        self._name = published.full_name

    async def nothing(self) -> Pushed:
        """There is nothing to do: perhaps a pull request of ours is still open."""
        pull = await self._commits.open_pull(self._name, self._proposal.branch)
        said = f"Nothing to do: {self._published.branch} {self._proposal.done}."
        if pull is None:
            return Pushed(state="none", said=said, branch=self._proposal.branch)
        self._talk.note(
            f"{pull['html_url']} is open and no longer needed. It was left as it is: close it, or delete its branch."
        )
        return replace(self._pushed("needless", pull, None), said=said)

    async def carry_out(self, files: Mapping[str, str | None], body: str) -> Pushed:
        """Path → text, None to take a file away.

        Raises Refused for others' commits on the branch, NotAllowed, ServiceError, Incomplete.
        """
        self._talk.step(f"Pushing {len(files)} files to {self._proposal.branch}")
        tip = await self._commits.head(self._name, self._proposal.branch)
        own = await self._own(tip)
        tree = await self._tree(files)
        if tree == self._published.tree:
            return await self.nothing()
        commit = _the_same(own, tree, self._published.commit)
        pushed = commit is None
        if commit is None:
            message = message_of(self._proposal, files, tree)
            commit = await self._commits.make_commit(self._name, message, tree, self._published.commit)
            await self._point(tip, commit)
        return await self._pull(commit, title_of(self._proposal, files), body, pushed=pushed)

    async def _own(self, tip: str | None) -> list[Commit]:
        """The commits that only the branch has. Raises Refused when somebody else made one of them."""
        if tip is None:
            return []
        try:
            found = await self._commits.own_commits(self._name, self._published.commit, self._proposal.branch)
        except NotFound:
            raise Refused(
                f"The branch {self._proposal.branch} has no commit in common with {self._published.branch}; nothing was pushed.",
                hint="Rename or delete it, then run the same again.",
            ) from None
        own = [_commit(each) for each in found]
        if others := foreign(own):
            listed = "\n".join(f"  {commit}" for commit in others[:_MOST_NAMED])
            more = f"\n  and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
            raise Refused(
                f"The branch {self._proposal.branch} holds commits that trustsmith did not make; nothing was pushed.\n{listed}{more}",
                hint=f"Merge or move them, then delete the branch and run the same again:\n  {self._page(f'tree/{self._proposal.branch}')}",
            )
        return own

    async def _tree(self, files: Mapping[str, str | None]) -> str:
        try:
            return await self._commits.make_tree(self._name, self._published.tree, files)
        except (NotAllowed, NotFound) as error:
            raise NotAllowed(
                f"The token may not write to {self._name}, or not its workflow files. Nothing was pushed.",
                service="github",
                status=error.status,
                hint="It needs, on this repository: Contents, Workflows and Pull requests to write (a fine-grained token or "
                "an app), or the scopes `repo` and `workflow` (a classic one). A job's own GITHUB_TOKEN can never write "
                "workflow files.",
                original=error.original,
            ) from None

    async def _point(self, tip: str | None, commit: str) -> None:
        """Let the branch end in the commit, if neither it nor the default branch has moved meanwhile."""
        for branch, seen in ((self._published.branch, self._published.commit), (self._proposal.branch, tip)):
            if await self._commits.head(self._name, branch) != seen:
                raise Refused(
                    f"The branch {branch} moved while this ran; nothing was pushed.",
                    hint="Run the same again.",
                )
        try:
            if tip is None:
                await self._commits.make_branch(self._name, self._proposal.branch, commit)
            else:
                await self._commits.move_branch(self._name, self._proposal.branch, commit)
        except (Conflict, NotAllowed, NotFound) as error:
            raise type(error)(
                f"GitHub does not let this token write the branch {self._proposal.branch}; nothing was pushed.",
                service="github",
                status=error.status,
                hint=f"A rule may forbid it: {self._page('rules')}\nA branch `trustsmith` would be in its way, too.",
                original=error.original,
            ) from None

    async def _pull(self, commit: str, title: str, body: str, *, pushed: bool) -> Pushed:
        """The one pull request. Raises Incomplete when there is none at the end."""
        try:
            there = await self._commits.open_pull(self._name, self._proposal.branch)
            if there is not None:
                return await self._update(there, commit, body, pushed=pushed)
            base = self._published.branch
            made = await self._commits.make_pull(self._name, self._proposal.branch, base, title, body)
        except ServiceError as error:
            raise Incomplete(
                f"The branch {self._proposal.branch} is pushed, and there is no pull request for it as it should be: {error.message}",
                hint="Run the same again, or open it by hand:\n  "
                + self._page(f"compare/{quote(self._published.branch)}...{quote(self._proposal.branch)}")
                + "\nA token needs Pull requests to write; a job's own also that Actions may create pull requests (the "
                "repository's settings, Actions, General).",
                original=error.original,
            ) from None
        return self._pushed("opened", made, commit)

    async def _update(self, there: dict[str, Any], commit: str, body: str, *, pushed: bool) -> Pushed:
        text = str(there.get("body") or "")
        wanted = merged(text, body)
        if wanted != text:
            await self._commits.change_pull(self._name, int(there["number"]), wanted)
        base = (there.get("base") or {}).get("ref")
        if base != self._published.branch:
            self._talk.warn(
                f"{there['html_url']} goes into {base}, and was made for {self._published.branch}."
            )
        return self._pushed("updated" if pushed or wanted != text else "unchanged", there, commit)

    def _pushed(self, state: str, pull: Mapping[str, Any], commit: str | None) -> Pushed:
        url = str(pull["html_url"])
        return Pushed(
            state=state,
            said=f"{state.capitalize()}: {url}",
            branch=self._proposal.branch,
            url=url,
            number=int(pull["number"]),
            commit=commit,
        )

    def _page(self, rest: str) -> str:
        return f"{self._web}/{self._name}/{rest}"


def _the_same(own: list[Commit], tree: str, parent: str) -> str | None:
    """The branch's commit, if it is the one that would be made."""
    if len(own) == 1 and own[0].tree == tree and own[0].parents == (parent,):
        return own[0].sha
    return None


def _commit(answer: Mapping[str, Any]) -> Commit:
    said = answer["commit"]
    author = (answer.get("author") or {}).get("login") or (said.get("author") or {}).get("name") or "somebody"
    parents = tuple(str(parent["sha"]) for parent in answer.get("parents") or ())
    return Commit(str(answer["sha"]), str(said["tree"]["sha"]), str(said["message"]), str(author), parents)


async def look_at_branch(session: Session, name: str) -> Published:
    """The default branch as it is now, if this token can be used to change it by a pull request. name: owner/name."""
    hub = session.github
    repository = await hub.repository(name)
    if repository is None:
        raise UsageError(
            f"{session.endpoints.github_host} does not show {name}.",
            hint="Check the name, and that the token may see it.",
        )
    _check_rights(repository, hub.token_facts())
    name, branch = str(repository["full_name"]), str(repository["default_branch"])
    commit = await hub.commits.head(name, branch)
    if commit is None:
        raise UsageError(f"{name} has no branch {branch} yet.", hint="Push a first commit to it.")
    return Published(hub, name, branch, commit, await hub.commits.tree_of(name, commit))


def _check_rights(repository: dict[str, Any], token: dict[str, Any]) -> None:
    """Raise for what is known beforehand; a fine-grained token's rights show only when they are used."""
    name = repository["full_name"]
    if repository.get("archived"):
        raise UsageError(
            f"{name} is archived: nothing in it can be changed.", hint=f"gh repo unarchive {name}"
        )
    if (repository.get("permissions") or {}).get("push") is False:
        raise NotAllowed(
            f"The token's owner may not push to {name}.",
            service="github",
            hint="Ask for the role Write, or let somebody run it who has that.",
        )
    if token["scopes"] and "workflow" not in token["scopes"]:
        raise NotAllowed(
            "The token may not write workflow files: it lacks the scope `workflow`. Nothing was pushed.",
            service="github",
            hint="gh auth refresh --scopes workflow\nor give the token in GH_TOKEN that scope",
        )
