"""What is in `contoso/legacy`: how deployment with client secrets used to be done, in the ways that it usually was.

Data only, as in ``seed``: workflows, an action and a script that sign in to Azure with secrets; the secrets at each
level and in each store, some of them forgotten; a variable with the application's id.
"""

from __future__ import annotations

import json
from typing import Any

_CREATED = "2026-01-20T09:00:00Z"
#: Spelled so that nobody takes them for real ones; the second is the application's password that still works.
_PASSWORD = "sandbox-legacy-client-credential-2"  # noqa: S105 - opens nothing outside the sandbox


def _value(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, "created_at": _CREATED, "updated_at": _CREATED, **more}


def _values(**values: str) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in values.items()}


def _sdk_auth(app_id: str, tenant: str, subscription: str) -> str:
    """Return a service principal as `az ad sp create-for-rbac --sdk-auth` used to print it."""
    fields = ("clientId", "clientSecret", "tenantId", "subscriptionId")
    return json.dumps(dict(zip(fields, (app_id, _PASSWORD, tenant, subscription), strict=True)))


def _environment(number: int, name: str, **secrets: str) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "policies": [],
        "secrets": _values(**secrets),
        "variables": {},
        "wait_timer": 0,
        "prevent_self_review": False,
        "reviewers": [],
        "can_admins_bypass": True,
        "deployment_branch_policy": None,
        "created_at": _CREATED,
        "updated_at": _CREATED,
    }


def repository(app_id: str, tenant: str, subscription: str) -> dict[str, Any]:
    """Return what the repository has beyond its name."""
    credentials = _sdk_auth(app_id, tenant, subscription)
    return {
        "files": {"main": FILES | {"README.md": "# legacy\n"}},
        "environments": {
            "staging": _environment(6001, "staging", AZURE_CREDENTIALS=credentials),
            "production": _environment(6002, "production", AZURE_CLIENT_SECRET=_PASSWORD),
        },
        "secrets": _values(
            AZURE_CREDENTIALS=credentials,
            AZURE_CLIENT_SECRET=_PASSWORD,
            AZURE_SP_PASSWORD="sandbox-legacy-client-credential-1",  # noqa: S106 - as above
            AZURE_OPENAI_API_KEY="sandbox-key",
            NPM_TOKEN="sandbox-npm",  # noqa: S106 - as above
        ),
        "variables": _values(
            AZURE_CLIENT_ID=app_id, AZURE_TENANT_ID=tenant, AZURE_SUBSCRIPTION_ID=subscription
        ),
        "stores": {
            "dependabot": _values(AZURE_CREDENTIALS=credentials),
            "codespaces": _values(AZURE_CLIENT_SECRET=_PASSWORD),
            "agents": _values(AZURE_CLIENT_SECRET=_PASSWORD),
        },
    }


def organization_secrets(app_id: str, tenant: str, subscription: str) -> dict[str, Any]:
    """Return the organization's secrets: one for `legacy` alone, one that `agents` may read as well."""
    chosen = {"visibility": "selected", "selected_repository_ids": [4002]}
    shared = {"visibility": "selected", "selected_repository_ids": [4001, 4002]}
    credentials = _sdk_auth(app_id, tenant, subscription)
    return {
        "AZURE_CREDENTIALS": _value("AZURE_CREDENTIALS", credentials, **chosen),
        "AZURE_CLIENT_SECRET": _value("AZURE_CLIENT_SECRET", _PASSWORD, **shared),
    }


