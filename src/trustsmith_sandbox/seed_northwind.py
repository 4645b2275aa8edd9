"""What is in the organization `northwind`: repositories that sign in to Azure with secrets, each with another risk.

Data only, as in ``seed_legacy``. Secrets hold nothing that opens anything.
"""

from __future__ import annotations

from typing import Any

_CREATED = "2026-01-20T09:00:00Z"
Data = dict[str, Any]


def _values(*names: str, **more: Any) -> Data:
    """Return values that open nothing, by name."""
    stamps = {"created_at": _CREATED, "updated_at": _CREATED}
    return {name: {"name": name, "value": "sandbox-northwind", **stamps, **more} for name in names}


def _environment(number: int, name: str, *secrets: str) -> Data:
    return {
        "id": number,
        "name": name,
        "policies": [],
        "secrets": _values(*secrets),
        "variables": {},
        "wait_timer": 0,
        "prevent_self_review": False,
        "reviewers": [],
        "can_admins_bypass": True,
        "deployment_branch_policy": None,
        "created_at": _CREATED,
        "updated_at": _CREATED,
    }


def organization_secrets() -> Data:
    """Return the organization's secrets: one for everybody, one for a single repository."""
    return _values("AZURE_CREDENTIALS", visibility="all", selected_repository_ids=[]) | _values(
        "ARM_CLIENT_SECRET", visibility="selected", selected_repository_ids=[4203]
    )


def repositories() -> list[tuple[int, str, Data]]:
    """Return number, name and settings of each."""
    stores = {"dependabot": {}, "codespaces": _values("ARM_CLIENT_SECRET"), "agents": {}}
    production = {"production": _environment(6101, "production", "AZURE_CLIENT_SECRET")}
    return [
        (4201, "shop", {"visibility": "public", "files": _main(preview=_PREVIEW, test=_TEST)}),
        (4202, "orders", {"files": _main(deploy=_DEPLOY), "environments": production}),
        (4203, "platform", {"visibility": "internal", "files": _main(infra=_INFRA), "stores": stores}),
        (
            4204,
            "website",
            {
                "visibility": "public",
                "files": _main(site=_SITE),
                "secrets": _values("AZURE_STATIC_WEB_APPS_API_TOKEN"),
            },
        ),
        (4205, "handbook", {"files": {"main": {"README.md": "# handbook\n"}}}),
        (4206, "shop-2023", {"archived": True, "files": _main(deploy=_DEPLOY), "pushed_at": _LONG_AGO}),
        (4207, "terraform-modules", {"fork": True, "files": _main(test=_TEST)}),
        (4208, "ideas", {"files": {}}),
        (4209, "reports", {"files": _main(nightly=_NIGHTLY), "pushed_at": _LONG_AGO}),
    ]


_LONG_AGO = "2023-11-05T09:00:00Z"


def _main(**workflows: str) -> dict[str, dict[str, str]]:
    files = {f".github/workflows/{name}.yml": text for name, text in workflows.items()}
    return {"main": files | {"README.md": "# northwind\n"}}


_TEST = """\
on: pull_request
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm test
"""
_PREVIEW = """\
# Puts a pull request's version online, for whoever comments `/preview`.
on:
  issue_comment:
    types: [created]
jobs:
  preview:
    runs-on: ubuntu-latest
    if: github.event.comment.body == '/preview'
    steps:
      - uses: actions/checkout@v4
        with:
          ref: refs/pull/${{ github.event.issue.number }}/head
      - uses: azure/login@v1
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
      - run: az webapp up --name northwind-preview
"""
_DEPLOY = """\
on:
  push:
    branches: [main]
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: production
    env:
      AZURE_CLIENT_ID: ${{ vars.AZURE_CLIENT_ID }}
      AZURE_TENANT_ID: ${{ vars.AZURE_TENANT_ID }}
      AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
    steps:
      - uses: actions/checkout@v4
      - run: python deploy.py
"""
_INFRA = """\
on: push
jobs:
  apply:
    runs-on: ubuntu-latest
    env:
      ARM_CLIENT_ID: ${{ vars.ARM_CLIENT_ID }}
      ARM_CLIENT_SECRET: ${{ secrets.ARM_CLIENT_SECRET }}
    steps:
      - uses: actions/checkout@v4
      - run: terraform apply -auto-approve
"""
_SITE = """\
on:
  push:
    branches: [main]
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: Azure/static-web-apps-deploy@v1
        with:
          azure_static_web_apps_api_token: ${{ secrets.AZURE_STATIC_WEB_APPS_API_TOKEN }}
          action: upload
"""
_NIGHTLY = """\
on:
  schedule:
    - cron: "0 4 * * *"
jobs:
  report:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v1
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
      - run: az consumption usage list --output table
"""
