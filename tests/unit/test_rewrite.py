"""`rewrite`: what becomes of single workflows, and what is left and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.corpus.marks import repository_of
from tests.corpus.test_rewrite import CHOICES, SHA
from trustsmith.errors import Refused
from trustsmith.flows.rewriting import check
from trustsmith.migrate.scan import scan
from trustsmith.rewrite import Choices, Rewritten, rewrite
from trustsmith.rewrite.edits import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = ".github/workflows/deploy.yml"
LOGIN = """\
      - uses: azure/login@v2
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
"""
Result = "tuple[str, Rewritten]"


def job(steps: str = LOGIN, *, name: str = "live", more: str = "", top: str = "on: push\n") -> str:
    return f"{top}jobs:\n  {name}:\n    runs-on: ubuntu-latest\n{more}    steps:\n{steps}"


def rewritten(text: str | Mapping[str, str], **choices: Any) -> tuple[str, Rewritten]:
    """The text of the one file (FILE) afterwards, and all that was said."""
    texts = {FILE: text} if isinstance(text, str) else dict(text)
    repository = repository_of(texts)
    uses = scan(repository)
    done = rewrite(
        repository,
        uses,
        Choices(
            **{
                "pin": CHOICES.pin,
                "audience": CHOICES.audience,
                "environments": {"*": "production"},
                **choices,
            }
        ),
    )
    check(repository, uses, done)
    return done.texts.get(FILE, texts[FILE]), done


def read(text: str) -> Any:
    return YAML(typ="safe").load(text)


def live(text: str) -> Any:
    return read(text)["jobs"]["live"]


def why(done: Rewritten) -> list[str]:
    return list(done.left.values())


def test_a_sign_in_and_nothing_else() -> None:
    before = """\
# deploys the shop
name: "deploy"   # twice a day
on: {push: {branches: [main]}}
jobs:
    live:
        runs-on:   ubuntu-latest   # big enough

        # prod only
        steps:
        -   name: 'Sign in'
            # the service principal of 2023
            uses: "azure/login@v1"
            with:
                creds: "${{ secrets.AZURE_CREDENTIALS }}"  # ask Ann
                enable-AzPSSession: true

        -   run: |
              echo done   # really
"""
    after = f"""\
# deploys the shop
name: "deploy"   # twice a day
on: {{push: {{branches: [main]}}}}
jobs:
    live:
        runs-on:   ubuntu-latest   # big enough
        environment: production
        permissions:
            contents: read
            id-token: write

        # prod only
        steps:
        -   name: 'Sign in'
            # the service principal of 2023
            uses: "azure/login@{SHA}" # v3.9.9
            with:
                client-id: "${{{{ vars.AZURE_CLIENT_ID }}}}"
                tenant-id: "${{{{ vars.AZURE_TENANT_ID }}}}"
                subscription-id: "${{{{ vars.AZURE_SUBSCRIPTION_ID }}}}"  # ask Ann
                enable-AzPSSession: true

        -   run: |
              echo done   # really
