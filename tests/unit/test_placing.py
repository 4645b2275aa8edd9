"""Where jobs run, or are to run; and whether they sign in as the application that trusts them."""

from __future__ import annotations

import pytest

from tests.corpus.marks import repository_of
from trustsmith.migrate.inventory import Seen, Stored, Variable
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.rewrite.placing import Placed, from_branches, needed, placing, proposal
from trustsmith.rewrite.wiring import wiring

OURS, OTHER = "0a000000-0000-0000-0000-00000000000a", "0a000000-0000-0000-0000-00000000000b"
LOGIN = """\
      - uses: azure/login@v1
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
"""


def workflow(on: str, job: str, steps: str = LOGIN) -> str:
    return f"on: {on}\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n{job}    steps:\n{steps}"


def placed(texts: dict[str, str], *known: str, **said: str) -> list[Placed]:
    repository = repository_of({f".github/workflows/{name}": text for name, text in texts.items()})
    return placing(repository, of_entra(scan(repository)), said, known)


@pytest.mark.parametrize(
    ("on", "job", "names"),
    [
        ("push", "    environment: prod\n", {"prod"}),
        ("push", "    environment: {name: prod, url: x}\n", {"prod"}),
        (
            "push",
            "    environment: ${{ matrix.env }}\n    strategy:\n      matrix: {env: [a, b]}\n",
            {"a", "b"},
        ),
        (
            "push",
            "    environment: ${{ matrix.env }}\n    strategy:\n      matrix: {include: [{env: a}, {env: b, x: 1}]}\n",
            {"a", "b"},
        ),
        (
            "push",
            "    environment: ${{ matrix.env }}\n    strategy: {matrix: {env: '${{ fromJSON(needs.a.outputs.b) }}'}}\n",
            None,
        ),
        ("push", "    environment: ${{ matrix.env }}\n", None),
        ("push", "    environment: ${{ github.ref_name }}\n", None),
        ("push", "    environment: deploy-${{ matrix.env }}\n    strategy: {matrix: {env: [a]}}\n", None),
        (
            "{workflow_dispatch: {inputs: {stage: {type: choice, options: [a, b]}}}}",
            "    environment: ${{ inputs.stage }}\n",
            {"a", "b"},
        ),
        (
            "{workflow_dispatch: {inputs: {stage: {type: environment}}}}",
            "    environment: ${{ inputs.stage }}\n",
            None,
        ),
        (
            "{workflow_dispatch: {inputs: {stage: {type: choice, options: [a]}}}}",
            "    environment: ${{ github.event.inputs.stage }}\n",
            {"a"},
        ),
        (
            "{workflow_call: {inputs: {stage: {type: string}}}}",
            "    environment: ${{ inputs.stage }}\n",
            None,  # nobody in the checkout calls it
        ),
    ],
)
def test_what_an_environment_can_be(on: str, job: str, names: set[str] | None) -> None:
    (found,) = placed({"a.yml": workflow(on, job)})
    assert found.names == names


def test_what_callers_give() -> None:
    called = workflow(
        "{workflow_call: {inputs: {stage: {type: string, default: dev}}}}",
        "    environment: ${{ inputs.stage }}\n",
    )
    caller = "on: push\njobs:\n  a: {{uses: ./.github/workflows/b.yml, secrets: inherit{}}}\n"
    texts = {"b.yml": called, "a.yml": caller.format(", with: {stage: prod}"), "c.yml": caller.format("")}
    (found,) = placed(texts)
    assert found.names == frozenset({"prod", "dev"})
    (found,) = placed({**texts, "d.yml": caller.format(", with: {stage: '${{ github.ref_name }}'}")})
    assert found.names is None


def test_jobs_of_scripts_and_actions_are_placed() -> None:
    script = (
        "      - run: ./deploy.sh\n        env: {AZURE_CLIENT_SECRET: '${{ secrets.AZURE_CLIENT_SECRET }}'}\n"
    )
    found = placed({"a.yml": workflow("push", "    environment: x\n", script)})
    assert [(each.place, each.said) for each in found] == [("a.yml:deploy", "x")]


