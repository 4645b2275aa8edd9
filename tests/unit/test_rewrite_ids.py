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


AZ = "      - run: |\n{}        env: {{ONE: '${{{{ secrets.AZURE_A_SECRET }}}}', TWO: '${{{{ secrets.AZURE_B_SECRET }}}}'}}\n"


def az(who: str, password: str) -> str:
    return f"          az login --service-principal -u {who} -p ${password} -t t\n"


def test_two_sign_ins_of_one_script_stay_where_they_are() -> None:
    group = "          az group list\n"
    after, done = rewritten(job(AZ.format(az("a", "ONE") + group + az("b", "TWO") + group)))
    assert list(live(after)["steps"][0]) == ["run"]
    assert live(after)["steps"][0]["run"].count("--federated-token") == 2
    assert not done.left


def test_a_sign_in_after_something_else_stays_where_it_is() -> None:
    after, _ = rewritten(job(AZ.format("          az group list\n" + az("a", "ONE"))))
    assert "--federated-token" in live(after)["steps"][0]["run"]


def test_two_steps_that_sign_in_as_others_are_left() -> None:
    group = "          az group list\n"
    text = job(AZ.format(az("a", "ONE") + group) + AZ.format(az("b", "TWO") + group))
    after, done = rewritten(text)
    assert after == text
    assert any("signs in with a, b, which may be several" in said for said in why(done))


def test_a_program_that_was_another_application_is_told() -> None:
    sdk = (
        "      - run: python x.py\n        env:\n          AZURE_CLIENT_ID: mine\n"
        "          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}\n"
    )
    _, done = rewritten(job(LOGIN + sdk))
    assert "deploy.yml:9: this signed in as mine, and now goes by the sign-in before it" in done.notes[0]


def test_an_environment_that_people_say_is_one_application() -> None:
    more = "    strategy: {matrix: {environment: [dev, prod]}}\n"
    text = job(LOGIN.replace(".AZURE_CREDENTIALS", "[matrix.secret]"), more=more)
    assert "whose secret it is depends on the run" in why(rewritten(text)[1])[0]
    assert not rewritten(text, environments={})[1].left


def test_a_tenant_may_be_a_domain() -> None:
    after, _ = rewritten(job(BY_JSON.replace('"tenantId":"t"', '"tenantId":"contoso.onmicrosoft.com"')))
    assert live(after)["steps"][0]["with"]["tenant-id"] == "contoso.onmicrosoft.com"


# -- what may stand for several things ----------------------------------------------------------------------------------


def test_merged_mappings_are_left() -> None:
    text = f"on: push\nx: &x\n  runs-on: ubuntu-latest\njobs:\n  live:\n    <<: *x\n    steps:\n{LOGIN}"
    after, done = rewritten(text)
    assert after == text
    assert "merges mappings (<<)" in why(done)[0]


def test_whether_there_is_a_secret_is_not_decided_anew() -> None:
    said = "github.ref == 'refs/heads/main' && secrets.AZURE_CREDENTIALS || ''"
    text = job(LOGIN.replace("secrets.AZURE_CREDENTIALS", said))
    after, done = rewritten(text)
    assert after == text
    assert "whether there is a secret depends on the run" in why(done)[0]


@pytest.mark.parametrize(
    ("trigger", "note"),
    [
        ("[push, pull_request]", "those from forks get no token"),
        ("pull_request_target", "see that it runs nothing of theirs"),
        ("workflow_call", "have to give it id-token: write"),
    ],
)
def test_who_starts_it_is_told(trigger: str, note: str) -> None:
    _, done = rewritten(job(top=f"on: {trigger}\n"))
    assert any(note in said for said in done.notes)
    assert not any(note in said for said in rewritten(job())[1].notes)


# -- what is empty when all of it is gone --------------------------------------------------------------------------------

TWO = AZ.format(az("a", "ONE") + az("b", "TWO"))


@pytest.mark.parametrize(
    ("env", "then"),
    [
        (" {ONE: '${{ secrets.AZURE_A_SECRET }}', TWO: '${{ secrets.AZURE_B_SECRET }}', X: y}", " {X: y}"),
        (" {X: y, ONE: '${{ secrets.AZURE_A_SECRET }}', TWO: '${{ secrets.AZURE_B_SECRET }}'}", " {X: y}"),
        (" {ONE: '${{ secrets.AZURE_A_SECRET }}', X: y, TWO: '${{ secrets.AZURE_B_SECRET }}'}", " {X: y}"),
        ("\n          ONE: ${{ secrets.AZURE_A_SECRET }}\n          TWO: ${{ secrets.AZURE_B_SECRET }}", None),
        ("\n          ONE: ${{ secrets.AZURE_A_SECRET }}\n          TWO: ${{ secrets.AZURE_B_SECRET }}\n          X: y", "\n          X: y"),
    ],
)  # fmt: skip
def test_variables_that_go_together(env: str, then: str | None) -> None:
    head, _, _ = TWO.partition("        env:")
    after, done = rewritten(job(f"{head}        env:{env}\n"))
    if then is None:
        assert "env:" not in after
    else:
        assert after.endswith(f"        env:{then}\n")
    assert not done.left


def test_secrets_that_are_handed_over_go_together() -> None:
    called = (
        "on: {workflow_call: {secrets: {a: {required: true}, b: {required: true}}}}\njobs:\n  live:\n"
        "    runs-on: ubuntu-latest\n    steps:\n"
        + AZ.format(az("a", "ONE") + az("b", "TWO"))
        .replace("AZURE_A_SECRET", "a")
        .replace("AZURE_B_SECRET", "b")
    )
    caller = (
        f"on: push\njobs:\n  live:\n    uses: ./{CALLER}\n    secrets:\n"
        "      a: ${{ secrets.AZURE_A_SECRET }}\n      b: ${{ secrets.AZURE_B_SECRET }}\n"
    )
    after, done = rewritten({FILE: caller, CALLER: called})
    assert list(live(after)) == ["uses", "permissions"]
    assert not done.left


def test_a_program_that_goes_on_as_the_same_is_not_told() -> None:
    steps = (
        "      - run: az login --service-principal -u $AZURE_CLIENT_ID -p $AZURE_CLIENT_SECRET -t t\n        env:\n"
        "          AZURE_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}\n"
        "          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}\n"
    )
    assert not rewritten(job(steps))[1].notes


# -- what is written in other ways ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ("", "has no name"),
        (" ''", "has no name"),
        (" {url: x}", "has no name"),
        (" ${{ github.ref == 'refs/heads/main' && 'live' || '' }}", "in some of its runs"),
    ],
)
def test_an_environment_that_is_none_is_left(environment: str, reason: str) -> None:
    text = job(more=f"    environment:{environment}\n")
    after, done = rewritten(text)
    assert after == text
    assert reason in why(done)[0]


@pytest.mark.parametrize(
    "text",
    [job().replace("\n", "\r"), job(LOGIN.replace("creds:", "? creds\n          :"))],
    ids=["cr", "explicit"],
)
def test_what_cannot_be_edited_is_left(text: str) -> None:
    after, done = rewritten(text)
    assert after == text
    assert len(done.left) == 1


def test_one_other_line_end_is_no_example() -> None:
    after, _ = rewritten(job().replace("\n", "\r\n", 1))
    assert after.count("\r") == 1