"""
    assert rewritten(before)[0] == after
    assert rewritten(before.replace("\n", "\r\n"))[0] == after.replace("\n", "\r\n")


# -- permissions -----------------------------------------------------------------------------------------------------

READ_ALL = dict.fromkeys(
    [
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
    ],
    "read",
)
TOKEN = {"id-token": "write"}


@pytest.mark.parametrize(
    ("top", "own", "wanted_top", "wanted"),
    [
        ("", "", None, {"contents": "read"} | TOKEN),
        ("", "    permissions: {contents: write}\n", None, {"contents": "write"} | TOKEN),
        ("", "    permissions:\n      packages: write # images\n", None, {"packages": "write"} | TOKEN),
        ("", "    permissions: {}\n", None, TOKEN),
        ("", "    permissions: read-all\n", None, READ_ALL | TOKEN),
        ("", "    permissions: write-all\n", None, "write-all"),
        ("", "    permissions:\n      id-token: none\n", None, TOKEN),
        ("permissions: read-all\n", "", "read-all", READ_ALL | TOKEN),
        ("permissions: write-all\n", "", "write-all", None),
        ("permissions: {}\n", "", {}, TOKEN),
        ("permissions:\n  issues: write\n", "", {"issues": "write"} | TOKEN, None),
        ("permissions: {id-token: write}\n", "", TOKEN, None),
        ("permissions:\n  contents: read\n", "    permissions: {}\n", {"contents": "read"}, TOKEN),
    ],
)
def test_permissions_that_a_job_has_are_kept(top: str, own: str, wanted_top: Any, wanted: Any) -> None:
    text, _ = rewritten(job(more=own, top=f"on: push\n{top}"))
    assert (read(text).get("permissions"), live(text).get("permissions")) == (wanted_top, wanted)


def test_other_jobs_are_not_allowed_more() -> None:
    text, _ = rewritten(
        job(top="on: push\npermissions:\n  contents: write\n") + "  lint:\n    runs-on: x\n    steps: []\n"
    )
    assert read(text)["permissions"] == {"contents": "write"}
    assert live(text)["permissions"] == {"contents": "write"} | TOKEN
    assert "permissions" not in read(text)["jobs"]["lint"]


def test_permissions_behind_an_anchor_are_left() -> None:
    text = (
        job(more="    permissions: &few\n      contents: read\n")
        + "  lint:\n    runs-on: x\n    permissions: *few\n    steps: []\n"
    )
    after, done = rewritten(text)
    assert (after, why(done)) == (text, ["its permissions are shared through an anchor"])


@pytest.mark.parametrize("token", ["github.token", "secrets.github_token", "secrets['GITHUB_TOKEN']"])
def test_a_token_that_all_steps_have_is_said(token: str) -> None:
    text = job(
        LOGIN + "      - run: gh pr comment 1 --body x\n",
        more=f'    env: {{GH_TOKEN: "${{{{ {token} }}}}"}}\n',
    )
    _, done = rewritten(text)
    assert any("its token may be used at line 5 (GH_TOKEN)" in note for note in done.notes)


@pytest.mark.parametrize(
    ("step", "where"),
    [
        (
            "      - run: gh pr comment 1 --body x\n        env:\n          GH_TOKEN: ${{ github.token }}\n",
            "line 9",
        ),
        ("      - uses: softprops/action-gh-release@v2\n", "line 9 (softprops/action-gh-release)"),
        ("      - run: git push\n", "line 9"),
        ("      - uses: actions/checkout@v4\n        with:\n          token: ${{ github.token }}\n", ""),
        ("      - uses: actions/setup-node@v4\n", ""),
    ],
)
def test_what_may_need_more_than_to_read_is_said(step: str, where: str) -> None:
    # The job's own permissions replace the repository's defaults, which nobody sees here.
    _, done = rewritten(job(LOGIN + step))
    assert [f"its token may be used at {where}: add what that needs" in note for note in done.notes] == [
        True
    ] * bool(where)


@pytest.mark.parametrize(
    ("steps", "is_said"),
    [
        ("- run: make\n      shell: bash\n    - uses: actions/setup-node@v4", False),
        ("- uses: ./.github/actions/do", True),  # it goes round in a circle
        ("- uses: peter-evans/create-pull-request@v7", True),
        ("", True),  # a program, which can do as it likes
        ("- run: gh pr list\n      shell: bash\n      env: {GH_TOKEN: '${{ github.token }}'}", True),
    ],
)
def test_an_action_of_the_checkout_is_looked_into(steps: str, is_said: bool) -> None:  # noqa: FBT001
    action = f"name: do\nruns:\n  using: composite\n  steps:\n    {steps}\n"
    if not steps:
        action = "name: do\nruns:\n  using: node24\n  main: index.js\n"
    workflow = job(LOGIN + "      - uses: ./.github/actions/do\n")
    _, done = rewritten({FILE: workflow, ".github/actions/do/action.yml": action})
    assert any("line 9 (./.github/actions/do)" in note for note in done.notes) == is_said


CALLED = job(top="on: {workflow_call: {}}\n", more="    permissions:\n      packages: write\n")


def test_a_job_that_calls_a_workflow_allows_what_the_jobs_there_need() -> None:
    caller = "on: push\njobs:\n  release:\n    uses: ./.github/workflows/called.yml\n    secrets: inherit\n"
    text, _ = rewritten({".github/workflows/called.yml": CALLED, FILE: caller})
    assert read(text)["jobs"]["release"]["permissions"] == {"contents": "read", "packages": "write"} | TOKEN


# -- environments ----------------------------------------------------------------------------------------------------


def test_an_environment_that_is_there_stays() -> None:
    text, done = rewritten(job(more="    environment:\n      name: test\n      url: https://contoso.com\n"))
    assert live(text)["environment"] == {"name": "test", "url": "https://contoso.com"}
    assert [(each.environment, each.how) for each in done.environments] == [("test", "")]


@pytest.mark.parametrize(
    ("said", "environment"),
    [
        ({"live": "a"}, "a"),
        ({"*": "b"}, "b"),
        ({"*": "b", "live": "a", "deploy.yml:live": "c"}, "c"),
        ({f"{FILE}:live": "d"}, "d"),
        ({"other.yml:live": "d", "live": "a"}, "a"),
        ({"live": "${{ inputs.where }}"}, "${{ inputs.where }}"),
        ({"live": "no"}, "no"),
        ({"live": "prod: eu #1"}, "prod: eu #1"),
    ],
)
def test_people_say_which(said: dict[str, str], environment: str) -> None:
    text, done = rewritten(job(), environments=said)
    assert live(text)["environment"] == environment
    assert [each.how for each in done.environments] == ["as you say"]


@pytest.mark.parametrize(
    ("text", "known", "environment"),
    [
        (job(name="deploy-prod"), ["prod", "test"], "prod"),
        (job(name="deployProduction"), ["test", "prod"], "prod"),
        (job(more="    name: Deploy to QA\n"), ["dev", "qa"], "qa"),
        (job(), ["only"], "only"),
        (job(top="on: pull_request\n"), ["only"], None),
        (job(), ["a", "b"], None),
        (job(), [], None),
        (job(name="deploy-prod"), ["prod-eu", "prod-us"], None),
        (job(name="deploy-prod-eu"), ["prod", "prod-eu"], "prod-eu"),
        (job(name="promote-dev-to-prod"), ["dev", "prod"], None),
        (job(), ["\u751f\u4ea7", "b"], None),
        (
            job(
                more="    strategy:\n      matrix:\n        os: [a, b]\n        include:\n          - {os: a, env: x}\n"
            ),
            [],
            None,
        ),
        (job(more="    strategy:\n      matrix:\n        env: [{name: a}]\n"), [], None),
        (
            job(more="    strategy:\n      matrix:\n        environment: [a, b]\n"),
            [],
            "${{ matrix.environment }}",
        ),
        (
            job(more="    strategy:\n      matrix:\n        include:\n          - env: a\n"),
            [],
            "${{ matrix.env }}",
        ),
        (
            job(top="on: {workflow_call: {inputs: {stage: {type: string, required: true}}}}\n"),
            [],
            "${{ inputs.stage }}",
        ),
        # Whoever starts it by hand, or calls it without one, gives none.
        (job(top="on: {workflow_call: {inputs: {stage: {type: string}}}}\n"), [], None),
        (
            job(
                top="on: {workflow_dispatch: , workflow_call: {inputs: {stage: {type: string, required: true}}}}\n"
            ),
            [],
            None,
        ),
    ],
)
def test_else_the_words_of_the_file_do(text: str, known: list[str], environment: str | None) -> None:
    after, done = rewritten(text, environments={}, known=tuple(known))
    (found,) = read(after)["jobs"].values()
    assert found.get("environment") == environment
    assert len(done.unplaced) == (environment is None)
    if environment is None:
        assert after == text
        assert "--environment" in why(done)[0]


@pytest.mark.parametrize(
    "name", ["no", "1", "a b", "a: b", "", "null", "1e3", "é", "a\nb", "*x", "${{ a }}\n"]
)
def test_a_value_is_read_as_it_was_meant(name: str) -> None:
    assert read(f"k: {scalar(name)}\n") == {"k": name}


# -- sign-ins before other steps -------------------------------------------------------------------------------------

SDK = """\
      - run: python deploy.py
        env:
          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
