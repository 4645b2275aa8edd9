"""How directory objects look in Graph's answers, and by what each kind may be filtered.

The keys are those of Graph's v1.0 metadata that real answers carry by default. It must not change an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.graph_core import Entity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

EQ = {"eq"}
_NAMES = {"eq", "ne", "not", "ge", "le", "in", "startswith"}
_NO_LINKS: Data = {
    "logoUrl": None,
    "marketingUrl": None,
    "privacyStatementUrl": None,
    "supportUrl": None,
    "termsOfServiceUrl": None,
}
_UNVERIFIED: Data = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
_APPLICATION: Data = {
    "id": None,
    "deletedDateTime": None,
    "appId": None,
    "applicationTemplateId": None,
    "disabledByMicrosoftStatus": None,
    "createdByAppId": None,
    "createdDateTime": None,
    "displayName": None,
    "description": None,
    "groupMembershipClaims": None,
    "identifierUris": [],
    "isDeviceOnlyAuthSupported": None,
    "isDisabled": None,
    "isFallbackPublicClient": None,
    "notes": None,
    "publisherDomain": None,
    "serviceManagementReference": None,
    "signInAudience": "AzureADMyOrg",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "uniqueName": None,
    "samlMetadataUrl": None,
    "defaultRedirectUri": None,
    "certification": None,
    "optionalClaims": None,
    "servicePrincipalLockConfiguration": None,
    "requestSignatureVerification": None,
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "info": _NO_LINKS,
    "keyCredentials": [],
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "passwordCredentials": [],
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "verifiedPublisher": _UNVERIFIED,
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        "redirectUriSettings": [],
    },
    "spa": {"redirectUris": []},
}
_PRINCIPAL: Data = {
    "id": None,
    "deletedDateTime": None,
    "accountEnabled": True,
    "alternativeNames": [],
    "appDisplayName": None,
    "appDescription": None,
    "appId": None,
    "applicationTemplateId": None,
    "appOwnerOrganizationId": None,
    "appRoleAssignmentRequired": False,
    "createdDateTime": None,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "displayName": None,
    "homepage": None,
    "loginUrl": None,
    "logoutUrl": None,
    "notes": None,
    "notificationEmailAddresses": [],
    "preferredSingleSignOnMode": None,
    "preferredTokenSigningKeyThumbprint": None,
    "replyUrls": [],
    "servicePrincipalNames": [],
    "servicePrincipalType": "Application",
    "signInAudience": "AzureADMyOrg",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "samlSingleSignOnSettings": None,
    "addIns": [],
    "appRoles": [],
    "info": _NO_LINKS,
    "keyCredentials": [],
    "oauth2PermissionScopes": [],
    "passwordCredentials": [],
    "resourceSpecificApplicationPermissions": [],
    "verifiedPublisher": _UNVERIFIED,
}
_USER: Data = {
    "businessPhones": [],
    "displayName": None,
    "givenName": None,
    "jobTitle": None,
    "mail": None,
    "mobilePhone": None,
    "officeLocation": None,
    "preferredLanguage": None,
    "surname": None,
    "userPrincipalName": None,
    "id": None,
}
_GROUP: Data = {
    "id": None,
    "deletedDateTime": None,
    "classification": None,
    "createdDateTime": None,
    "description": None,
    "displayName": None,
    "expirationDateTime": None,
    "groupTypes": [],
    "isAssignableToRole": None,
    "mail": None,
    "mailEnabled": False,
    "mailNickname": "group",
    "membershipRule": None,
    "securityEnabled": True,
    "visibility": None,
    "proxyAddresses": [],
    "renewedDateTime": None,
}
_CREDENTIAL = ("id", "name", "issuer", "subject", "description", "audiences")


def application(_call: Call, app: Data) -> Data:
    """Show an application; a password's value is only ever in the answer that made it."""
    passwords = [password(p) for p in app.get("passwordCredentials", [])]
    return _filled(_APPLICATION, app) | {"passwordCredentials": passwords}


def password(credential: Data) -> Data:
    """Show a password credential without its value."""
    return {k: v for k, v in credential.items() if not k.startswith("_")} | {"secretText": None}


