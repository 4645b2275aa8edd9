"""`migrate --contract` in this process: contoso/legacy after expansion, rewriting and proof, with all its old secrets.

What is removed is seen in the sandbox's world and log, and in the record.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import project
from trustsmith.cli import cli
from trustsmith.cli.exits import run
from trustsmith.errors import Refused
from trustsmith.flows.contracting import contract as take_away
from trustsmith.flows.session import Options
from trustsmith.ui.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flows.conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
LEGACY = "0a000000-0000-0000-0000-000000000003"
EXPIRED, CURRENT = (f"0f000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
CONTRIBUTOR = f"delete-role=contributor@{SUBSCRIPTION}#{LEGACY}"
SECRETS = (
    "delete-secret=environment/production/AZURE_CLIENT_SECRET",
    "delete-secret=environment/staging/AZURE_CREDENTIALS",
    "delete-secret=repository/AZURE_CLIENT_SECRET",
    "delete-secret=repository/AZURE_CREDENTIALS",
    "delete-secret=repository/AZURE_SP_PASSWORD",
    "delete-secret=dependabot/AZURE_CREDENTIALS",
    "delete-secret=codespaces/AZURE_CLIENT_SECRET",
    "delete-secret=agents/AZURE_CLIENT_SECRET",
    "delete-secret=organization/AZURE_CREDENTIALS",
)
SHARED = "organization/AZURE_CLIENT_SECRET"
CONFIG = f"""\
version: 1
repository: contoso/legacy
tenant: 11111111-1111-1111-1111-111111111111
store: variables
environments:
  staging: {{project: {project("dev")}, client_id: {LEGACY}}}
  production: {{project: {project("prod")}, client_id: {LEGACY}}}
workflows:
  check-trust: {{template: check-trust}}
"""
DEPLOY = """\
on: push
permissions: {id-token: write, contents: read}
jobs:
  staging:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - uses: azure/login@v3
        with:
          client-id: ${{ vars.AZURE_CLIENT_ID }}
          tenant-id: ${{ vars.AZURE_TENANT_ID }}
          subscription-id: ${{ vars.AZURE_SUBSCRIPTION_ID }}
