"""Steps that use a long-lived Azure credential, in the ways that workflows do it. Written by hand; see `marks`.

Each is a list of steps, indented as under `steps:` of a workflow with two spaces a level.
"""

from __future__ import annotations

STEPS = {
    "login": """
      - name: Azure login
        uses: azure/login@v2
        with:
          creds: «azure-login-creds AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
      - run: az group list --output table
""",
    "login-pinned": """
      - uses: Azure/login@a457da9ea143d694b1b9c7c869ebb04ebe844ef5
        with:
          creds: «azure-login-creds CLOUD_DEPLOYER»${{secrets.CLOUD_DEPLOYER}}
          enable-AzPSSession: true
""",
    "login-by-key": """
      - uses: azure/login@v1
        with:
          creds: «azure-login-creds AZURE_CREDENTIALS_DEV»${{ secrets['AZURE_CREDENTIALS_DEV'] }}
          allow-no-subscriptions: true
""",
    "login-chosen": """
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds SP_LIVE SP_TEST»${{ github.ref == 'refs/heads/main' && secrets.SP_LIVE || secrets.SP_TEST }}
""",
    "login-json": """
      - uses: azure/login@v1
        with:
          creds: '{"clientId":"${{ secrets.APP_ID }}","clientSecret":"«azure-login-creds APP_SECRET»${{ secrets.APP_SECRET }}","subscriptionId":"${{ secrets.SUBSCRIPTION_ID }}","tenantId":"${{ secrets.TENANT_ID }}"}'
""",
    "login-json-block": """
      - uses: azure/login@v1
        with:
          creds: |
            {
              "clientId": "${{ vars.APP_ID }}",
              "clientSecret": "«azure-login-creds DEPLOY_KEY»${{ secrets.DEPLOY_KEY }}",
              "tenantId": "${{ vars.TENANT_ID }}"
            }
""",
    "login-json-format": """
      - uses: azure/login@v2
        with:
          creds: >-
            «azure-login-creds DEPLOY_KEY»${{ format('{{"clientId":"{0}","clientSecret":"{1}","tenantId":"{2}"}}',
            secrets.APP_ID, secrets.DEPLOY_KEY, secrets.TENANT_ID) }}
""",
    "login-variable": """
      - uses: azure/login@v2
        env:
          PRINCIPAL: «azure-login-creds DEPLOYER»${{ secrets.DEPLOYER }}
        with:
          creds: «azure-login-creds DEPLOYER»${{ env.PRINCIPAL }}
""",
    "login-from-a-vault": """
      - id: vault
        run: echo "sp=$(./read-vault)" >> "$GITHUB_OUTPUT"
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds»${{ steps.vault.outputs.sp }}
""",
    "login-computed-name": """
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds»${{ secrets[format('AZURE_CREDENTIALS_{0}', matrix.stage)] }}
""",
    "login-written-out": """
      - uses: azure/login@v2
        with:
          creds: '«azure-login-creds»{"clientId":"0a000000-0000-0000-0000-000000000001","clientSecret":"sandbox"}'
""",
    "login-client-secret": """
      - uses: azure/login@v2
        with:
          client-id: ${{ secrets.AZURE_CLIENT_ID }}
          tenant-id: ${{ secrets.AZURE_TENANT_ID }}
          subscription-id: ${{ secrets.AZURE_SUBSCRIPTION_ID }}
          client-secret: «azure-login-client-secret AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
""",
    "aks": """
      - uses: azure/aks-set-context@v1
        with:
          creds: «action-creds AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
          cluster-name: ${{ secrets.CLUSTER_NAME }}
          resource-group: rg-live
      - run: kubectl apply -f manifests
""",
    "container-apps": """
      - uses: azure/container-apps-deploy-action@v1
        with:
          azureCredentials: «action-creds SHOP_AZURE_CREDENTIALS»${{ secrets.SHOP_AZURE_CREDENTIALS }}
          registryUrl: contoso.azurecr.io
          containerAppName: shop
""",
    "aml": """
      - uses: Azure/aml-workspace@v1
        with:
          azure_credentials: «action-creds AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
""",
    "third-party-terraform": """
      - uses: contoso/terraform-plan@v1.3.0
        with:
          path: live
          arm_client_id: ${{ secrets.ARM_CLIENT_ID }}
          arm_client_secret: «action-client-secret ARM_CLIENT_SECRET»${{ secrets.ARM_CLIENT_SECRET }}
          arm_tenant_id: ${{ secrets.ARM_TENANT_ID }}
""",
    "signing": """
      - uses: azure/trusted-signing-action@v0.5.0
        with:
          azure-tenant-id: ${{ secrets.SIGN_TENANT }}
          azure-client-id: ${{ secrets.SIGN_CLIENT }}
          azure-client-secret: «action-client-secret SIGN_PASSWORD»${{ secrets.SIGN_PASSWORD }}
          files-folder: out
""",
    "power-platform": """
      - uses: microsoft/powerplatform-actions/who-am-i@v1
        with:
          environment-url: ${{ vars.PP_URL }}
          app-id: ${{ vars.PP_APP }}
          client-secret: «action-client-secret PP_SECRET»${{ secrets.PP_SECRET }}
          tenant-id: ${{ vars.TENANT }}
""",
    "publish-profile": """
      - uses: azure/webapps-deploy@v3
        with:
          app-name: shop
          publish-profile: «publish-credential AZURE_WEBAPP_PUBLISH_PROFILE»${{ secrets.AZURE_WEBAPP_PUBLISH_PROFILE }}
          package: .
""",
    "functions-publish-profile": """
      - uses: Azure/functions-action@v1
        with:
          app-name: jobs
          publish-profile: «publish-credential JOBS_PROFILE»${{ secrets.JOBS_PROFILE }}
""",
    "static-web-app": """
      - uses: Azure/static-web-apps-deploy@v1
        with:
          azure_static_web_apps_api_token: «publish-credential AZURE_STATIC_WEB_APPS_API_TOKEN_HAPPY_SEA»${{ secrets.AZURE_STATIC_WEB_APPS_API_TOKEN_HAPPY_SEA }}
          repo_token: ${{ secrets.GITHUB_TOKEN }}
          action: upload
""",
    "az-login": """
      - run: az login --service-principal -u ${{ secrets.AZURE_CLIENT_ID }} -p «az-login-secret AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }} --tenant ${{ secrets.AZURE_TENANT_ID }}
""",
    "az-login-continued": """
      - name: Sign in
        run: |
          set -euo pipefail
          az login --service-principal \\
            --username "$APP" \\
            --password «az-login-secret LEGACY_PW»"$PW" \\
            --tenant "$TENANT" --output none
          az account set --subscription "$SUBSCRIPTION"
        env:
          APP: ${{ vars.APP }}
          PW: «az-login-secret LEGACY_PW»${{ secrets.LEGACY_PW }}
          TENANT: ${{ vars.TENANT }}
          SUBSCRIPTION: ${{ vars.SUBSCRIPTION }}
""",
    "az-login-equals": """
      - run: |
          az login --service-principal --username=$ID --password=«az-login-secret SP_PW»${SP_PW} --tenant=$TENANT
        env:
          SP_PW: «az-login-secret SP_PW»${{ secrets.SP_PW }}
""",
    "az-login-in-if": """
      - run: |
          if ! az account show > /dev/null 2>&1; then
            az login --service-principal -u "$ID" -p «az-login-secret SP_PW»"$SECRET" -t "$TENANT" > /dev/null
          fi
        env: { SECRET: "«az-login-secret SP_PW»${{ secrets.SP_PW }}", ID: "${{ vars.ID }}" }
""",
    "az-login-nested": """
      - run: |
          SUB=$(az login --service-principal -u "$ID" -p «az-login-secret SP_PW»${{ secrets.SP_PW }} -t t --query '[0].id' -o tsv)
          bash -c 'az login -u "$ID" -p «az-login-secret SP_PW»"${{ secrets.SP_PW }}"'
""",
    "az-login-powershell": """
      - shell: pwsh
        run: |
          $secret = "«az-login-secret SP_PW»${{ secrets.SP_PW }}"
          $null = az login --service-principal -u $env:ID -p «az-login-secret SP_PW»$secret `
            --tenant $env:TENANT
""",
    "az-login-cmd": """
      - shell: cmd
        run: az login --service-principal -u %ID% -p «az-login-secret SP_PW»%SECRET% --tenant %TENANT%
        env:
          SECRET: «az-login-secret SP_PW»${{ secrets.SP_PW }}
""",
    "az-login-user": """
      - run: az login -u ${{ secrets.AZ_USER }} -p «az-login-secret AZ_PW»${{ secrets.AZ_PW }}
""",
    "az-login-certificate": """
      - run: |
          echo "$CERTIFICATE" > cert.pem
          az login --service-principal -u $ID --certificate «az-login-secret»cert.pem --tenant $TENANT
""",
    "az-login-in-docker": """
      - run: |
          docker run --rm mcr.microsoft.com/azure-cli az login --service-principal -u $ID -p «az-login-secret SP_PW»${{ secrets.SP_PW }} --tenant $T
""",
    "az-login-exported": """
      - run: echo "PW=«az-login-secret SP_PW»${{ secrets.SP_PW }}" >> "$GITHUB_ENV"
      - run: az login --service-principal -u $ID -p «az-login-secret SP_PW»$PW --tenant $TENANT
""",
    "azure-cli-action": """
      - uses: azure/CLI@v2
        with:
          azcliversion: latest
          inlineScript: |
            az login --service-principal -u ${{ vars.ID }} -p «az-login-secret SP_PW»${{ secrets.SP_PW }} --tenant ${{ vars.T }}
            az group list
""",
    "sdk-step": """
      - run: python deploy.py
        env:
          AZURE_CLIENT_ID: ${{ secrets.AZURE_CLIENT_ID }}
          AZURE_TENANT_ID: ${{ secrets.AZURE_TENANT_ID }}
          AZURE_CLIENT_SECRET: «env-client-secret AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
""",
    "sdk-in-docker": """
      - run: docker run -e AZURE_CLIENT_ID=$ID -e AZURE_CLIENT_SECRET=«env-client-secret APP_PW»${{ secrets.APP_PW }} contoso/job
""",
    "sdk-certificate": """
      - run: pytest tests/live
        env:
          AZURE_CLIENT_CERTIFICATE_PATH: «env-client-secret CERT_FILE»${{ secrets.CERT_FILE }}
""",
    "sdk-written-out": """
      - run: pytest tests/live
        env:
          AZURE_CLIENT_SECRET: «env-client-secret»abc8Q~sandboxsandboxsandboxsandboxsandbox
""",
    "ansible": """
      - run: ansible-playbook site.yml
        env:
          AZURE_SECRET: «env-client-secret ANSIBLE_SP»${{ secrets.ANSIBLE_SP }}
          AZURE_CLIENT_ID: ${{ vars.ID }}
""",
    "terraform-step": """
      - uses: hashicorp/setup-terraform@v3
      - run: terraform apply -auto-approve
        env:
          ARM_CLIENT_ID: ${{ secrets.ARM_CLIENT_ID }}
          ARM_CLIENT_SECRET: «terraform-secret ARM_CLIENT_SECRET»${{ secrets.ARM_CLIENT_SECRET }}
          ARM_SUBSCRIPTION_ID: ${{ secrets.ARM_SUBSCRIPTION_ID }}
          ARM_TENANT_ID: ${{ secrets.ARM_TENANT_ID }}
""",
    "terraform-other-names": """
      - run: terraform plan
        env:
          ARM_CLIENT_ID: ${{ secrets.AZURE_AD_CLIENT_ID }}
          ARM_CLIENT_SECRET: «terraform-secret CLIENT_SECRET»${{ secrets.CLIENT_SECRET }}
          TF_VAR_client_secret: «terraform-secret CLIENT_SECRET»${{ secrets.CLIENT_SECRET }}
""",
    "terraform-exported": """
      - run: |
          echo "ARM_CLIENT_ID=${{ secrets.ARM_CLIENT_ID }}" >> $GITHUB_ENV
          echo "ARM_CLIENT_SECRET=«terraform-secret ARM_CLIENT_SECRET»${{ secrets.ARM_CLIENT_SECRET }}" >> $GITHUB_ENV
      - run: terraform init
""",
    "terraform-export-of-another": """
      - run: |
          export ARM_CLIENT_SECRET=«terraform-secret DEPLOYER»$SECRET
          terraform plan
        env:
          SECRET: «terraform-secret DEPLOYER»${{ secrets.DEPLOYER }}
""",
    "terraform-arguments": """
      - run: |
          terraform init \\
            -backend-config="storage_account_name=contosostate" \\
            -backend-config="access_key=«storage-key STATE_KEY»${{ secrets.STATE_KEY }}"
          terraform apply -var="client_id=$ID" -var="client_secret=«terraform-secret DEPLOYER»${{ secrets.DEPLOYER }}"
""",
    "terraform-state-key": """
      - run: terraform init
        env:
          ARM_ACCESS_KEY: «storage-key ARM_ACCESS_KEY»${{ secrets.ARM_ACCESS_KEY }}
""",
    "terraform-of-json": """
      - run: terraform init
        env:
          ARM_CLIENT_ID: «credentials-json AZURE_CREDENTIALS»${{ fromJSON(secrets.AZURE_CREDENTIALS).clientId }}
          ARM_CLIENT_SECRET: «terraform-secret AZURE_CREDENTIALS»${{ fromJSON(secrets.AZURE_CREDENTIALS).clientSecret }}
""",
    "azd": """
      - uses: Azure/setup-azd@v2
      - run: |
          azd auth login --client-id "$AZURE_CLIENT_ID" \\
            --client-secret «azd-client-secret AZURE_CLIENT_SECRET»"$CLIENT_SECRET" --tenant-id "$AZURE_TENANT_ID"
        env:
          CLIENT_SECRET: «azd-client-secret AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
      - run: azd up --no-prompt
""",
    "azd-json": """
      - name: Log in with Azure (client credentials)
        shell: pwsh
        run: |
          $info = $Env:AZURE_CREDENTIALS | ConvertFrom-Json -AsHashtable;
          Write-Host "::add-mask::$($info.clientSecret)"
          azd auth login `
            --client-id "$($info.clientId)" `
            --client-secret «azd-client-secret AZURE_CREDENTIALS»"$($info.clientSecret)" `
            --tenant-id "$($info.tenantId)"
        env:
          AZURE_CREDENTIALS: «azd-client-secret AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
""",
    "json-taken-apart": """
      - run: |
          CLIENT_ID=$(echo '«credentials-json AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}' | jq -r .clientId)
          echo "CLIENT_ID=$CLIENT_ID" >> "$GITHUB_ENV"
""",
    "docker-login": """
      - uses: azure/docker-login@v2
        with:
          login-server: contoso.azurecr.io
          username: ${{ secrets.ACR_USERNAME }}
          password: «registry-password ACR_PASSWORD»${{ secrets.ACR_PASSWORD }}
""",
    "docker-login-by-secret": """
      - uses: azure/docker-login@v1
        with:
          login-server: ${{ secrets.REGISTRY_LOGIN_SERVER }}
          username: ${{ secrets.REGISTRY_USERNAME }}
          password: «registry-password REGISTRY_PASSWORD»${{ secrets.REGISTRY_PASSWORD }}
""",
    "docker-action": """
      - uses: docker/login-action@v3
        with:
          registry: contoso.azurecr.io
          username: ${{ secrets.AZURE_CLIENT_ID }}
          password: «registry-password AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
      - uses: docker/build-push-action@v6
        with:
          push: true
          tags: contoso.azurecr.io/shop:${{ github.sha }}
""",
    "docker-action-not-keyless": """
      - uses: docker/login-action@v3
        with:
          registry: contoso.azurecr.io
          username: ${{ secrets.USERNAME }}
          password: «registry-password AZURE_ACR_KEY»${{ secrets.AZURE_ACR_KEY }}
""",
    "docker-action-by-name": """
      - uses: docker/login-action@v3
        with:
          registry: ${{ secrets.ACR_LOGIN_SERVER }}
          username: ${{ secrets.ACR_NAME }}
          password: «registry-password REGISTRY_PW»${{ secrets.REGISTRY_PW }}
""",
    "docker-command": """
      - run: docker login contoso.azurecr.io -u ${{ secrets.ACR_USER }} -p «registry-password ACR_PASSWORD»${{ secrets.ACR_PASSWORD }}
""",
    "docker-command-piped": """
      - run: |
          echo «registry-password REGISTRY_PW»"$REGISTRY_PW" | docker login contoso.azurecr.io --username ci --password-stdin
          docker push contoso.azurecr.io/shop
        env:
          REGISTRY_PW: «registry-password REGISTRY_PW»${{ secrets.REGISTRY_PW }}
""",
    "acr-command": """
      - run: az acr login --name contoso --username ci --password «registry-password CI_PW»${{ secrets.CI_PW }}
""",
    "helm-registry": """
      - run: helm registry login contoso.azurecr.io -u ci -p «registry-password CI_PW»"${{ secrets.CI_PW }}"
""",
    "pull-secret": """
      - run: |
          kubectl create secret docker-registry pull \\
            --docker-server=contoso.azurecr.io --docker-username=ci \\
            --docker-password=«registry-password CI_PW»${{ secrets.CI_PW }}
""",
    "container-instance": """
      - uses: azure/aci-deploy@v1
        with:
          resource-group: rg
          image: contoso.azurecr.io/job
          registry-login-server: contoso.azurecr.io
          registry-username: ${{ secrets.REGISTRY_USERNAME }}
          registry-password: «registry-password REGISTRY_PASSWORD»${{ secrets.REGISTRY_PASSWORD }}
""",
    "container-instance-command": """
      - run: az container create -g rg -n job --image i --registry-username u --registry-password «registry-password REG_PW»${{ secrets.REG_PW }}
""",
    "powershell": """
      - shell: pwsh
        run: |
          $password = ConvertTo-SecureString «powershell-credential SP_PW»$env:SP_PW -AsPlainText -Force
          $credential = New-Object System.Management.Automation.PSCredential($env:APP_ID, $password)
          Connect-AzAccount -ServicePrincipal -Credential $credential -Tenant $env:TENANT
        env:
          SP_PW: «powershell-credential SP_PW»${{ secrets.SP_PW }}
""",
    "powershell-action": """
      - uses: azure/powershell@v2
        with:
          azPSVersion: latest
          inlineScript: |
            $pw = ConvertTo-SecureString -String «powershell-credential SP_PW»"${{ secrets.SP_PW }}" -AsPlainText -Force
            $cred = New-Object PSCredential -ArgumentList "${{ secrets.APP_ID }}", $pw
            Connect-AzAccount -Credential $cred -ServicePrincipal -TenantId "${{ secrets.TENANT_ID }}"
""",
    "openai-key": """
      - run: pytest tests/evaluation
        env:
          AZURE_OPENAI_ENDPOINT: ${{ secrets.AZURE_OPENAI_ENDPOINT }}
          AZURE_OPENAI_API_KEY: «api-key AZURE_OPENAI_API_KEY»${{ secrets.AZURE_OPENAI_API_KEY }}
          AZURE_INFERENCE_CREDENTIAL: «api-key MODEL_KEY»${{ secrets.MODEL_KEY }}
""",
    "openai-key-dotnet": """
      - run: dotnet test
        env:
          AzureOpenAI__ApiKey: «api-key AZUREOPENAI__APIKEY»${{ secrets.AZUREOPENAI__APIKEY }}
""",
    "foundry-connection": """
      - run: python agents.py
        env:
          AZURE_AI_PROJECT_CONNECTION_STRING: «api-key AZURE_AI_PROJECT_CONNECTION_STRING»${{ secrets.AZURE_AI_PROJECT_CONNECTION_STRING }}
""",
    "storage-command": """
      - run: az storage blob upload-batch -s site -d '$web' --account-name contoso --account-key «storage-key SITE_KEY»${{ secrets.SITE_KEY }}
""",
    "storage-variable": """
      - run: az storage blob list -c x
        env:
          AZURE_STORAGE_CONNECTION_STRING: «storage-key AZURE_STORAGE_CONNECTION_STRING»${{ secrets.AZURE_STORAGE_CONNECTION_STRING }}
""",
    "storage-action": """
      - uses: bacongobbler/azure-blob-storage-upload@v3
        with:
          source_dir: site
          container_name: $web
          connection_string: «storage-key SITE»${{ secrets.SITE }}
""",
    "condition": """
      - id: can
        run: echo "deploy=$HAS" >> "$GITHUB_OUTPUT"
        env:
          HAS: «secret-condition AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS != '' }}
""",
    "condition-on-variable": """
      - if: «secret-condition AZURE_CREDENTIALS»env.CREDENTIALS != ''
        uses: azure/login@v2
        env:
          CREDENTIALS: «azure-login-creds AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
        with:
          creds: «azure-login-creds AZURE_CREDENTIALS»${{ env.CREDENTIALS }}
""",
    "id-of-json": """
      - uses: azure/login@v2
        with:
          client-id: «credentials-json AZURE_CREDENTIALS»${{ fromJSON(secrets.AZURE_CREDENTIALS).clientId }}
          tenant-id: ${{ vars.AZURE_TENANT_ID }}
          allow-no-subscriptions: true
""",
    "build-argument": """
      - uses: docker/build-push-action@v6
        with:
          build-args: |
            VERSION=${{ github.sha }}
            AZURE_CLIENT_SECRET=«other-use AZURE_CLIENT_SECRET»${{ secrets.AZURE_CLIENT_SECRET }}
""",
    "script-action": """
      - uses: actions/github-script@v7
        env:
          SP: «credentials-json AZURE_SERVICE_PRINCIPAL»${{ secrets.AZURE_SERVICE_PRINCIPAL }}
        with:
          script: |
            const { clientId } = JSON.parse(process.env.SP);
            core.setOutput("id", clientId);
""",
    "own-program": """
      - run: ./deployer --secret "«other-use AZURE_APP_SECRET»${{ secrets.AZURE_APP_SECRET }}"
""",
    "program-with-tenant": """
      - run: pac auth create --tenant "$TENANT" --applicationId "$APP" --clientSecret «other-use PP_SECRET»"${{ secrets.PP_SECRET }}"
""",
    "all-secrets": """
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds AZURE_CREDENTIALS»${{ secrets.AZURE_CREDENTIALS }}
      - run: ./render-settings
        env:
          EVERYTHING: «other-use»${{ toJSON(secrets) }}
""",
    "same-secret-twice": """
      - uses: azure/login@v2
        with:
          creds: «azure-login-creds DEPLOYER»${{ secrets.DEPLOYER }}
      - run: ./audit
        env:
          WHO: «other-use DEPLOYER»${{ secrets.DEPLOYER }}
""",
}