"""


def uses(text: str) -> list[tuple[str, str | None]]:
    """The job's steps: what each is, and when."""
    return [(step.get("uses", "run").partition("@")[0], step.get("if")) for step in live(text)["steps"]]


def test_a_job_signs_in_before_what_read_the_secret() -> None:
    text, _ = rewritten(job("      - run: make\n\n      # ask Ann\n" + SDK))
    assert uses(text) == [("run", None), ("azure/login", None), ("run", None)]
    assert "- run: make\n\n      - uses: azure/login@" in text
    assert "\n\n      # ask Ann\n      - run: python deploy.py\n" in text


def test_once_is_enough() -> None:
    assert [kind for kind, _ in uses(rewritten(job(LOGIN + SDK + SDK))[0])] == ["azure/login", "run", "run"]
    by_command = "      - run: az login --service-principal -u a -p ${{ secrets.SP_PASSWORD }} -t b\n"
    assert [kind for kind, _ in uses(rewritten(job(by_command + SDK))[0])] == ["azure/login", "run"]


def test_the_step_that_becomes_the_sign_in_is_given_none() -> None:
    text = """\
      - run: az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" -t "$AZURE_TENANT_ID"
        env:
          AZURE_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}
          AZURE_TENANT_ID: ${{ vars.AZURE_TENANT_ID }}
          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
"""
    assert [kind for kind, _ in uses(rewritten(job(text))[0])] == ["azure/login"]