def test_what_people_say_counts_and_what_nobody_says_is_open() -> None:
    text = {"a.yml": workflow("[push, pull_request]", "")}
    (found,) = placed(text, deploy="prod")
    assert (found.said, found.names, found.how) == ("prod", frozenset({"prod"}), "as you say")
    (found,) = placed(text, "one", "two")
    assert (found.said, found.names) == ("", None)
    assert needed(repository_of({}), [found]) == []


def test_environments_are_in_the_order_of_deployment() -> None:
    deploy = "on: push\njobs:\n" + "".join(
        f"  {job}:\n    environment: {name}\n    needs: {needs}\n    steps:\n{LOGIN}"
        for job, name, needs in (
            ("c", "zone", "[b]"),
            ("b", "prod", "a"),
            ("a", "staging", "[]"),
            ("d", "dev", "[x]"),
        )
    )
    repository = repository_of({".github/workflows/a.yml": deploy})
    found = placing(repository, of_entra(scan(repository)), {}, ())
    assert needed(repository, found) == ["dev", "staging", "prod", "zone"]
    circle = repository_of({".github/workflows/a.yml": deploy.replace("needs: []", "needs: [c]")})
    assert set(needed(circle, placing(circle, of_entra(scan(circle)), {}, ()))) == {
        "dev",
        "staging",
        "prod",
        "zone",
    }


@pytest.mark.parametrize(
    ("on", "environment", "why"),
    [
        ("push", "prod", "started by push"),
        ("[push, pull_request_target]", "", "give it an environment of its own"),
    ],
)
def test_proposals(on: str, environment: str, why: str) -> None:
    (found,) = placed({"a.yml": workflow(on, "")})
    said = proposal(found.job, ["dev", "prod"])
    assert said[0] == environment
    assert why in said[1]
    assert proposal(found.job, [])[0] == ""


@pytest.mark.parametrize(
    ("on", "alone"),
    [
        ("push", True),
        ("[push, workflow_dispatch, schedule]", True),
        ("{push: {branches: [main]}}", True),
        ("{push: {tags: ['v*']}}", False),
        ("release", False),
        ("[push, pull_request]", False),
    ],
)
def test_only_where_no_tag_and_no_pull_request_deploys_a_branch_is_asked_for(on: str, *, alone: bool) -> None:
    found = placed({"a.yml": workflow(on, "    environment: prod\n")})
    assert from_branches(found, "prod") is alone


# -- signing in as the right one ---------------------------------------------------------------------------------------------


def sign_in(client_id: str) -> str:
    return f"      - uses: azure/login@v3\n        with: {{client-id: '{client_id}', tenant-id: t, subscription-id: s}}\n"


def wired(
    job: str, steps: str, *, variables: tuple[Variable, ...] = (), stored: tuple[Stored, ...] = ()
) -> list[str]:
    repository = repository_of({".github/workflows/a.yml": workflow("push", job, steps)})
    seen = Seen(stored=stored, variables=variables)
    return [finding.why for finding in wiring(repository, {"prod": OURS, "dev": OURS}, seen)]


def variable(value: str, environment: str = "") -> Variable:
    return Variable(name="AZURE_CLIENT_ID", value=value, environment=environment)


PROD = "    environment: prod\n"
VARS, SECRETS = "${{ vars.AZURE_CLIENT_ID }}", "${{ secrets.AZURE_CLIENT_ID }}"
SECRET = Stored(name="AZURE_CLIENT_ID", level="environment", environment="prod")


