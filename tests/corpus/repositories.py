"""Repositories of several files: reusable workflows, composite actions and scripts, with what calls them. See `marks`."""

from __future__ import annotations

_CALLED = """\
name: deploy
on:
  workflow_call:
    inputs:
      stage: {{ type: string, required: true }}
    secrets:
      credentials:
        required: true
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: ${{{{ inputs.stage }}}}
    steps:
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds {0}»${{{{ secrets.{1} }}}}
"""

REPOSITORIES = {
    "reusable-with-secrets": {
        ".github/workflows/deploy.yml": _CALLED.format("AZURE_CREDENTIALS", "credentials"),
        ".github/workflows/ci.yml": """\
on: push
jobs:
  live:
    uses: ./.github/workflows/deploy.yml
    with:
      stage: live
    secrets:
      credentials: «workflow-secrets AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
      npm: ${{ secrets.NPM_TOKEN }}
""",
    },
    "reusable-that-inherits": {
        ".github/workflows/deploy.yml": _CALLED.format("AZURE_CREDENTIALS", "AZURE_CREDENTIALS"),
        ".github/workflows/ci.yaml": """\
on: push
jobs:
  test:
    uses: ./.github/workflows/test.yml
    secrets: inherit
  live:
    uses: ./.github/workflows/deploy.yml
    with: { stage: live }
    secrets: «workflow-secrets AZURE_CREDENTIALS»inherit
""",
        ".github/workflows/test.yml": """\
on: workflow_call
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
        env:
          TOKEN: ${{ secrets.NPM_TOKEN }}
""",
    },
    "reusable-with-a-name-of-its-own": {
        ".github/workflows/build.yml": """\
on:
  workflow_call:
    secrets:
      key: { required: true }
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds SP_OF_CI»${{ secrets.key }}
      - run: ./audit
        env:
          KEY: «other-use SP_OF_CI»${{ secrets.key }}
""",
        ".github/workflows/ci.yml": """\
on: push
jobs:
  build:
    uses: ./.github/workflows/build.yml
    secrets:
      key: «workflow-secrets SP_OF_CI»${{ secrets.SP_OF_CI }}
  other:
    runs-on: ubuntu-latest
    steps:
      - run: ./sign
        env:
          KEY: ${{ secrets.KEY }}
""",
    },
    "output-of-a-step": {
        ".github/actions/login/action.yml": """\
name: login
description: Signs in
inputs:
  id: { required: true }
  password: { required: true }
runs:
  using: composite
  steps:
    - id: made
      shell: bash
      run: |
        JSON=$(jq -nc --arg id "${{ inputs.id }}" --arg pw "${{ inputs.password }}" '{clientId: $id, clientSecret: $pw}')
        echo "creds=$JSON" >> "$GITHUB_OUTPUT"
    - uses: azure/login@v2
      with:
        creds: «azure-login-creds SP_OF_CI»${{ steps.made.outputs.creds }}
""",
        ".github/workflows/ci.yml": """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/actions/login
        with:
          id: ${{ vars.APP }}
          password: «azure-login-creds SP_OF_CI»${{ secrets.SP_OF_CI }}
""",
    },
    "reusable-elsewhere": {
        ".github/workflows/ci.yml": """\
on: push
jobs:
  live:
    uses: contoso/workflows/.github/workflows/deploy.yml@v3
    secrets:
      azure-sp: «workflow-secrets AZURE_SP_PASSWORD»${{ secrets.AZURE_SP_PASSWORD }}
      token: ${{ secrets.GITHUB_TOKEN }}
  other:
    uses: contoso/workflows/.github/workflows/lint.yml@v3
    secrets: inherit
""",
    },
    "composite-with-inputs": {
        ".github/actions/login/action.yml": """\
name: login
description: Signs in to Azure
inputs:
  creds:
    description: the service principal
    required: true
runs:
  using: composite
  steps:
    - uses: azure/login@v2
      with:
        creds: «azure-login-creds LIVE_DEPLOYER»${{ inputs.creds }}
    - run: az account show
      shell: bash
""",
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/login
        with:
          creds: «azure-login-creds LIVE_DEPLOYER»${{ secrets.LIVE_DEPLOYER }}
""",
    },
    "composite-that-makes-json": {
        ".github/actions/login/action.yml": """\
name: login
description: Signs in to Azure
inputs:
  tenant:
    description: the tenant
  app:
    description: the application
  app-secret:
    description: its secret
  subscription:
    description: the subscription
runs:
  using: composite
  steps:
    - uses: Azure/login@v1
      with:
        creds: '{"clientId":"${{ inputs.app }}","clientSecret":"«azure-login-creds APP_PW»${{ inputs.app-secret }}","tenantId":"${{ inputs.tenant }}","subscriptionId":"${{ inputs.subscription }}"}'
""",
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/actions/login
        with:
          tenant: ${{ vars.TENANT }}
          app: ${{ vars.APP }}
          app-secret: «azure-login-creds APP_PW»${{ secrets.APP_PW }}
          subscription: ${{ vars.SUBSCRIPTION }}
""",
    },
    "composite-that-sees-variables": {
        "actions/apply/action.yaml": """\
name: apply
description: Applies
runs:
  using: composite
  steps:
    - shell: bash
      run: az login --service-principal -u "$ID" -p «az-login-secret PRINCIPAL»"$SP" -t "$T"
""",
        ".github/workflows/apply.yml": """\
on: push
env:
  SP: «az-login-secret PRINCIPAL»${{ secrets.PRINCIPAL }}
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: ./actions/apply
""",
    },
    "composite-nobody-uses": {
        "action.yml": """\
name: deploy
description: Deploys
inputs:
  client-secret:
    description: a secret
runs:
  using: composite
  steps:
    - run: |
        az login --service-principal -u "$ID" -p «az-login-secret»"$SECRET" --tenant "$TENANT"
      shell: bash
      env:
        SECRET: ${{ inputs.client-secret }}
""",
    },
    "script": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          chmod +x ci/login.sh
          ./ci/login.sh
        env:
          DEPLOY_PW: «az-login-secret DEPLOY_PW»${{ secrets.DEPLOY_PW }}
""",
        "ci/login.sh": """\
#!/usr/bin/env bash
# az login --service-principal -u x -p y
set -e
az login --service-principal -u "$APP" -p «az-login-secret DEPLOY_PW»"$DEPLOY_PW" --tenant "$TENANT"
""",
        "ci/unused.sh": "az login --service-principal -u a -p $B --tenant c\n",
    },
    "script-with-arguments": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    defaults:
      run:
        working-directory: infra
    steps:
      - run: bash scripts/login.sh "$APP" «az-login-secret DEPLOY_PW»${{ secrets.DEPLOY_PW }} live
""",
        "infra/scripts/login.sh": """\
az login --service-principal -u "$1" -p «az-login-secret DEPLOY_PW»"$2" --tenant contoso.onmicrosoft.com
""",
    },
    "script-that-calls-another": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    env:
      PW: «registry-password CI_PW»${{ secrets.CI_PW }}
    steps:
      - run: cd ci && ./all.sh