def test_a_sign_in_happens_when_its_step_does() -> None:
    condition = SDK.replace("        env:", "        if: github.ref == 'refs/heads/main'\n        env:")
    text, _ = rewritten(job(condition + SDK))
    assert uses(text) == [
        ("azure/login", "github.ref == 'refs/heads/main'"),
        ("run", "github.ref == 'refs/heads/main'"),
        ("azure/login", None),
        ("run", None),
    ]


def test_where_azure_cli_may_be_missing() -> None:
    _, done = rewritten(job(SDK, more="    container: python:3.13\n"))
    assert why(done) == ["the job runs in a container: put azure/login where Azure CLI is"]
    _, done = rewritten(job(SDK).replace("ubuntu-latest", "[self-hosted, linux]"))
    assert "see that its runners have it" in done.notes[0] + done.notes[-1]
    assert not done.left


# -- pins ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "then"),
    [
        ("azure/login@v1", f"azure/login@{SHA} # v3.9.9"),
        ("Azure/login@v2.3.0   # v2.3.0", f"Azure/login@{SHA} # v3.9.9"),
        ("azure/login@a457da9ea143d694b1b9c7c869ebb04ebe844ef5 # v2.3.0", f"azure/login@{SHA} # v3.9.9"),
        ("'azure/login@v2' # do not touch", f"'azure/login@{SHA}' # v3.9.9 # do not touch"),
        ("azure/login@v3", "azure/login@v3"),
        ("azure/login@v3.0.0", "azure/login@v3.0.0"),
        (f"azure/login@{SHA}", f"azure/login@{SHA}"),
    ],
)
def test_an_older_version_is_pinned_to_the_newest(there: str, then: str) -> None:
    text, _ = rewritten(job(LOGIN.replace("azure/login@v2", there)))
    assert f"      - uses: {then}\n" in text


# -- what is left ----------------------------------------------------------------------------------------------------

ANCHOR = """\
on: push
jobs:
  a:
    runs-on: x
    steps: &steps
      - uses: azure/login@v2
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
  b:
    runs-on: x
    steps: *steps
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ANCHOR, "it is shared with other jobs through an anchor"),
        (
            job("      - {uses: azure/login@v2, with: {creds: '${{ secrets.AZURE_CREDENTIALS }}'}}\n"),
            "in brackets",
        ),
        (
            job(
                LOGIN.replace(
                    "secrets.AZURE_CREDENTIALS", "secrets[format('AZURE_CREDENTIALS_{0}', matrix.x)]"
                )
            ),
            "whose secret it is depends on the run",
        ),
        (
            job(LOGIN.replace("secrets.AZURE_CREDENTIALS", "steps.vault.outputs.clientSecret")),
            "a step of the job",
        ),
        (
            job("      - run: az login -u ann@contoso.com -p ${{ secrets.AZURE_PASSWORD }}\n"),
            "a person's name",
        ),
        (
            job(
                "      - run: az login --service-principal -u a -p $CERT --certificate x.pem -t b\n        env:\n          CERT: ${{ secrets.AZURE_CLIENT_SECRET }}\n"
            ),
            "a certificate",
        ),
        (job(SDK.replace("AZURE_CLIENT_SECRET:", "SP_SECRET:")), "is not known"),
        (
            job("      - run: echo $AZURE_CLIENT_SECRET | helper\n" + SDK[SDK.index("        env") :]),
            "AZURE_CLIENT_SECRET is still read at",
        ),
        (
            job("      - uses: azure/aks-set-context@v1\n" + LOGIN[LOGIN.index("        with") :]),
            "the action takes a secret",
        ),
    ],
)
def test_what_is_left_says_why(text: str, reason: str) -> None:
    after, done = rewritten(text)
    assert after == text
    assert [each for each in why(done) if reason in each]


def test_a_use_in_a_script_of_the_repository_is_left() -> None:
    script = "az login --service-principal -u a -p $AZURE_CLIENT_SECRET -t b\n"
    workflow = job("      - run: ./go.sh\n" + SDK[SDK.index("        env") :])
    after, done = rewritten({FILE: workflow, "go.sh": script})
    assert after == workflow
    assert sorted(use.file for use in done.left) == [FILE, "go.sh"]


SECRET = "${{ secrets.AZURE_CLIENT_SECRET }}"
TWO = """\
on: push
env:
  AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