"""
TRUST = ".github/workflows/check-trust.yml"
_PROVEN: dict[str, Json] = {}


def legacy(world: Json) -> Json:
    found: Json = world["github"]["repositories"]["4002"]
    return found


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        document: Json = json.loads(self.out)
        return document

    @property
    def against(self) -> str:
        """What speaks against the plan; each of it is named on stderr, too."""
        hazards = [hazard for hazard in self.json["plan"]["hazards"] if not hazard["allowed"]]
        assert all(hazard["id"] in self.err for hazard in hazards)
        return "\n".join(f"{hazard['id']}: {hazard['why']}" for hazard in hazards)


@dataclass
class Contract:
    """Run `trustsmith migrate --contract` with these words; no value of a secret may be shown or recorded."""

    bench: Bench
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *allow: str, more: tuple[str, ...] = ("--yes", "--format", "json")) -> Ran:
        self.bench.forget()
        self.capsys.readouterr()
        words = [word for each in allow for word in ("--allow", each)]
        code = run(cli, ["-C", str(self.bench.checkout), "migrate", "--contract", *words, *more])
        out, err = self.capsys.readouterr()
        text = self.file.read_text() if self.file.exists() else ""
        assert "sandbox-legacy-client-credential" not in out + err + text
        return Ran(code, out, err)

    @property
    def file(self) -> Path:
        return self.bench.checkout / "trustsmith-removed.jsonl"

    @property
    def record(self) -> list[Json]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def left(self) -> dict[str, set[str]]:
        """What the world still has of it."""
        world = self.bench.sandbox.state()
        repository = legacy(world)
        (app,) = (a for a in world["applications"].values() if a["appId"] == LEGACY)
        stores = {name: set(values) for name, values in repository["stores"].items()}
        return {
            **stores,
            "repository": set(repository["secrets"]),
            "staging": set(repository["environments"]["staging"]["secrets"]),
            "production": set(repository["environments"]["production"]["secrets"]),
            "organization": set(world["github"]["organizations"]["contoso"]["secrets"]),
            "passwords": {p["keyId"] for p in app["passwordCredentials"]},
        }


@pytest.fixture
def contract(bench: Bench, capsys: pytest.CaptureFixture[str]) -> Contract:
    """Everything is proven, and nothing on the default branch reads a secret; made once a worker."""
    bench.write(CONFIG)
    if not _PROVEN:
        bench.edit(lambda world: _rewritten(world.data))
        bench.apply()
        files = {TRUST: (bench.checkout / TRUST).read_text()}
        push = {"repository": "contoso/legacy", "branch": "main", "files": files}
        bench.sandbox.control("push", push)
        assert run(cli, ["-C", str(bench.checkout), "verify", "--run"]) == 0, capsys.readouterr()
        _PROVEN["world"] = bench.sandbox.state()
    bench.sandbox.control("reset", _PROVEN["world"])
    return Contract(bench, capsys)


def _rewritten(world: Json) -> None:
    """The default branch without secrets; and the operator may take roles of the subscription away."""
    legacy(world)["files"]["main"] = {".github/workflows/deploy.yml": DEPLOY}
    admin = next(
        a for a in world["role_assignments"].values() if a["properties"]["scope"].endswith("rg-foundry-dev")
    )
    text = json.dumps(admin).replace("/resourceGroups/rg-foundry-dev", "").replace("ee00", "ee99")
    more = json.loads(text)
    world["role_assignments"][more["id"].lower()] = more


def words(ran: Ran) -> set[str]:
    return {stray["word"] for stray in ran.json["plan"]["strays"]}


def test_without_a_word_all_is_shown_and_nothing_goes(contract: Contract) -> None:
    before = contract.left()
    ran = contract(more=("--format", "json", "--record", str(contract.file)))
    assert ran.code == 5, ran.err
    passwords = {f"delete-password={EXPIRED}", f"delete-password={CURRENT}"}
    assert words(ran) == {*SECRETS, *passwords, CONTRIBUTOR}
    assert "contoso/agents" in ran.json["plan"]["notes"][0]  # what they can use is for others to take away
    assert ran.json["plan"]["changes"] == []
    assert (contract.left(), contract.bench.writes(), contract.file.exists()) == (before, [], False)
    # The line to paste leaves out the password that this may hold, and roles, which jobs may need.
    assert set(re.findall(r"--allow '?([^ '\n]+)", ran.err)) == {*SECRETS, f"delete-password={EXPIRED}"}
    assert "trustsmith migrate --contract --allow " in ran.err
    assert f" --record {contract.file}\n" in ran.err


def test_what_is_named_goes_in_order_and_is_on_record_before(contract: Contract) -> None:
    named = (*SECRETS, f"delete-password={CURRENT}", CONTRIBUTOR, f"still-held={CURRENT}")
    ran = contract(*named)
    assert ran.code == 0, ran.err
    assert contract.left() == {
        **{key: set() for key in ("dependabot", "codespaces", "agents", "staging", "production")},
        "repository": {"AZURE_OPENAI_API_KEY", "NPM_TOKEN"},
        "organization": {"AZURE_CLIENT_SECRET"},
        "passwords": {EXPIRED},
    }
    kinds = ["secret" if "/secrets/" in w else w.rpartition("/")[2][:14] for w in contract.bench.writes()]
    assert kinds == ["secret"] * 9 + ["removePassword", "ee000000-0000-"]
    known: set[str] = set()
    for line in contract.record:
        assert (line["event"] == "removed") == (line["name"] in known)
        assert (line["repository"], line["who"]["github"]) == ("contoso/legacy", "octocat")
        known.add(line["name"])
    assert len(contract.record) == 2 * len(known) == 22
    password = next(line for line in contract.record if line["kind"] == "client secret")
    assert (password["key_id"], password["hint"], password["on"]) == (CURRENT, "san", "application")
    assert str(contract.file) in ran.err
    assert ran.json["record"] == str(contract.file)

    again = contract(*named)
    assert again.code == 0
    assert (again.json["plan"]["changes"], contract.bench.writes()) == ([], [])
    assert sum("matches nothing here" in note for note in again.json["plan"]["notes"]) == len(named)


def test_a_password_needs_a_word_more_while_a_secret_stays(contract: Contract) -> None:
    before = contract.left()
    ran = contract(*SECRETS, f"delete-password={CURRENT}")
    assert ran.code == 5
    assert f"still-held={CURRENT}: A secret that stays may hold this password" in ran.against
    assert f"{SHARED} (contoso/agents)" in ran.against
    assert contract.left() == before
    # An expired one opens nothing, so that nobody has to think of it.
    assert contract(f"delete-password={EXPIRED}").code == 0
    assert contract.left() == before | {"passwords": {CURRENT}}


def test_a_secret_that_others_use_is_refused_with_the_list(contract: Contract) -> None:
    ran = contract(f"delete-secret={SHARED}", SECRETS[0])
    assert ran.code == 5
    assert "can be used by contoso/agents" in ran.against
    assert contract.bench.writes() == []


def test_nothing_goes_before_every_environment_is_proven(contract: Contract) -> None:
    def by_hand(world: Any) -> None:
        (app,) = (a for a in world.data["applications"].values() if a["appId"] == LEGACY)
        app["federatedIdentityCredentials"] = [
            c for c in app["federatedIdentityCredentials"] if "production" not in c["subject"]
        ]

    contract.bench.edit(by_hand)
    ran = contract(*SECRETS)
    assert ran.code == 5
    assert "not-proven=production: Environment production: no federated credential is there." in ran.against
    assert "not-proven=staging" not in ran.against
    assert "trustsmith apply\n" in ran.err
    assert contract.bench.writes() == []


LOGIN = """\
on: push
jobs:
  old:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v1
        with: {creds: '${{ secrets.AZURE_CREDENTIALS }}'}