def principal(_call: Call, thing: Data) -> Data:
    """Show a service principal."""
    passwords = [password(p) for p in thing.get("passwordCredentials", [])]
    names = {
        "appDisplayName": thing["displayName"],
        "appOwnerOrganizationId": thing["tenantId"],
        "servicePrincipalNames": [thing["appId"]],
    }
    return _filled(_PRINCIPAL, names | thing) | {"passwordCredentials": passwords}


def user(_call: Call, thing: Data) -> Data:
    """Show a user with the properties that Graph returns unasked."""
    return _filled(_USER, thing)


def group(_call: Call, thing: Data) -> Data:
    """Show a group."""
    return _filled(_GROUP, thing)


def credential(_call: Call, thing: Data) -> Data:
    """Show a federated identity credential."""
    return {key: thing.get(key) for key in _CREDENTIAL}


def _filled(template: Data, thing: Data) -> Data:
    return template | {key: thing[key] for key in template.keys() & thing.keys()}


def _credentials(call: Call, app: Data) -> list[Data]:
    return [credential(call, c) for c in call.world.seen(app.get("federatedIdentityCredentials", []))]


def objects(call: Call, ids: Iterable[str]) -> list[Data]:
    """Show the directory objects of those ids, each with its type; unknown ids are left out."""
    kinds = (
        ("applications", "application", application),
        ("service_principals", "servicePrincipal", principal),
        ("users", "user", user),
        ("groups", "group", group),
    )
    found = []
    for wanted in ids:
        for table, name, view in kinds:
            thing = call.world.data[table].get(wanted.lower())
            if thing and thing["tenantId"] == call.caller.tenant and call.world.visible(thing):
                found.append({"@odata.type": f"#microsoft.graph.{name}", **view(call, thing)})
    return found


def _owners(call: Call, thing: Data) -> list[Data]:
    return objects(call, thing.get("owners", []))


APPLICATION = Entity(
    "applications",
    application,
    {
        "id": {"eq", "in", "ne", "not"},
        "appId": {"eq", "in", "ne", "not"},
        "displayName": _NAMES,
        "createdDateTime": {"eq", "ge", "le", "gt", "lt"},
        "signInAudience": {"eq", "ne", "not"},
        "tags/any": {"eq", "not", "ge", "le", "startswith"},
        "identifierUris/any": {"eq", "startswith", "not"},
        "federatedIdentityCredentials/any/subject": {"eq", "startswith"},
        "federatedIdentityCredentials/any/issuer": {"eq", "startswith"},
        "federatedIdentityCredentials/any/name": {"eq", "startswith"},
        "federatedIdentityCredentials/$count": {"eq", "ne"},
        "owners/$count": {"eq"},
    },
    frozenset(
        {
            "federatedIdentityCredentials/any/subject",
            "federatedIdentityCredentials/any/issuer",
            "federatedIdentityCredentials/any/name",
            "federatedIdentityCredentials/$count",
            "owners/$count",
        }
    ),
    {"federatedIdentityCredentials": _credentials, "owners": _owners},
)
PRINCIPAL = Entity(
    "servicePrincipals",
    principal,
    {
        "id": {"eq", "in", "ne", "not"},
        "appId": {"eq", "in", "ne", "not"},
        "displayName": _NAMES,
        "accountEnabled": {"eq", "ne", "not"},
        "servicePrincipalType": {"eq", "ne", "not"},
        "servicePrincipalNames/any": {"eq", "startswith"},
        "tags/any": {"eq", "not", "ge", "le", "startswith"},
    },
    expands={"owners": _owners},
)
CREDENTIAL = Entity(
    "federatedIdentityCredentials", credential, {"name": EQ, "subject": EQ, "issuer": EQ, "id": EQ}
)
USER = Entity(
    "users",
    user,
    {"userPrincipalName": _NAMES, "displayName": _NAMES, "mail": {"eq", "startswith"}, "id": {"eq", "in"}},
)
GROUP = Entity(
    "groups", group, {"displayName": _NAMES, "id": {"eq", "in"}, "securityEnabled": EQ, "mailNickname": EQ}
)
DIRECTORY_ROLE = Entity(
    "directoryRoles", lambda _call, role: role, {"displayName": EQ, "roleTemplateId": EQ, "id": EQ}
)
