"""`rewrite`: which application a job signs in as afterwards, and where it reads that application's ids."""

from __future__ import annotations

import pytest

from tests.unit.test_rewrite import FILE, LOGIN, job, live, rewritten, why

OTHER = "0b000000-0000-0000-0000-00000000000b"
KEPT = {"store": "secrets", "applications": {"production": ""}}
BY_JSON = LOGIN.replace(
    "${{ secrets.AZURE_CREDENTIALS }}",
    f"""'{{"clientId":"{OTHER}","clientSecret":"${{{{ secrets.AZURE_CLIENT_SECRET }}}}","tenantId":"t"}}'""",
)
CALLED = "on: {workflow_call: {secrets: {AZURE_CREDENTIALS: {required: false}}}}\n"
CALLER = ".github/workflows/caller.yml"


def test_ids_are_read_where_they_are_kept() -> None:
    after, done = rewritten(job(), **KEPT)
    assert live(after)["steps"][0]["with"] == {
        "client-id": "${{ secrets.AZURE_CLIENT_ID }}",
        "tenant-id": "${{ secrets.AZURE_TENANT_ID }}",
        "subscription-id": "${{ secrets.AZURE_SUBSCRIPTION_ID }}",
    }
    assert not done.left


@pytest.mark.parametrize(
    ("secrets", "reason"),
    [("inherit", None), ("{AZURE_CREDENTIALS: '${{ secrets.AZURE_CREDENTIALS }}'}", "secrets: inherit")],
)
def test_a_called_workflow_reads_secrets_that_are_inherited(secrets: str, reason: str | None) -> None:
    caller = f"on: push\njobs:\n  call:\n    uses: ./{FILE}\n    secrets: {secrets}\n"
    _, done = rewritten({FILE: job(top=CALLED), CALLER: caller}, **KEPT)
    assert [reason in said if reason else False for said in why(done)][:1] == ([True] if reason else [])
    assert rewritten({FILE: job(top=CALLED), CALLER: caller}, store="vars")[1].left == {}


def test_a_called_workflow_whose_callers_are_not_seen_is_left_with_secrets() -> None:
    assert "secrets: inherit" in why(rewritten(job(top=CALLED), **KEPT)[1])[0]


@pytest.mark.parametrize(
    ("client", "applications", "then"),
    [
        (OTHER, {}, OTHER),
        (OTHER, {"staging": ""}, OTHER),
        (OTHER, {"production": OTHER.upper()}, OTHER),
        (OTHER, {"production": ""}, "${{ vars.AZURE_CLIENT_ID }}"),
        ("${{ secrets.AZURE_CLIENT_ID }}", {"production": ""}, "${{ vars.AZURE_CLIENT_ID }}"),
        ("${{ secrets.AZURE_CLIENT_ID }}", {"production": OTHER}, "${{ vars.AZURE_CLIENT_ID }}"),
        ("${{vars.azure_client_id}}", {"production": ""}, "${{vars.azure_client_id}}"),
        ("${{ secrets.AZURE_CLIENT_ID }}", {}, "${{ secrets.AZURE_CLIENT_ID }}"),
    ],
)
def test_a_client_id_stays_unless_it_may_name_another_application(
    client: str, applications: dict[str, str], then: str
) -> None:
    text = job(BY_JSON.replace(OTHER, client))
    after, done = rewritten(text, applications=applications)
    assert (live(after)["steps"][0]["with"]["client-id"], done.left) == (then, {})


@pytest.mark.parametrize(
    "text",
    [
        job(BY_JSON),
        job(f"      - run: az login --service-principal -u {OTHER} -p $SP -t t\n        env: {{SP: '${{{{ secrets.AZURE_SP }}}}'}}\n"),
        job(
            f"      - run: azd auth login --client-id {OTHER} --client-secret $SP --tenant-id t\n"
            "        env: {SP: '${{ secrets.AZURE_SP }}'}\n"
        ),
        job(
            "      - run: terraform apply\n        env:\n"
            f"          ARM_CLIENT_ID: {OTHER}\n          ARM_CLIENT_SECRET: ${{{{ secrets.ARM_CLIENT_SECRET }}}}\n"
        ),
    ],
    ids=["azure-login", "az", "azd", "terraform"],
)  # fmt: skip
def test_another_application_is_not_taken_for_the_configured_one(text: str) -> None:
    after, done = rewritten(text, applications={"production": OTHER.replace("b", "c")})
    assert after == text
    assert any(f"it signs in as {OTHER}" in said for said in why(done))