""",
        "ci/all.sh": "./push.sh\n",
        "ci/push.sh": "docker login contoso.azurecr.io -u ci -p «registry-password CI_PW»$PW\n",
    },
    "script-of-powershell": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: windows-latest
    steps:
      - shell: pwsh
        run: ./deploy.ps1 -ClientSecret "«powershell-credential SP_PW»${{ secrets.SP_PW }}" -Stage live
""",
        "deploy.ps1": """\
param([string]$ClientSecret, [string]$Stage)
$secure = ConvertTo-SecureString «powershell-credential SP_PW»$ClientSecret -AsPlainText -Force
$credential = New-Object PSCredential($env:APP, $secure)
Connect-AzAccount -ServicePrincipal -Credential $credential -Tenant $env:TENANT
""",
    },
    "program": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    env:
      AZURE_CLIENT_SECRET: «env-client-secret AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
    steps:
      - run: python tools/deploy.py --stage live
""",
        "tools/deploy.py": """\
import os

from azure.identity import ClientSecretCredential

# os.environ["AZURE_CLIENT_SECRET"] is what CI sets
credential = «env-client-secret»ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ[«env-client-secret»"AZURE_CLIENT_SECRET"]
)
""",
    },
    "program-without-the-variable": {
        ".github/workflows/test.yml": """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: python tools/deploy.py --stage live
""",
        "tools/deploy.py": 'import os\n\nsecret = os.environ.get("AZURE_CLIENT_SECRET")\n',
    },
    "containers": {
        ".github/workflows/test.yml": """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    container:
      image: contoso.azurecr.io/build:1
      credentials:
        username: ci
        password: «registry-password BUILD_PW»${{ secrets.BUILD_PW }}
    services:
      db:
        image: ghcr.io/contoso/db
        credentials:
          username: ${{ github.actor }}
          password: ${{ secrets.GHCR_TOKEN }}
    steps:
      - run: make test
""",
    },
    "anchors": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    env: &azure
      ARM_CLIENT_ID: ${{ vars.ARM_CLIENT_ID }}
      ARM_CLIENT_SECRET: &secret «terraform-secret TF_SECRET»${{ secrets.TF_SECRET }}
    steps: &steps
      - run: terraform plan
  apply:
    runs-on: ubuntu-latest
    env: *azure
    steps: *steps
""",
    },
    "matrix": {
        ".github/workflows/deploy.yml": """\
on: push
jobs:
  deploy:
    strategy:
      matrix:
        include:
          - { stage: test, secret: SP_TEST }
          - { stage: live, secret: SP_LIVE }
    runs-on: ubuntu-latest
    environment: ${{ matrix.stage }}
    steps:
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds»${{ secrets[matrix.secret] }}
""",
    },
    "variables-of-all-levels": {
        ".github/workflows/deploy.yml": """\
on: push
env:
  CREDS: «azure-login-creds TOP»${{ secrets.TOP }}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds TOP»${{ env.CREDS }}
  two:
    runs-on: ubuntu-latest
    env:
      CREDS: «azure-login-creds MIDDLE»${{ secrets.MIDDLE }}
    steps:
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds MIDDLE»${{ env.CREDS }}
""",
    },
}