jobs:
  a:
    runs-on: x
    steps:
      - run: python deploy.py
  b:
    runs-on: x
    steps:
      - run: python test.py
"""
REGISTRY = """\
      - uses: docker/login-action@v3
        with:
          registry: ${{ secrets.REGISTRY_LOGIN_SERVER }}
          username: ${{ secrets.REGISTRY_USERNAME }}
          password: ${{ secrets.AZURE_CLIENT_SECRET }}
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TWO, "several jobs have the variable"),
        (TWO.replace("AZURE_CLIENT_SECRET:", "ARM_CLIENT_SECRET:"), "no job is seen to run Terraform"),
        (job(REGISTRY + "        env:\n          A: b\n"), "the step has variables of its own"),
        (
            job(REGISTRY.replace("        with:", "        # below\n        name: Registry\n        with:")),
            "something stands between",
        ),
        (job(REGISTRY + "        working-directory: x\n"), "the step has more than a sign-in"),
        (
            job("      - run: make\n    env:\n      A: b\n")
            .replace("    runs-on: ubuntu-latest\n", "")
            .replace("- run: make", LOGIN.strip()[2:].join(["- ", ""])),
            "does not say where",
        ),
        (
            f"on: push\njobs: {{live: {{runs-on: x, steps: [{{uses: azure/login@v2, with: {{creds: '{SECRET}'}}}}]}}}}\n",
            "in brackets",
        ),
        (
            f"on: push\njobs:\n  live:\n    runs-on: x\n    steps: [{{run: python a.py, env: {{B: c, AZURE_CLIENT_SECRET: '{SECRET}'}}}}]\n",
            "the steps are written in brackets",
        ),
        (
            job(
                f"      - run: >\n          azd auth login --client-id a\n          --client-secret {SECRET}\n          --tenant-id b\n"
            ),
            "cannot be edited alone",
        ),
        (
            job(f"      - run: azd auth login --client-id a\n          --client-secret {SECRET}\n"),
            "cannot be edited alone",
        ),
        (
            job(f'      - run: "azd auth login --client-id a --client-secret {SECRET}"\n'),
            "cannot be edited alone",
        ),
        (
            job(
                "      - run: azd auth login --client-id a --client-certificate x --client-secret "
                + SECRET
                + "\n"
            ),
            "a certificate",
        ),
        (
            job("      - run: |\n          terraform apply -var client_secret=" + SECRET + "\n"),
            "a setting of its own",
        ),
    ],
)
def test_what_would_take_more_than_an_edit_is_left(text: str, reason: str) -> None:
    after, done = rewritten(text)
    assert after == text
    assert [each for each in why(done) if reason in each], why(done)


ACTION = """\
name: log in
inputs:
  creds:
    description: JSON
    required: true
runs:
  using: composite
  steps:
    - uses: azure/login@v2
      with:
        creds: ${{ inputs.creds }}
"""
ACTION_FILE = ".github/actions/in/action.yml"
CALLER = job(
    "      - uses: ./.github/actions/in\n        with:\n          creds: ${{ secrets.AZURE_CREDENTIALS }}\n"
)
MORE = "    - run: echo '${{ inputs.creds }}' > creds.json\n      shell: bash\n"