@pytest.mark.parametrize(
    ("step", "then"),
    [
        (
            (
                "      - run: if true; then az login --service-principal -u $WHO -p $SP -t t; fi\n        env:\n"
                "          WHO: ${{ vars.WHO }}\n          SP: ${{ secrets.AZURE_SP }}\n"
            ),
            "          WHO: ${{ vars.AZURE_CLIENT_ID }}\n",
        ),
        (
            (
                "      - run: azd auth login --client-id $WHO --client-secret $SP --tenant-id t\n        env:\n"
                "          WHO: '${{ vars.WHO }}'\n          SP: ${{ secrets.AZURE_SP }}\n"
            ),
            "          WHO: '${{ vars.AZURE_CLIENT_ID }}'\n",
        ),
        (
            "      - run: azd auth login --client-id ${{ vars.WHO }} --client-secret ${{ secrets.AZURE_SP }}\n",
            "azd auth login --client-id ${{ vars.AZURE_CLIENT_ID }} --federated",
        ),
        (
            (
                "      - run: terraform apply\n        env:\n"
                "          ARM_CLIENT_ID: ${{ secrets.ARM_CLIENT_ID }}\n"
                "          ARM_CLIENT_SECRET: ${{ secrets.ARM_CLIENT_SECRET }}\n"
            ),
            "          ARM_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}\n          ARM_USE_OIDC",
        ),
    ],
    ids=["az", "azd", "azd-literally", "terraform"],
)
def test_a_variable_names_the_configured_application(step: str, then: str) -> None:
    after, done = rewritten(job(step), applications={"production": ""})
    assert then in after
    assert not done.left


def test_a_client_id_of_all_jobs_is_left() -> None:
    text = job(
        "      - run: terraform apply\n        env: {ARM_CLIENT_SECRET: '${{ secrets.ARM_CLIENT_SECRET }}', A: b}\n",
        top="on: push\nenv: {ARM_CLIENT_ID: '${{ vars.WHO }}'}\n",
    )
    more = "  other:\n    runs-on: x\n    steps: [{run: x}]\n"
    assert not rewritten(text, applications={"production": ""})[1].left
    assert "set for all jobs" in why(rewritten(text + more, applications={"production": ""})[1])[0]
    assert not rewritten(text + more)[1].left


def test_an_id_is_read_in_an_environment() -> None:
    after, done = rewritten(
        job("      - run: echo ${{ fromJSON(secrets.AZURE_CREDENTIALS).tenantId }}\n")
        + "env: {ID: '${{ fromJSON(secrets.AZURE_CREDENTIALS).clientId }}'}\n"
    )
    assert live(after)["environment"] == "production"
    assert "permissions" not in live(after)
    assert why(done) == ["no environment keeps the ids here: read them in the jobs that need them"]


TWICE = LOGIN + LOGIN.replace("AZURE_CREDENTIALS", "AZURE_CREDENTIALS_DNS")


def test_two_applications_do_not_become_one() -> None:
    text = job(TWICE)
    after, done = rewritten(text)
    assert after == text
    assert [("may be several applications" in said) for said in why(done)] == [True, True]
    assert rewritten(job(LOGIN + LOGIN))[1].left == {}


def test_of_which_one_the_run_may_choose_with_the_environment() -> None:
    steps = "".join(
        LOGIN.replace("      - uses", f"      - if: matrix.environment == '{name}'\n        uses").replace(
            "CREDENTIALS", f"CREDENTIALS_{name}"
        )
        for name in ("dev", "prod")
    )
    more = "    strategy: {matrix: {environment: [dev, prod]}}\n"
    after, done = rewritten(job(steps, more=more), environments={})
    assert live(after)["environment"] == "${{ matrix.environment }}"
    assert not done.left