FILES = {
    ".github/workflows/deploy.yml": """\
# Builds the shop and brings it to staging, then to production.
name: deploy

on:
  push:
    branches: [main]
  workflow_dispatch:

jobs:
  staging:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - uses: actions/checkout@v4
      - name: Sign in to Azure
        uses: azure/login@v1
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}   # the service principal of 2023
      - name: Deploy
        run: az webapp up --name contoso-shop-staging --resource-group rg-shop-staging

  production:
    needs: staging
    runs-on: ubuntu-latest
    environment: production
    steps:
      - uses: actions/checkout@v4
      - name: Sign in to Azure
        uses: azure/login@v1
        with:
          creds: '{"clientId":"${{ vars.AZURE_CLIENT_ID }}","clientSecret":"${{ secrets.AZURE_CLIENT_SECRET }}","tenantId":"${{ vars.AZURE_TENANT_ID }}","subscriptionId":"${{ vars.AZURE_SUBSCRIPTION_ID }}"}'
      - name: Deploy
        run: az webapp up --name contoso-shop --resource-group rg-shop
""",
    ".github/workflows/infrastructure.yml": """\
name: infrastructure
on:
  push:
    paths: ["infra/**"]

permissions:
  contents: read

jobs:
  apply:
    runs-on: ubuntu-latest
    env:
      ARM_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}
      ARM_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
      ARM_TENANT_ID: ${{ vars.AZURE_TENANT_ID }}
      ARM_SUBSCRIPTION_ID: ${{ vars.AZURE_SUBSCRIPTION_ID }}
      ARM_ACCESS_KEY: ${{ secrets.STATE_ACCESS_KEY }}
    defaults:
      run:
        working-directory: infra
    steps:
      - uses: actions/checkout@v4
      - uses: hashicorp/setup-terraform@v3
      - run: terraform init
      - run: terraform apply -auto-approve
""",
    ".github/workflows/images.yml": """\
name: images
on:
  workflow_dispatch:
jobs:
  push:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
    - uses: actions/checkout@v4
    - uses: docker/login-action@v3
      with:
        registry: contosolegacy.azurecr.io
        username: ${{ vars.AZURE_CLIENT_ID }}
        password: ${{ secrets.AZURE_CLIENT_SECRET }}
    - run: |
        docker build --tag contosolegacy.azurecr.io/shop:${{ github.sha }} .
        docker push contosolegacy.azurecr.io/shop:${{ github.sha }}
""",
    ".github/workflows/nightly.yml": """\
name: nightly
on:
  schedule:
    - cron: "30 3 * * *"
jobs:
  report:
    runs-on: ubuntu-latest
    environment: production
    steps:
      - uses: actions/checkout@v4
      - name: Sign in
        run: |
          az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none
          az account set --subscription "$AZURE_SUBSCRIPTION_ID"
        env:
          AZURE_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}
          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
          AZURE_TENANT_ID: ${{ vars.AZURE_TENANT_ID }}
          AZURE_SUBSCRIPTION_ID: ${{ vars.AZURE_SUBSCRIPTION_ID }}
      - run: az consumption usage list --output table
  clean:
    runs-on: ubuntu-latest
    environment: production
    steps:
      - uses: actions/checkout@v4
      - run: ./scripts/clean.sh rg-shop-staging
        env:
          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
""",
    ".github/workflows/evaluate.yml": """\
name: evaluate
on: workflow_dispatch
jobs:
  agents:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - uses: actions/checkout@v4
      - uses: Azure/setup-azd@v2
      - run: azd auth login --client-id "$CLIENT_ID" --client-secret "$CLIENT_SECRET" --tenant-id "$TENANT_ID"
        env:
          CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}
          CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
          TENANT_ID: ${{ vars.AZURE_TENANT_ID }}
      - run: python evaluate.py
        env:
          AZURE_OPENAI_API_KEY: ${{ secrets.AZURE_OPENAI_API_KEY }}
""",
    ".github/workflows/release.yml": """\
name: release
on:
  push:
    tags: ["v*"]
jobs:
  publish:
    uses: ./.github/workflows/publish.yml
    with:
      stage: production
    secrets:
      credentials: ${{ secrets.AZURE_CREDENTIALS }}
      npm-token: ${{ secrets.NPM_TOKEN }}
""",
    ".github/workflows/publish.yml": """\
name: publish
on:
  workflow_call:
    inputs:
      stage:
        type: string
        required: true
    secrets:
      credentials:
        required: true
      npm-token:
        required: true
jobs:
  publish:
    runs-on: ubuntu-latest
    environment: ${{ inputs.stage }}
    steps:
      - uses: actions/checkout@v4
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.npm-token }}
      - uses: ./.github/actions/sign-in
        with:
          credentials: ${{ secrets.credentials }}
      - run: az cdn endpoint purge --content-paths '/*' --name shop --profile-name shop --resource-group rg-shop
""",
    ".github/workflows/test.yml": """\
name: test
on: pull_request
jobs:
  unit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm ci && npm test
""",
    ".github/actions/sign-in/action.yml": """\
name: sign in
description: Signs in to Azure, and says who it is
inputs:
  credentials:
    description: the service principal, as JSON
    required: true
runs:
  using: composite
  steps:
    - uses: azure/login@v1
      with:
        creds: ${{ inputs.credentials }}
    - run: az account show --query user.name --output tsv
      shell: bash
""",
    "scripts/clean.sh": """\
#!/usr/bin/env bash
# Deletes what a test left behind in a resource group.
set -euo pipefail
az login --service-principal --username 0a000000-0000-0000-0000-000000000003 \\
  --password "$AZURE_CLIENT_SECRET" --tenant 11111111-1111-1111-1111-111111111111 --output none
az resource list --resource-group "$1" --tag temporary=true --query '[].id' --output tsv |
  xargs --no-run-if-empty az resource delete --ids
""",
}
