"""What GitHub tells of the actions in use: which of their releases may be pinned, checked as far as it tells.

Which release is chosen `model.pins` says. Must not ask any other host than the configured one, nor write anything.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trustsmith.errors import NotAllowed, NotFound, TrustsmithError
from trustsmith.flows import evidence as ask
from trustsmith.flows.session import Session, rendered
from trustsmith.model.actions_policy import Policy, policy_of
from trustsmith.model.pins import (
    COOLDOWN,
    Choice,
    Pin,
    Release,
    Update,
    choose,
    choose_named,
    is_exact,
    merged,
    uses_in,
)
from trustsmith.render import packaged_pins
from trustsmith.systems import together

if TYPE_CHECKING:
    from trustsmith.clients.github_wire import Json
    from trustsmith.model.config import Config

_DAY = 86_400


async def look_up(session: Session, config: Config, wanted: dict[str, str], *, every: bool) -> list[Update]:
    """What can be taken, by action. every: of all actions in use, else only of those in `wanted` (action → version).

    Raises UsageError for a version that is not there or older, and what the services answer but that they do not show
    an action.
    """
    session.talk.step("Looking for releases of actions")
    pins = merged(packaged_pins(), config.pins)
    spelt = {action.casefold(): action for action in pins}
    wanted = {spelt.get(action.casefold(), action): version for action, version in wanted.items()}
    texts = [file.text for file in rendered(config, session.endpoints, session.options)] if every else []
    in_use = {use.partition("@")[0] for text in texts for use in uses_in(text)}
    actions = sorted({*wanted, *(action for action in in_use if action in pins)}, key=str.lower)
    policy = await _policy(session, config.repository)
    looks = [_Action(session, action, pins.get(action), policy) for action in actions]
    return list(await together(*(one.look(wanted.get(one.name)) for one in looks)))


async def _policy(session: Session, repository: str) -> Policy:
    """The repository's policy; one that this token may not see restricts nothing here, and that is said."""
    answer, selected = await ask.actions_policy(session, repository)
    unread = next((each for each in (answer, selected) if isinstance(each, TrustsmithError)), None)
    if unread is not None:
        why = f"could not be read, and was not looked at: {unread.message}"
        session.talk.note(f"Which actions {repository} may use {why}")
    return ask.policy_in(repository, answer, selected) or policy_of(repository, {}, None)


class _Action:
    """One action: its releases, and whether one of them may be pinned."""

    def __init__(self, session: Session, name: str, pin: Pin | None, policy: Policy) -> None:
        self._session, self._hub = session, session.github
        self._host = session.endpoints.github_host
        self._policy = policy
        self._pin = pin
        self._now = time.time()
        self.name = name
        self._repository = "/".join(name.split("/")[:2])

    async def look(self, version: str | None) -> Update:
        """What can be taken. version: what was asked for by name, if anything was."""
        try:
            releases = [_release(each) for each in await self._hub.releases.newest(self._repository)]
            remarks = await self._about_pin()
            choice = self._choose(releases, version)
            update = await self._update(choice, named=version is not None and is_exact(version))
        except (NotFound, NotAllowed) as error:
            return Update(action=self.name, pin=self._pin, remarks=(self._unseen(error),), compared=False)
        return replace(update, remarks=(*remarks, *choice.remarks, *update.remarks))

    def _choose(self, releases: list[Release], version: str | None) -> Choice:
        if version is None:
            return choose(self._pin, releases, self._now)
        return choose_named(self.name, self._pin, releases, version, self._now)

    def _unseen(self, error: TrustsmithError) -> str:
        if not isinstance(error, NotFound):
            return f"{error.message} {error.hint}".strip()
        if self._host == "github.com":
            return f"github.com does not show {self._repository}."
        return (
            f"{self._host} does not show {self._repository}. Where GitHub Connect is on, jobs take it from github.com "
            "all the same; that host is not asked, and the pin stays."
        )

    async def _about_pin(self) -> list[str]:
        """What is to be said of the pin as it is."""
        if self._pin is None:
            return []
        commit = await self._hub.releases.commit_of(self._repository, self._pin.version)
        if commit is None:
            return [f"{self._host} shows no tag {self._pin.version} of it."]
        if commit != self._pin.sha:
            says = f"its tag {self._pin.version} leads to {commit[:7]}, not to {self._pin.short} as pinned"
            return [
                f"Warning: {says}. It was moved, or the pin was never of it; find out before you trust either."
            ]
        return self._policy.objections(self._pin.use)

    async def _update(self, choice: Choice, *, named: bool) -> Update:
        """The release that was chosen as a pin, if it stands every check. named: in full, and so in spite of some."""
        release, stays = choice.take, Update(action=self.name, pin=self._pin)
        if release is None:
            return stays
        sha = await self._hub.releases.commit_of(self._repository, release.tag)
        made = await self._hub.releases.committed(self._repository, sha) if sha else None
        if sha is None or made is None:
            return replace(stays, remarks=(f"{release.tag} leads to no commit.",))
        if self._pin is not None and sha == self._pin.sha:
            return stays
        day = datetime.fromtimestamp(release.published, UTC).date().isoformat()
        pin = Pin(action=self.name, version=release.tag, sha=sha, date=day)
        doubts = await self._doubts(pin, made)
        forbidden = self._policy.objections(pin.use, await ask.nested(self._session, self._policy, pin.use))
        if forbidden or (doubts and not named):
            return replace(stays, remarks=(*forbidden, *doubts), url=release.url)
        return replace(stays, to=pin, remarks=tuple(doubts), url=release.url)

    async def _doubts(self, pin: Pin, made: str) -> list[str]:
        """Why a commit may not be what the maintainers released. made: when it was committed."""
        found = []
        if self._now - datetime.fromisoformat(made).timestamp() < COOLDOWN * _DAY:
            found.append(
                f"{pin.version} was released on {pin.date}, but its commit {pin.short} is of {made[:10]}, less than "
                f"{COOLDOWN} days old."
            )
        if not await self._hub.releases.on_a_branch(self._repository, pin.sha):
            found.append(
                f"The commit {pin.short} of {pin.version} is on no branch of {self._repository} that was looked at. "
                "Forks share their commits with it, so anybody may have made it. To take it all the same: "
                f"trustsmith render --pin {self.name}@{pin.version}"
            )
        return found


def _release(answer: Json) -> Release:
    published = answer.get("published_at")
    return Release(
        tag=answer["tag_name"],
        url=answer["html_url"],
        published=datetime.fromisoformat(published).timestamp() if published else 0.0,
        draft=bool(answer.get("draft")) or not published,
        prerelease=bool(answer.get("prerelease")),
    )