@pytest.mark.parametrize(
    ("action", "caller", "reason"),
    [
        (ACTION + MORE, CALLER, "the action does more with the secret"),
        (
            ACTION.replace("inputs:", "inputs:\n  client-id: {description: id}"),
            CALLER,
            "the ids in a way of its own",
        ),
        (ACTION, job("      - run: make\n"), "nothing in this checkout uses the action"),
        (ACTION, CALLER + "      - uses: ./.github/actions/in\n", "or without the secret"),
        (
            ACTION.replace(
                "inputs.creds }}\n", "env.CREDS }}\n      env:\n        CREDS: ${{ inputs.creds }}\n"
            ),
            CALLER,
            "a way of its own",
        ),
    ],
)
def test_an_action_that_its_callers_cannot_follow_is_left(action: str, caller: str, reason: str) -> None:
    after, done = rewritten({FILE: caller, ACTION_FILE: action})
    assert (after, done.texts) == (caller, {})
    assert [each for each in why(done) if reason in each] or not scan(
        repository_of({FILE: caller, ACTION_FILE: action})
    )


def test_an_action_and_all_who_use_it_change_together() -> None:
    after, done = rewritten({FILE: CALLER, ACTION_FILE: ACTION})
    ids = {
        f"{name}-id": f"${{{{ vars.AZURE_{name.upper()}_ID }}}}"
        for name in ("client", "tenant", "subscription")
    }
    assert live(after)["steps"][0]["with"] == ids
    action = read(done.texts[ACTION_FILE])
    assert action["inputs"].keys() == ids.keys()
    assert action["runs"]["steps"][0]["with"] == {name: f"${{{{ inputs.{name} }}}}" for name in ids}


# -- ways of writing -------------------------------------------------------------------------------------------------

BY_COMMAND = """\
      - name: Deploy
        run: |
          set -e
          # as the deployer
          az login --service-principal -u ${{ vars.APP }} -p ${{ secrets.SP_PASSWORD }} -t ${{ vars.TENANT }}
          az account set -s ${{ vars.SUBSCRIPTION }}
          make deploy
"""


def test_a_command_among_others_gives_way_to_a_step_before_them() -> None:
    text, _ = rewritten(job(BY_COMMAND))
    first, second = live(text)["steps"]
    assert first["with"] == {
        "client-id": "${{ vars.APP }}",
        "tenant-id": "${{ vars.TENANT }}",
        "subscription-id": "${{ vars.SUBSCRIPTION }}",
    }
    assert (
        second["run"]
        == "set -e\n# as the deployer\naz account set -s ${{ vars.SUBSCRIPTION }}\nmake deploy\n"
    )


@pytest.mark.parametrize(
    "step",
    [
        BY_COMMAND.replace(" -t $", " --debug -t $"),  # an option that azure/login does not have
        BY_COMMAND.replace("make deploy", "make deploy").replace(
            "          az login", "          make test && az login"
        ),
        BY_COMMAND.replace("${{ vars.APP }}", "$(cat app)"),
    ],
)
def test_else_the_command_asks_for_a_token(step: str) -> None:
    text, _ = rewritten(job(step))
    assert len(live(text)["steps"]) == 1
    assert "--federated-token" in text
    assert "SP_PASSWORD" not in text


@pytest.mark.parametrize(
    ("behind", "then"),
    [("", ""), (" # v3.4.0", ""), ("  # ask Ann", "  # ask Ann"), (" # v3.4.0 # Ann", " # Ann")],
)
def test_a_comment_behind_an_action_stays_when_it_is_no_version(behind: str, then: str) -> None:
    step = REGISTRY.replace("docker/login-action@v3", f"docker/login-action@v3{behind}")
    text, _ = rewritten(job(step.replace("${{ secrets.REGISTRY_LOGIN_SERVER }}", "contoso.azurecr.io")))
    assert text.endswith(f"      - run: az acr login --name contoso{then}\n")


def test_what_a_shell_had_is_gone_with_it() -> None:
    step = BY_COMMAND.replace("          make deploy\n", "        shell: bash\n").replace(
        "          # as the deployer\n", ""
    )
    (found,) = live(rewritten(job(step))[0])["steps"]
    assert found.keys() == {"name", "uses", "with"}


