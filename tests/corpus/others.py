"""What is no long-lived Azure credential, however much it may look like one: the scan must say nothing about it."""

from __future__ import annotations

OTHERS = {
    "checkout": """
      - uses: actions/checkout@v4
        with:
          token: ${{ secrets.GITHUB_TOKEN }}
""",
    "oidc": """
      - uses: azure/login@v2
        with:
          client-id: ${{ secrets.AZURE_CLIENT_ID }}
          tenant-id: ${{ secrets.AZURE_TENANT_ID }}
          subscription-id: ${{ secrets.AZURE_SUBSCRIPTION_ID }}
          auth-type: SERVICE_PRINCIPAL
""",
    "oidc-no-creds": """
      - uses: azure/login@v2
        with:
          creds: ''
          client-id: ${{ vars.AZURE_CLIENT_ID }}
          tenant-id: ${{ vars.AZURE_TENANT_ID }}
          allow-no-subscriptions: true
""",
    "managed-identity": """
      - uses: azure/login@v2
        with:
          auth-type: IDENTITY
          client-id: ${{ secrets.AZURE_CLIENT_ID }}
      - run: az login --identity --username "$ID"
""",
    "federated-by-hand": """
      - run: |
          TOKEN=$(curl -sH "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=api://AzureADTokenExchange" | jq -r .value)
          az login --service-principal -u $ID --tenant $TENANT --federated-token "$TOKEN"
""",
    "talk": """
      - run: |
          # az login --service-principal -u $ID -p $SECRET --tenant $T
          echo "Set AZURE_CLIENT_SECRET, or run: az login --service-principal -p ..."
          cat <<'EOF' >> README.md
          az login --service-principal -u ID -p PASSWORD
          EOF
          az group list # az login -u a -p b
""",
    "azd-federated": """
      - run: azd auth login --client-id "$AZURE_CLIENT_ID" --federated-credential-provider "github" --tenant-id "$AZURE_TENANT_ID"
      - run: azd config set auth.useAzCliAuth true
""",
    "terraform-federated": """
      - run: terraform apply
        env:
          ARM_USE_OIDC: "true"
          ARM_CLIENT_ID: ${{ secrets.ARM_CLIENT_ID }}
          ARM_SUBSCRIPTION_ID: ${{ secrets.ARM_SUBSCRIPTION_ID }}
          ARM_CLIENT_SECRET: ""
          TF_VAR_db_password: ${{ secrets.DB_PASSWORD }}
""",
    "terraform-cloud": """
      - uses: hashicorp/setup-terraform@v3
        with:
          cli_config_credentials_token: ${{ secrets.TF_API_TOKEN }}
""",
    "acr-federated": """
      - run: az acr login --name contoso
      - run: docker push contoso.azurecr.io/shop
""",
    "acr-token": """
      - id: acr
        run: |
          token=$(az acr login --name contoso --expose-token --query accessToken -o tsv)
          echo "::add-mask::$token"
          echo "token=$token" >> "$GITHUB_OUTPUT"
      - uses: docker/login-action@v3
        with:
          registry: contoso.azurecr.io
          username: 00000000-0000-0000-0000-000000000000
          password: ${{ steps.acr.outputs.token }}
""",
    "acr-token-command": """
      - run: |
          az acr login -n contoso --expose-token -o tsv --query accessToken | docker login contoso.azurecr.io -u 00000000-0000-0000-0000-000000000000 --password-stdin
          docker login contoso.azurecr.io -u 00000000-0000-0000-0000-000000000000 -p "$(az acr login -n contoso --expose-token -o tsv)"
""",
    "ghcr": """
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
          username: ${{ github.actor }}
          password: ${{ secrets.GITHUB_TOKEN }}
      - run: echo "${{ secrets.GITHUB_TOKEN }}" | docker login ghcr.io -u ${{ github.actor }} --password-stdin
""",
    "docker-hub": """
      - uses: docker/login-action@v3
        with:
          username: ${{ secrets.DOCKERHUB_USERNAME }}
          password: ${{ secrets.DOCKERHUB_TOKEN }}
      - run: echo "${{ secrets.DOCKER_PASSWORD }}" | docker login -u "${{ secrets.DOCKER_USERNAME }}" --password-stdin
""",
    "azure-docker-login-elsewhere": """
      - uses: azure/docker-login@v2
        with:
          login-server: registry.example.com
          username: ci
          password: ${{ secrets.REGISTRY_TOKEN }}
""",
    "quay": """
      - uses: docker/login-action@v3
        with:
          registry: ${{ env.REGISTRY }}
          username: ${{ secrets.QUAY_USER }}
          password: ${{ secrets.QUAY_PASSWORD }}
        env:
          REGISTRY: quay.io
""",
    "aws": """
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}
          aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
          aws-region: eu-north-1
      - run: aws ecr get-login-password | docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-north-1.amazonaws.com
""",
    "gcp": """
      - uses: google-github-actions/auth@v2
        with:
          credentials_json: ${{ secrets.GCP_CREDENTIALS }}
      - run: gcloud auth activate-service-account --key-file=<(echo "$KEY")
        env:
          KEY: ${{ secrets.GCP_SA_KEY }}
""",
    "checkmarx": """
      - uses: checkmarx/ast-github-action@v2
        with:
          cx_tenant: ${{ secrets.CX_TENANT }}
          cx_client_id: ${{ secrets.CX_CLIENT_ID }}
          cx_client_secret: ${{ secrets.CX_CLIENT_SECRET }}
""",
    "auth0": """
      - run: npx auth0-deploy --domain "$DOMAIN" --client-secret "${{ secrets.AUTH0_CLIENT_SECRET }}"
        env:
          AUTH0_CLIENT_SECRET: ${{ secrets.AUTH0_CLIENT_SECRET }}
          AUTH0_CLIENT_ID: ${{ secrets.AUTH0_CLIENT_ID }}
""",
    "npm": """
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
""",
    "pypi": """
      - uses: pypa/gh-action-pypi-publish@release/v1
        with:
          password: ${{ secrets.PYPI_API_TOKEN }}
""",
    "databases": """
      - run: ./migrate
        env:
          AZURE_SQL_PASSWORD: ${{ secrets.AZURE_SQL_PASSWORD }}
          AZURE_POSTGRES_APP_PASSWORD: ${{ secrets.AZURE_POSTGRES_APP_PASSWORD }}
          AZURE_COSMOS_DB_KEY: ${{ secrets.AZURE_COSMOS_DB_KEY }}
      - uses: azure/sql-action@v2
        with:
          connection-string: ${{ secrets.AZURE_SQL_CONNECTION_STRING }}
          path: db.dacpac
""",
    "azure-devops": """
      - uses: azure/pipelines@v1
        with:
          azure-devops-project-url: https://dev.azure.com/contoso/shop
          azure-devops-token: ${{ secrets.AZURE_DEVOPS_TOKEN }}
""",
    "ids-only": """
      - run: python read.py
        env:
          AZURE_CLIENT_ID: ${{ secrets.AZURE_CLIENT_ID }}
          AZURE_TENANT_ID: ${{ secrets.AZURE_TENANT_ID }}
          AZURE_SUBSCRIPTION_ID: ${{ secrets.AZURE_SUBSCRIPTION_ID }}
          AZURE_OPENAI_ENDPOINT: ${{ secrets.AZURE_OPENAI_ENDPOINT }}
          ARM_SUBSCRIPTION_ID: ${{ secrets.ARM_SUBSCRIPTION_ID }}
""",
    "fake-values": """
      - run: pytest tests/unit
        env:
          AZURE_CLIENT_SECRET: test
          AZURE_OPENAI_API_KEY: dummy
          ARM_CLIENT_SECRET: not-a-secret
""",
    "openai": """
      - run: pytest
        env:
          OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}
          ANTHROPIC_API_KEY: ${{ secrets.ANTHROPIC_API_KEY }}
""",
    "kubernetes": """
      - uses: azure/k8s-set-context@v4
        with:
          method: kubeconfig
          kubeconfig: ${{ secrets.KUBE_CONFIG }}
      - run: kubectl create secret generic app --from-literal=password=${{ secrets.APP_PASSWORD }}
""",
    "ssh": """
      - uses: appleboy/ssh-action@v1
        with:
          host: ${{ secrets.HOST }}
          key: ${{ secrets.SSH_KEY }}
          password: ${{ secrets.SSH_PASSWORD }}
          script: sudo systemctl restart shop
""",
    "foundry-of-others": """
      - uses: foundry-rs/foundry-toolchain@v1
      - run: ./push
        env:
          FOUNDRY_TOKEN: ${{ secrets.FOUNDRY_TOKEN }}
""",
    "powershell": """
      - shell: pwsh
        run: |
          Connect-AzAccount -Identity
          $key = ConvertTo-SecureString $env:PFX_PASSWORD -AsPlainText -Force
          Import-PfxCertificate -FilePath cert.pfx -Password $key -CertStoreLocation Cert:\\CurrentUser\\My
        env:
          PFX_PASSWORD: ${{ secrets.PFX_PASSWORD }}
""",
    "key-asked-for": """
      - run: |
          KEY=$(az storage account keys list -n contoso --query '[0].value' -o tsv)
          az storage blob list -c x --account-name contoso --account-key "$KEY"
          az storage blob list -c x --account-name contoso --auth-mode login
""",
    "sealed": """
      - run: az keyvault secret set --vault-name kv --name db --value "${{ secrets.DB_PASSWORD }}"
      - run: az ad app credential list --id "$ID" --query '[].endDateTime'
""",
    "words": """
      - name: AZURE_CREDENTIALS and ${{ github.ref }}
        run: echo "${{ github.event.head_commit.message }} creds"
""",
    "arm-processors": """
      - run: make ARCH=arm PASSWORD=x
        env:
          ALARM_KEY: ${{ secrets.ALARM_KEY }}
          SWARM_CREDS: ${{ secrets.SWARM_CREDS }}
""",
}