@pytest.mark.parametrize(
    ("client_id", "variables", "stored", "says"),
    [
        (OURS, (), (), ""),
        (OURS.upper(), (), (), ""),
        (OTHER, (), (), f"signs in as {OTHER}"),
        (VARS, (variable(OURS),), (), ""),
        (VARS, (variable(OTHER),), (), "variable AZURE_CLIENT_ID of the repository"),
        (VARS, (variable(OTHER), variable(OURS, "prod")), (), ""),
        (VARS, (variable(OURS), variable(OTHER, "prod")), (), "variable AZURE_CLIENT_ID of the environment"),
        (VARS, (variable(OURS, "dev"),), (), "there is no variable AZURE_CLIENT_ID"),
        (SECRETS, (), (SECRET,), ""),
        (SECRETS, (), (), "there is no secret AZURE_CLIENT_ID"),
        ("${{ steps.a.outputs.id }}", (), (), ""),
    ],
)
def test_as_whom_a_job_signs_in(
    client_id: str, variables: tuple[Variable, ...], stored: tuple[Stored, ...], says: str
) -> None:
    found = wired(PROD, sign_in(client_id), variables=variables, stored=stored)
    assert len(found) == bool(says)
    assert all(says in why for why in found)


def test_a_job_of_our_application_has_to_be_in_an_environment_that_is_configured() -> None:
    assert "in no environment" in wired("", sign_in(OURS))[0]
    assert (
        "in environment live, which is not configured" in wired("    environment: live\n", sign_in(OURS))[0]
    )
    variables = (variable(OURS),)
    env = "    env: {ARM_USE_OIDC: 'true', ARM_CLIENT_ID: '${{ vars.AZURE_CLIENT_ID }}'}\n"
    assert "in no environment" in wired(env, "      - run: terraform apply\n", variables=variables)[0]
    run = (
        "      - run: azd auth login --federated-credential-provider github --client-id $AZURE_CLIENT_ID\n"
        "        env: {AZURE_CLIENT_ID: '${{ vars.AZURE_CLIENT_ID }}'}\n"
    )
    assert "in no environment" in wired("", run, variables=variables)[0]


def test_a_job_that_signs_in_by_an_action_of_the_checkout_is_one_that_signs_in() -> None:
    step = "      - uses: ./login\n        with: {client-id: '${{ vars.AZURE_CLIENT_ID }}'}\n"
    action = "runs:\n  using: composite\n  steps:\n"
    files = {
        ".github/workflows/a.yml": workflow("push", "", step),
        "login/action.yml": f"{action}    - uses: ./inner\n",
        "inner/action.yml": f"{action}    - uses: azure/login@v3\n      with: {{client-id: '${{{{ inputs.client-id }}}}'}}\n",
        "other/action.yml": f"{action}    - run: x\n",
    }
    seen = Seen(variables=(variable(OURS),))
    (found,) = wiring(repository_of(files), {"prod": OURS}, seen)
    assert "in no environment" in found.why
    files[".github/workflows/a.yml"] = workflow("push", "", step.replace("./login", "./other"))
    assert not list(wiring(repository_of(files), {"prod": OURS}, seen))


def test_the_repositorys_secret_of_the_name_that_environments_have_does_not_say_whose_it_is() -> None:
    shared = (Stored(name="AZURE_CLIENT_ID", level="repository"),)
    (why,) = wired("", sign_in(SECRETS), stored=shared)
    assert "cannot be told" in why
    assert "environment Prod" in wired("    environment: Prod\n", sign_in(SECRETS), stored=shared)[0]
    assert not wired(PROD, sign_in(SECRETS), stored=shared)


def test_what_is_to_be_typed_is_quoted() -> None:
    repository = repository_of(
        {".github/workflows/a.yml": workflow("push", "    environment: $(x)\n", sign_in(OURS))}
    )
    (found,) = wiring(repository, {"prod": OURS}, Seen())
    assert "--project '$(x)=PROJECT_ID'" in found.next


def test_jobs_of_other_applications_and_with_secrets_are_left_alone() -> None:
    assert wired("", sign_in(OTHER)) == []
    assert wired("    environment: live\n", sign_in(OTHER)) == []
    assert (
        wired("", sign_in("${{ secrets.OTHER_ID }}"), stored=(Stored(name="OTHER_ID", level="repository"),))
        == []
    )
    assert wired("", LOGIN) == []