@pytest.mark.parametrize(
    ("step", "then"),
    [
        (
            f"      - env:\n          AZURE_CLIENT_SECRET: {SECRET}\n        run: python a.py\n",
            "      - run: python a.py\n",
        ),
        (
            f"      - run: python a.py\n        env: {{A: b, AZURE_CLIENT_SECRET: '{SECRET}'}}\n",
            "      - run: python a.py\n        env: {A: b}\n",
        ),
        (
            f"      - run: python a.py\n        env: {{AZURE_CLIENT_SECRET: '{SECRET}', A: b}}\n",
            "      - run: python a.py\n        env: {A: b}\n",
        ),
        (
            f"      - run: python a.py\n        env: {{AZURE_CLIENT_SECRET: '{SECRET}'}}\n",
            "      - run: python a.py\n",
        ),
    ],
)
def test_a_variable_goes_however_it_is_written(step: str, then: str) -> None:
    text, _ = rewritten(job(step))
    assert text.endswith(then)


def test_inputs_in_brackets_stay_in_brackets() -> None:
    text, _ = rewritten(
        job("      - uses: azure/login@v3\n        with: {creds: '${{ secrets.AZURE_CREDENTIALS }}', a: b}\n")
    )
    assert (
        'with: {client-id: "${{ vars.AZURE_CLIENT_ID }}", tenant-id: "${{ vars.AZURE_TENANT_ID }}", '
        'subscription-id: "${{ vars.AZURE_SUBSCRIPTION_ID }}", a: b}\n'
    ) in text


def test_a_file_may_end_where_a_job_says_where_it_runs() -> None:
    text, _ = rewritten(f"on: push\njobs:\n  live:\n    steps:\n{LOGIN}    runs-on: x")
    assert text.endswith(
        "    runs-on: x\n    environment: production\n    permissions:\n      contents: read\n      id-token: write"
    )


def test_a_caller_of_two_such_jobs_is_allowed_once() -> None:
    called = job(
        top="on: {workflow_call: {secrets: {creds: {required: false}}}}\n",
        steps=LOGIN.replace("AZURE_CREDENTIALS", "creds"),
    )
    called += called[called.index("  live:") :].replace("live:", "more:")
    caller = "on: push\njobs:\n  go:\n    uses: ./.github/workflows/called.yml\n    secrets:\n      creds: ${{ secrets.AZURE_CREDENTIALS }}\n"
    text, done = rewritten({FILE: caller, ".github/workflows/called.yml": called})
    assert text.count("permissions:") == 1
    assert "secrets:" not in text
    assert "secrets: {creds: {required: false}}" in done.texts[".github/workflows/called.yml"]


# -- other clouds ----------------------------------------------------------------------------------------------------


def test_another_cloud_is_named() -> None:
    also = {"environment": "azureusgovernment", "audience": "api://Other"}
    text, _ = rewritten(job(LOGIN), also=also)
    assert live(text)["steps"][0]["with"] == {
        "client-id": "${{ vars.AZURE_CLIENT_ID }}",
        "tenant-id": "${{ vars.AZURE_TENANT_ID }}",
        "subscription-id": "${{ vars.AZURE_SUBSCRIPTION_ID }}",
        **also,
    }
    kept = LOGIN + "          environment: azurechinacloud\n"
    assert live(rewritten(job(kept), also=also)[0])["steps"][0]["with"]["environment"] == "azurechinacloud"
    assert live(rewritten(job(SDK), also=also)[0])["steps"][0]["with"]["audience"] == "api://Other"


@pytest.mark.parametrize(
    "step",
    [
        "      - run: azd auth login --client-id a --client-secret ${{ secrets.SP_PASSWORD }} --tenant-id b\n",
        "      - run: terraform apply\n        env:\n          ARM_CLIENT_SECRET: ${{ secrets.ARM_CLIENT_SECRET }}\n",
    ],
)
def test_what_always_asks_for_the_common_audience_is_left(step: str) -> None:
    assert not rewritten(job(step))[1].left
    _, done = rewritten(job(step), also={"audience": "api://Other"})
    assert "asks for a token with another audience" in why(done)[0]


# -- the last look ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "left", "reason"),
    [
        ("jobs: [", 0, "This is not valid YAML"),
        (job(), 0, "the uses of AZURE_CREDENTIALS are not those"),
        (job("      - run: make\n"), 1, "the uses of AZURE_CREDENTIALS are not those"),
        ("", 0, "it is empty"),
    ],
)
def test_a_rewriting_that_went_wrong_is_refused(after: str, left: int, reason: str) -> None:
    repository = repository_of({FILE: job()})
    found = scan(repository)
    done = Rewritten(texts={FILE: after}, left=dict.fromkeys(found[:left], "why"))
    with pytest.raises(Refused, match=reason):
        check(repository, found, done)