"""
INHERIT = "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/w.yml@v1\n    secrets: inherit\n"
KEYLESS_ELSEWHERE = DEPLOY.replace("${{ vars.AZURE_CLIENT_ID }}", "0a000000-0000-0000-0000-000000000009")


@pytest.mark.parametrize(
    ("text", "allow", "said"),
    [
        (
            LOGIN,
            SECRETS[1],
            "still-read=AZURE_CREDENTIALS: AZURE_CREDENTIALS is read on the default branch: .github/workflows/x.yml:7.",
        ),
        (
            INHERIT,
            SECRETS[5],
            "not-told=.github/workflows/x.yml:5: .github/workflows/x.yml:5 hands all secrets to o/r/",
        ),
        (KEYLESS_ELSEWHERE, SECRETS[0], "not-wired=.github/workflows/x.yml:10"),
    ],
)
def test_what_the_default_branch_reads_stays(contract: Contract, text: str, allow: str, said: str) -> None:
    files = {".github/workflows/x.yml": text}
    contract.bench.sandbox.control("push", {"repository": "contoso/legacy", "branch": "main", "files": files})
    ran = contract(allow)
    assert ran.code == 5
    assert said in ran.against
    assert contract.bench.writes() == []


def test_a_secret_that_nobody_reads_goes_while_another_is_read_and_other_branches_are_told(
    contract: Contract,
) -> None:
    for branch in ("main", "feature"):
        push = {"repository": "contoso/legacy", "branch": branch, "files": {".github/workflows/x.yml": LOGIN}}
        contract.bench.sandbox.control("push", push)
    ran = contract("delete-secret=repository/AZURE_SP_PASSWORD")
    assert ran.code == 0, ran.err
    assert (
        "Other branches read an old secret: feature. Their runs fail when it is gone; merge the default branch into them first."
        in ran.json["plan"]["notes"]
    )
    assert "AZURE_SP_PASSWORD" not in contract.left()["repository"]


def fault(contract: Contract, **spec: Any) -> None:
    contract.bench.sandbox.control("faults", spec)


def test_a_cut_run_keeps_the_password_and_is_gone_on_with(contract: Contract) -> None:
    named = (*SECRETS, f"delete-password={CURRENT}", CONTRIBUTOR, f"still-held={CURRENT}")
    path = "environments/staging/secrets"
    fault(contract, service="github", method="DELETE", path=path, status=403, when="before", times=1)
    ran = contract(*named)
    assert ran.code == 7, ran.err
    missed = [o["kind"] for o in ran.json["outcomes"] if o["status"] == "not reached"]
    assert missed == ["stored secret", "client secret", "role assignment"]
    left = contract.left()
    assert (left["staging"], left["production"]) == ({"AZURE_CREDENTIALS"}, {"AZURE_CLIENT_SECRET"})
    assert left["passwords"] == {EXPIRED, CURRENT}
    (failed,) = (line for line in contract.record if line["event"] == "failed")
    assert (failed["name"], bool(failed["error"])) == ("environment/staging/AZURE_CREDENTIALS", True)

    assert contract(*named).code == 0
    assert contract.left()["passwords"] == {EXPIRED}


def test_what_was_done_before_the_line_was_cut_counts_as_done(contract: Contract) -> None:
    fault(contract, service="graph", method="POST", path="removePassword", when="cut")
    fault(contract, service="github", method="DELETE", path="actions/secrets/AZURE_SP_PASSWORD", when="cut")
    ran = contract("delete-secret=repository/AZURE_SP_PASSWORD", f"delete-password={EXPIRED}")
    assert ran.code == 0, ran.err
    assert contract.left()["passwords"] == {CURRENT}
    assert sorted(w.rpartition("/")[2] for w in contract.bench.writes()) == [
        *["AZURE_SP_PASSWORD"] * 2,
        *["removePassword"] * 2,
    ]


@pytest.mark.parametrize(
    ("name", "place", "scope"),
    [
        ("organization", "orgs/contoso/actions/secrets", "admin:org"),
        ("dependabot", "dependabot/secrets", "repo"),
        ("environment/staging", "environments/staging/secrets", "repo"),
    ],
)
def test_that_github_finds_nothing_is_not_believed(
    contract: Contract, name: str, place: str, scope: str
) -> None:
    path = f"{place}/AZURE_CREDENTIALS"
    fault(contract, service="github", method="DELETE", path=path, status=404, times=2)
    ran = contract(f"delete-secret={name}/AZURE_CREDENTIALS")
    assert ran.code == 4
    assert f"GitHub does not find the secret {name}/AZURE_CREDENTIALS to delete it, and lists it" in ran.err
    assert f"gh auth refresh --scopes {scope}\n" in ran.err


@pytest.mark.parametrize("name", ["none/such.jsonl", "/dev/full"])
def test_without_a_record_nothing_goes(contract: Contract, name: str) -> None:
    if name.startswith("/") and not Path(name).exists():
        pytest.skip("a system without a device that is always full")
    before = contract.left()
    ran = contract(*SECRETS, more=("--yes", "--record", str(contract.bench.checkout / name)))
    assert ran.code != 0
    assert "cannot be written" in ran.err or "could not be written" in ran.err
    assert (contract.left(), contract.bench.writes()) == (before, [])


def test_the_old_application_that_a_variable_names_and_its_principals_password(contract: Contract) -> None:
    key = "0f000000-0000-0000-0000-000000000077"

    def by_hand(world: Any) -> None:
        client = "0a000000-0000-0000-0000-000000000002"
        repository = legacy(world.data)
        for name in ("ARM_CLIENT_ID", "FRONTEND_CLIENT_ID"):
            repository["variables"][name] = repository["variables"]["AZURE_CLIENT_ID"] | {
                "name": name,
                "value": client if name == "ARM_CLIENT_ID" else "0a000000-0000-0000-0000-000000000001",
            }
        apps = world.data["applications"].values()
        password = next(a for a in apps if a["appId"] == LEGACY)["passwordCredentials"][1]
        for principal in world.data["service_principals"].values():
            principal["passwordCredentials"] = (
                [password | {"keyId": key}] if principal["appId"] == client else []
            )

        # What the organization's variable names, and what the application is called for others, is left alone.
        shared = world.data["github"]["organizations"]["contoso"]["variables"]
        shared["SP_CLIENT_ID"] = repository["variables"]["FRONTEND_CLIENT_ID"] | {
            "name": "SP_CLIENT_ID",
            "visibility": "all",
        }

    contract.bench.edit(by_hand)
    offered = words(contract())
    assert f"delete-password={key}" in offered
    assert not [word for word in offered if word.endswith("#0a000000-0000-0000-0000-000000000001")]
    ran = contract(f"delete-password={key}", f"still-held={key}")
    assert ran.code == 0, ran.err
    held = [p["passwordCredentials"] for p in contract.bench.sandbox.state()["service_principals"].values()]
    assert not any(held)
    assert contract.record[0]["on"] == "service principal"


class Asked(Console):
    """Somebody who is asked, does something meanwhile, and answers."""

    def __init__(self, *, answer: bool, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(ask=False)
        self.answer, self.meanwhile = answer, meanwhile

    def agree(self, question: str) -> bool:
        assert question == "Remove this, for good?"
        self.meanwhile()
        return self.answer


def test_a_no_and_a_world_that_moved_remove_nothing(contract: Contract) -> None:
    def another(world: Any) -> None:
        secrets = legacy(world.data)["secrets"]
        secrets["AZURE_CREDS"] = secrets["AZURE_CREDENTIALS"] | {"name": "AZURE_CREDS"}

    def written_anew(world: Any) -> None:
        secret = legacy(world.data)["environments"]["production"]["secrets"]["AZURE_CLIENT_SECRET"]
        secret["updated_at"] = secret["updated_at"][:-3] + "59Z"

    before, options = contract.left(), Options(contract.bench.checkout)
    with pytest.raises(Refused, match="Nothing was removed"):
        take_away(options, Asked(answer=False), SECRETS[:1], None, yes=False)
    for moved in (another, written_anew):
        front = Asked(answer=True, meanwhile=partial(contract.bench.edit, moved))
        with pytest.raises(Refused, match="Something changed while the plan was on the screen"):
            take_away(options, front, SECRETS[:1], None, yes=False)
    after = contract.left()
    assert after["repository"] - before["repository"] == {"AZURE_CREDS"}
    assert (after["production"], contract.file.exists()) == (before["production"], False)
    take_away(options, Asked(answer=True), SECRETS[:1], None, yes=False)
    assert contract.left()["production"] == set()


def test_a_role_that_may_not_be_taken_away_is_said_before_anything_goes(contract: Contract) -> None:
    def by_hand(world: Any) -> None:
        (mine,) = (key for key in world.data["role_assignments"] if "/ee99" in key)
        del world.data["role_assignments"][mine]

    contract.bench.edit(by_hand)
    ran = contract(*SECRETS, CONTRIBUTOR)
    assert (ran.code, contract.bench.writes()) == (4, [])
    assert "Something that this plan needs is missing; nothing was changed." in ran.err


def test_a_role_of_an_application_that_others_sign_in_as_needs_a_word_more(contract: Contract) -> None:
    def by_hand(world: Any) -> None:
        (app,) = (a for a in world.data["applications"].values() if a["appId"] == LEGACY)
        first = app["federatedIdentityCredentials"][0]
        other = {"id": "x", "name": "other", "subject": "repo:contoso/other:environment:x", "description": ""}
        app["federatedIdentityCredentials"].append(first | other)

    contract.bench.edit(by_hand)
    ran = contract(CONTRIBUTOR)
    assert (ran.code, contract.bench.writes()) == (5, [])
    assert f"also-trusted={LEGACY}: " in ran.against
    assert "would lose the role: repo:contoso/other:environment:x." in ran.against
    assert contract(CONTRIBUTOR, f"also-trusted={LEGACY}").code == 0


def test_a_job_off_the_proven_path_can_be_allowed(contract: Contract) -> None:
    files = {".github/workflows/x.yml": KEYLESS_ELSEWHERE}
    contract.bench.sandbox.control("push", {"repository": "contoso/legacy", "branch": "main", "files": files})
    word = "not-wired=.github/workflows/x.yml:10"
    alone = contract(word)
    assert (alone.code, f"--contract --allow {word} --allow delete-secret=" in alone.err) == (5, True)
    assert contract(SECRETS[0], word).code == 0
    assert contract.left()["production"] == set()


def test_without_a_configuration_there_is_nothing_in_the_secrets_place(contract: Contract) -> None:
    (contract.bench.checkout / ".github" / "trustsmith.yml").unlink()
    ran = contract()
    assert (ran.code, "trustsmith migrate --expand" in ran.err) == (2, True)


def test_a_word_of_another_command_is_a_mistake(contract: Contract) -> None:
    ran = contract("remove=AZURE_CREDENTIALS")
    assert (ran.code, contract.bench.writes()) == (2, [])
    assert "--allow delete-secret=" in ran.err


def test_nobody_can_be_asked_without_a_terminal(contract: Contract) -> None:
    ran = contract(SECRETS[0], more=())
    assert (ran.code, contract.bench.writes()) == (2, [])
    assert (
        "\n  production\n    - stored secret         environment/production/AZURE_CLIENT_SECRET"
        in "\n" + ran.out
    )
    assert "Accept it with --yes" in ran.err


@pytest.mark.parametrize(
    ("said", "code"), [("", 0), ("\n  forged:\n    runs-on: ubuntu-latest\n    steps: []\n", 5)]
)
def test_a_run_of_another_text_proves_nothing(contract: Contract, said: str, code: int) -> None:
    """A tag can be named as the default branch is, and GitHub then lists what ran there as the branch's."""
    text = legacy(contract.bench.sandbox.state())["files"]["main"][TRUST] + said
    push = {"repository": "contoso/legacy", "branch": "other", "files": {TRUST: text}}
    contract.bench.sandbox.control("push", push)

    def by_hand(world: Any) -> None:
        repository = legacy(world.data)
        for run_ in repository["runs"].values():
            run_["head_sha"] = repository["objects"]["heads"]["other"]

    contract.bench.edit(by_hand)
    ran = contract("delete-secret=environment/staging/AZURE_CREDENTIALS")
    assert ran.code == code, ran.err
    assert ("not-proven=staging" in ran.err) is bool(code)
