"""Deployments of ARM templates to a resource group or a subscription: validated, tried out, done, remembered.

Who deploys needs the right to deploy and the right to write each resource; both are looked at before anything is
made (Azure's "what-if" documentation, "permissions"). Everything is done at once, and told as the long operation that
it is in Azure. It must not make a resource itself: ``arm_writes`` does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import arm_whatif as whatif
from trustsmith_sandbox import arm_writes as writes
from trustsmith_sandbox import rbac
from trustsmith_sandbox.arm_expressions import Later, TemplateError
from trustsmith_sandbox.arm_template import GROUPS, NESTED, Place, Template, Wanted, invalid, values_of
from trustsmith_sandbox.http import Answer, Call, Refusal, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith_sandbox.world import Data

_FAILED = (
    "At least one resource deployment operation failed. Please list deployment operations for details. Please see"
    " https://aka.ms/arm-deployment-operations for usage details."
)
_UNTIL = {"Retry-After": "1"}  # seconds; without, clients wait half a minute for what is done already


@dataclass
class _Deployment:
    """A deployment that is asked for, with what its template wants."""

    call: Call
    place: Place
    wanted: Data
    operations: list[Data] = field(default_factory=list)

    def template(self) -> Template:
        """Return the template, read. Raises ``TemplateError``."""
        written = self.wanted.get("template")
        if not isinstance(written, dict):
            raise invalid("The sandbox deploys templates that come with the request, and follows no links")
        if str(self.wanted.get("mode") or "Incremental").lower() != "incremental":
            raise invalid("The sandbox deploys in the mode Incremental only")
        return Template(written, values_of(self.wanted.get("parameters") or {}), self.place, self.reference)

    def reference(self, resource_id: str) -> Data:
        """Return a resource that is there. Raises ``Later``."""
        found = core.resource(self.call, resource_id)
        if found is None:
            raise Later
        return core.shown(found)

    def inner(self, wanted: Wanted) -> Template:
        """Return the template of a nested deployment. Raises ``TemplateError``."""
        told = wanted.inner
        if told is None:
            raise invalid(f"'{wanted.name}' is no deployment")
        return Template(told.template, told.parameters, told.place, self.reference, told.scope)

    def resources(self, template: Template) -> Iterator[Wanted]:
        """Yield all resources, those of nested deployments after the deployment that they belong to."""
        for wanted in template.resources:
            yield wanted
            if wanted.inner is not None:
                yield from self.resources(self.inner(wanted))

    def check_rights(self, template: Template) -> None:
        """Raise ``InvalidTemplateDeployment`` unless the caller may write each resource, as far as is asked for."""
        level = str(self.wanted.get("validationLevel") or "Provider")
        verb = {"Template": "", "ProviderNoRbac": "read"}.get(level, "write")
        lacking = [self._lacking(each, verb) for each in self.resources(template)] if verb else []
        told = ":".join(filter(None, lacking))
        if told:
            several = len([each for each in lacking if each]) > 1
            head = (
                "Deployment failed with multiple errors"
                if several
                else "The template deployment failed with error"
            )
            raise core.refuse(400, "InvalidTemplateDeployment", f"{head}: '{told}'.")

    def _lacking(self, wanted: Wanted, verb: str) -> str:
        kind = (
            "Microsoft.Resources/subscriptions/resourceGroups"
            if wanted.type.lower() == GROUPS.lower()
            else wanted.type
        )
        action = f"{kind}/{verb}"
        if core.may(self.call, action, wanted.id, _attributes(wanted)):
            return ""
        who = f"The client '{core.name_of(self.call)}' with object id '{self.call.caller.object_id}'"
        return (
            f"Authorization failed for template resource '{wanted.name}' of type '{wanted.type}'. {who} does not have"
            f" permission to perform action '{action}' at scope '{wanted.id}'."
        )

    def deploy(self, template: Template) -> None:
        """Make every resource. Raises the refusal of the first that cannot be made."""
        for wanted in template.resources:
            try:
                if wanted.inner is not None:
                    self.deploy(self.inner(wanted))
                else:
                    writes.write(self.call, wanted.id, wanted.body)
            except Refusal as refused:
                self._note(wanted, "Failed", str(refused.answer.status), refused.answer.body)
                raise
            self._note(wanted, "Succeeded", "OK", None)

    def _note(self, wanted: Wanted, state: str, code: str, message: Any) -> None:
        number = f"{len(self.operations) + 1:016X}"
        kind = {"id": wanted.id, "resourceType": wanted.type, "resourceName": wanted.name}
        told = {
            "provisioningOperation": "Create",
            "provisioningState": state,
            "timestamp": self.call.world.stamp(fraction=True),
            "duration": "PT0.1S",
            "statusCode": code,
            "statusMessage": message,
            "targetResource": kind,
        }
        self.operations.append(
            {"id": f"{self.place.id}/operations/{number}", "operationId": number, "properties": told}
        )


def _attributes(wanted: Wanted) -> dict[str, str]:
    """Return what conditions ask about a role assignment that a template wants."""
    properties = (
        wanted.body.get("properties") or {} if wanted.type.lower().endswith("/roleassignments") else {}
    )
    keys = (("roleDefinitionId", rbac.role_guid), ("principalId", str.lower), ("principalType", str.lower))
    return {key.lower(): told(str(properties[key])) for key, told in keys if properties.get(key)}


def _asked(call: Call, action: str) -> _Deployment:
    """Return what the request asks for, whose sender may do the action. Raises 400, 403, 404."""
    subscription = call.world.data["subscriptions"][call.params["subscription"].lower()]
    shown = {key: subscription[key] for key in ("id", "subscriptionId", "tenantId", "displayName")}
    group = call.params.get("group")
    body = core.body(call)
    place = Place(shown, None, call.params["name"], body.get("location"))
    scope = f"{shown['id']}/resourceGroups/{group}" if group else shown["id"]
    core.require(call, f"{NESTED}/{action}", f"{scope}/providers/{NESTED}/{call.params['name']}")
    if group:
        place = Place(shown, core.shown(core.existing(call, scope)), call.params["name"])
    elif not place.location:
        raise core.refuse(400, "LocationRequired", "The location property is required for this definition.")
    wanted = body.get("properties")
    if not isinstance(wanted, dict):
        raise core.refuse(
            400, "InvalidRequestContent", "The request content was invalid: it has no properties."
        )
    return _Deployment(call, place, wanted)


def _checked(asked: _Deployment) -> Template:
    """Return the template of a deployment that may be done. Raises 400."""
    try:
        template = asked.template()
        asked.check_rights(template)
    except TemplateError as reason:
        raise core.refuse(400, "InvalidTemplate", str(reason)) from None
    return template


def _shown(asked: _Deployment, template: Template, **told: Any) -> Data:
    """Return a deployment as ARM shows it (``DeploymentExtended``)."""
    written = json.dumps(template.written, sort_keys=True).encode()
    used: dict[str, list[str]] = {}
    for wanted in template.resources:
        namespace, _, kind = wanted.type.partition("/")
        used.setdefault(namespace, []).append(kind)
    properties = {
        "templateHash": str(int.from_bytes(hashlib.sha256(written).digest()[:8])),
        "parameters": template.shown_parameters(),
        "mode": "Incremental",
        "provisioningState": "Succeeded",
        "timestamp": asked.call.world.stamp(fraction=True),
        "duration": "PT0.1S",
        "correlationId": asked.call.world.guid(),
        "providers": [
            {
                "namespace": name,
                "resourceTypes": [
                    {"resourceType": kind, "locations": [None]} for kind in dict.fromkeys(kinds)
                ],
            }
            for name, kinds in used.items()
        ],
        "dependencies": [],
    }
    shown = {"id": asked.place.id, "name": asked.place.name, "type": NESTED, "properties": properties | told}
    return shown if asked.place.group else shown | {"location": asked.place.location}


def validate(call: Call) -> Answer:
    """Answer whether a template could be deployed."""
    asked = _asked(call, "validate/action")
    template = _checked(asked)
    ids = [{"id": each.id} for each in asked.resources(template)]
    return Answer(body=_shown(asked, template, validatedResources=ids))


def what_if(call: Call) -> Answer:
    """Take on finding out what a deployment would change: the answer is where its result will be."""
    asked = _asked(call, "whatIf/action")
    try:
        result: Data = {"status": "Succeeded", "properties": {"changes": _changes(asked, _checked(asked))}}
    except Refusal as refused:
        result = {"status": "Failed", "error": refused.answer.body["error"]}
    number = call.world.guid()
    results: dict[str, Data] = call.world.kept("operation results", dict)
    results[number] = result
    where = f"{call.base}{asked.place.subscription['id']}/operationresults/{number}?api-version={core.version(call)}"
    return Answer(202, headers={"Location": where, **_UNTIL})


def _changes(asked: _Deployment, template: Template) -> list[Data]:
    wanted = [each for each in asked.resources(template) if each.inner is None]
    changes = [whatif.change(each, core.resource(asked.call, each.id)) for each in wanted]
    named = {each.id.lower() for each in wanted}
    if asked.place.group is None:
        return changes
    tables = (table for table in core.TABLES if table != "resource_groups")
    around = (each for table in tables for each in asked.call.world.data[table].values())
    inside = (each for each in around if rbac.covers(asked.place.scope, each["id"]))
    return changes + [whatif.ignored(each) for each in inside if each["id"].lower() not in named]


def result_of(call: Call) -> Answer:
    """Answer what came of something that took its time."""
    results: dict[str, Data] = call.world.kept("operation results", dict)
    if call.params["operation"] not in results:
        raise core.refuse(404, "NotFound", f"The operation '{call.params['operation']}' could not be found.")
    return Answer(body=results[call.params["operation"]])


def put(call: Call) -> Answer:
    """Deploy a template; the answer says that it was accepted, and where its end will be told."""
    asked = _asked(call, "write")
    template = _checked(asked)
    ended = _ended(asked, template)
    known = call.world.data["template_deployments"]
    status = 200 if asked.place.id.lower() in known else 201
    shown = _shown(asked, template, **ended)
    known[asked.place.id.lower()] = shown | {"_operations": asked.operations}
    where = (
        f"{call.base}{asked.place.id}/operationStatuses/{call.world.guid()}?api-version={core.version(call)}"
    )
    accepted = shown | {"properties": shown["properties"] | {"provisioningState": "Accepted"}}
    return Answer(status, accepted, {"Azure-AsyncOperation": where, **_UNTIL})


def _ended(asked: _Deployment, template: Template) -> Data:
    """Deploy, and return how it ended: the state with its outputs, or with the error."""
    try:
        asked.deploy(template)
        made = [{"id": each.id} for each in asked.resources(template) if each.inner is None]
        return {"outputs": template.outputs(), "outputResources": made}
    except TemplateError as reason:
        error: Data = {"code": "DeploymentOutputEvaluationFailed", "message": str(reason)}
    except Refusal as refused:
        error = {"code": "DeploymentFailed", "target": asked.place.id, "message": _FAILED}
        error["details"] = [refused.answer.body["error"]]
    return {"provisioningState": "Failed", "error": error}


def _known(call: Call, action: str) -> Data:
    """Return the deployment that the path names, to a caller who may do the action. Raises 403, 404."""
    group = f"/resourceGroups/{call.params['group']}" if "group" in call.params else ""
    place = f"/subscriptions/{call.params['subscription']}{group}/providers/{NESTED}/{call.params['name']}"
    core.require(call, f"{NESTED}/{action}", place)
    found: Data | None = call.world.data["template_deployments"].get(place.lower())
    if found is None:
        raise core.refuse(
            404, "DeploymentNotFound", f"Deployment '{call.params['name']}' could not be found."
        )
    return found


def show(call: Call) -> Answer:
    """Answer a deployment."""
    return Answer(body=core.shown(_known(call, "read")))


def listing(call: Call) -> Answer:
    """Answer the deployments to a resource group or subscription, the newest first."""
    scope = call.path.partition("/providers/")[0]
    core.require(call, f"{NESTED}/read", scope)
    start = f"{scope}/providers/{NESTED}/".lower()
    found = [each for key, each in call.world.data["template_deployments"].items() if key.startswith(start)]
    return core.listed(found[::-1])


def operations(call: Call) -> Answer:
    """Answer what was done in a deployment, resource by resource."""
    return core.listed(_known(call, "operations/read")["_operations"])


def status(call: Call) -> Answer:
    """Answer how a deployment ended."""
    properties = _known(call, "operationstatuses/read")["properties"]
    error = {"error": properties["error"]} if "error" in properties else {}
    return Answer(body={"status": properties["provisioningState"], **error})


def delete(call: Call) -> Answer:
    """Forget a deployment, not what it made."""
    found = _known(call, "delete")
    del call.world.data["template_deployments"][found["id"].lower()]
    return Answer(204)


def _routes() -> Iterator[Route]:
    for scope in ("/subscriptions/{subscription}/resourceGroups/{group}", "/subscriptions/{subscription}"):
        base = f"{scope}/providers/{NESTED}"
        one = f"{base}/{{name}}"
        yield Route("GET", base, listing, "template deployments", any_case=True)
        yield Route("PUT", one, put, "deploy a template", any_case=True)
        yield Route("POST", f"{one}/validate", validate, "whether a template can be deployed", any_case=True)
        yield Route("POST", f"{one}/whatIf", what_if, "what a template would change", any_case=True)
        yield Route("GET", one, show, "one deployment", any_case=True)
        yield Route("DELETE", one, delete, "forget a deployment", any_case=True)
        yield Route("GET", f"{one}/operations", operations, "what a deployment did", any_case=True)
        yield Route(
            "GET", f"{one}/operationStatuses/{{operation}}", status, "how a deployment ended", any_case=True
        )
    older = "/subscriptions/{subscription}/resourceGroups/{group}/deployments/{name}/operations"
    yield Route("GET", older, operations, "the same, on the path that Azure CLI takes", any_case=True)
    where = "/subscriptions/{subscription}/operationresults/{operation}"
    yield Route("GET", where, result_of, "what came of a long operation", any_case=True)


ROUTES = tuple(_routes())
