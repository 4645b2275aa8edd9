"""Reads an ARM template: which resources it wants, in which order, with parameters, variables, loops and modules.

Written from Azure's "structure and syntax of ARM templates"; refusals are in ARM's words where public reports have
them. It must not know what there is already, nor who asks: both are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.arm_expressions import Later, Scope, TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Data = dict[str, Any]
NESTED = "Microsoft.Resources/deployments"
GROUPS = "Microsoft.Resources/resourceGroups"
_OWN = {  # of the template, not of the resource
    *("type", "name", "apiVersion", "dependsOn", "condition", "copy", "scope", "resources", "existing"),
    *("comments", "metadata", "resourceGroup", "subscriptionId", "symbolicName"),
}
_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "String, Uri"),
    "securestring": (str, "String, Uri"),
    "int": (int, "Integer"),
    "bool": (bool, "Boolean"),
    "object": (dict, "Object"),
    "secureobject": (dict, "Object"),
    "array": (list, "Array"),
}


def invalid(text: str) -> TemplateError:
    """Return the error of a template that is none, in ARM's words around the reason."""
    return TemplateError(f"Deployment template validation failed: '{text}'.")


@dataclass(frozen=True)
class Place:
    """What a deployment is for: a resource group, or with no ``group`` a subscription. ``name`` is the deployment's."""

    subscription: Data
    group: Data | None
    name: str
    location: str | None = None

    @property
    def scope(self) -> str:
        """The id of what is deployed to."""
        return str((self.group or self.subscription)["id"])

    @property
    def id(self) -> str:
        """The deployment's own id."""
        return f"{self.scope}/providers/{NESTED}/{self.name}"


@dataclass(frozen=True)
class Wanted:
    """A resource that a template wants: ``body`` as it would be sent to ARM, once ``scope`` has evaluated it.

    ``inner`` is a nested deployment's template and parameters.
    """

    id: str
    type: str
    name: str
    api_version: str
    written: Data
    scope: Scope
    symbol: str = ""
    needs: tuple[str, ...] = ()
    inner: Inner | None = None

    @property
    def body(self) -> Data:
        """What is wanted of the resource."""
        body: Data = self.scope.value(self.written)
        return body


@dataclass(frozen=True)
class Inner:
    """A nested deployment: where it goes, its template, its parameters, and its scope if that is the outer one's."""

    place: Place
    template: Data
    parameters: Data
    scope: Scope | None


@dataclass
class Template:
    """A template with its parameters' values. ``reference`` gives a resource by its id, or raises ``Later``.

    Raises ``TemplateError`` when it is made of something that cannot be deployed.
    """

    written: Data
    given: Mapping[str, Any]
    place: Place
    reference: Callable[[str], Data]
    outer: Scope | None = None
    parameters: Data = field(default_factory=dict)
    resources: tuple[Wanted, ...] = ()
    _variables: Data = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.written.get("resources"), list | dict):
            raise invalid("The template has no resources")
        self.scope = self.outer or Scope(self._functions())
        try:
            self._read_parameters()
            self.resources = self._sorted(list(self._wanted(self._listed(), "", "")))
        except (KeyError, TypeError, ValueError, AttributeError) as reason:
            raise invalid(
                f"A part of the template is not of the form that it must have ({reason!r})"
            ) from None

    def _read_parameters(self) -> None:
        rules = self.written.get("parameters") or {}
        if unknown := [name for name in self.given if name.lower() not in {rule.lower() for rule in rules}]:
            raise invalid(
                f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are not present"
                " in the original template and can therefore not be provided at deployment time. The only supported"
                f" parameters for this template are '{', '.join(rules)}'. Please see"
                " https://aka.ms/arm-pass-parameter-values for usage details."
            )
        given = {name.lower(): value for name, value in self.given.items()}
        for name, rule in rules.items():
            self.parameters[name] = self._parameter(name, rule, given.get(name.lower()))

    def _parameter(self, name: str, rule: Data, given: Any) -> Any:
        value = self.scope.value(rule.get("defaultValue")) if given is None else given
        if value is None and "defaultValue" not in rule and not rule.get("nullable"):
            raise invalid(
                f"The value for the template parameter '{name}' at line '1' and column '1' is not provided. Please see"
                " https://aka.ms/arm-create-parameter-file for usage details."
            )
        kind, told = _TYPES.get(str(rule.get("type", "")).lower(), (object, ""))
        odd = value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool)))
        if odd:
            raise invalid(
                f"Template parameter JToken type is not valid. Expected '{told}'. Actual '{type(value).__name__}'. Please"
                f" see https://aka.ms/resource-manager-parameter-files for usage details ('{name}')."
            )
        allowed = rule.get("allowedValues")
        if allowed and value not in allowed:
            raise invalid(
                f"The provided value '{value}' for the template parameter '{name}' is not valid. The value '{value}' is"
                f" not part of the allowed value(s): '{','.join(map(str, allowed))}'."
            )
        return value

    def _functions(self) -> dict[str, Callable[..., Any]]:
        place = self.place
        known: dict[str, Callable[..., Any]] = {
            "parameters": lambda name: _named(self.parameters, name, "parameter"),
            "variables": self._variable,
            "subscription": lambda: place.subscription,
            "deployment": lambda: {"name": place.name, "location": place.location},
            "resourceid": lambda *parts: _resource_id(place.scope, *parts),
            "subscriptionresourceid": lambda *parts: _resource_id(str(place.subscription["id"]), *parts),
            "extensionresourceid": lambda scope, kind, *names: _id_below(scope, kind, list(names)),
            "tenantresourceid": lambda kind, *names: _id_below("", kind, list(names)),
            "reference": self._reference,
        }
        return known if place.group is None else known | {"resourcegroup": lambda: place.group}

    def _variable(self, name: str) -> Any:
        if name not in self._variables:
            variables = self.written.get("variables") or {}
            _check_copies(variables, "variables")
            written = _named(variables, name, "variable")
            self._variables[name] = self.scope.value(written)
        return self._variables[name]

    def _reference(self, name: str, _version: str = "", full: str = "") -> Any:
        own = next((each.id for each in self.resources if name in {each.symbol, each.name}), None)
        found: Data = self.reference(own or name)
        return found if full.lower() == "full" else found["properties"]

    def _listed(self) -> list[Data]:
        listed = self.written["resources"]
        if isinstance(listed, list):
            return listed
        return [each | {"symbolicName": name} for name, each in listed.items()]

    def _wanted(self, listed: list[Data], above: str, names: str) -> Iterator[Wanted]:
        """Yield the resources of a list; ``above`` and ``names`` are the type and name of the resource around it."""
        for each in listed:
            if each.get("existing") is True:
                continue
            for scope in self._turns(each.get("copy")):
                kind = f"{above}/{each['type']}" if above else str(each["type"])
                name = "/".join(filter(None, [names, str(scope.value(each["name"]))]))
                if scope.value(each.get("condition", True)) is False:
                    continue
                yield self._one(each, scope, kind, name)
                yield from self._wanted(each.get("resources") or [], kind, name)

    def _turns(self, copy: Any) -> Iterator[Scope]:
        if copy is None:
            yield self.scope
            return
        for turn in range(int(self.scope.value(copy["count"]))):
            index = {
                "copyindex": lambda *given, turn=turn: (
                    turn + (given[-1] if given and given[-1] != copy["name"] else 0)
                )
            }
            yield Scope({**self.scope.functions, **index})

    def _one(self, each: Data, scope: Scope, kind: str, name: str) -> Wanted:
        place = self._placed(each, scope)
        _check_copies(each.get("properties") or {}, f"the properties of '{name}'")
        at = str(scope.value(each["scope"])) if "scope" in each else place.scope
        names = name.split("/")
        if len(names) != kind.count("/"):
            raise invalid(
                f"The template resource '{name}' for type '{kind}' has incorrect segment lengths. A nested resource type"
                " must have identical number of segments as its resource name"
            )
        found = f"{place.subscription['id']}/resourceGroups/{name}" if kind.lower() == GROUPS.lower() else ""
        needs = tuple(str(scope.value(need)) for need in each.get("dependsOn") or [])
        wanted = Wanted(
            found or _id_below(at, kind, names), kind, name, str(each.get("apiVersion", "")),
            {key: value for key, value in each.items() if key not in _OWN}, scope, str(each.get("symbolicName", "")), needs,
        )  # fmt: skip
        return (
            replace(wanted, inner=self._inner(each, scope, place, name))
            if kind.lower() == NESTED.lower()
            else wanted
        )

    def _placed(self, each: Data, scope: Scope) -> Place:
        """Return where a resource goes: a nested deployment may name another resource group."""
        named = scope.value(each.get("resourceGroup"))
        if not named:
            return self.place
        group = f"{self.place.subscription['id']}/resourceGroups/{named}"
        try:
            held = self.reference(group)
        except Later:  # the template itself makes it
            held = {"id": group, "name": str(named), "location": self.place.location}
        return replace(self.place, group=held)

    def _inner(self, each: Data, scope: Scope, place: Place, name: str) -> Inner:
        properties = each.get("properties") or {}
        if not isinstance(properties.get("template"), dict):
            raise invalid(f"The nested deployment '{name}' has no template: the sandbox follows no links")
        own = (
            str((properties.get("expressionEvaluationOptions") or {}).get("scope", "outer")).lower()
            == "inner"
        )
        parameters = values_of(scope.value(properties.get("parameters") or {})) if own else {}
        return Inner(replace(place, name=name), properties["template"], parameters, None if own else scope)

    def _sorted(self, wanted: list[Wanted]) -> tuple[Wanted, ...]:
        """Return the resources so that each comes after those that it depends on."""
        keys = {key.lower(): each for each in wanted for key in (each.id, each.name, each.symbol) if key}
        done: list[Wanted] = []
        waiting = wanted
        while waiting:
            ready = [
                each
                for each in waiting
                if all(keys.get(n.lower(), each) in [*done, each] for n in each.needs)
            ]
            if not ready:
                raise invalid(f"Circular dependency detected on resource: '{waiting[0].id}'")
            done += ready
            waiting = [each for each in waiting if each not in ready]
        return tuple(done)

    def outputs(self) -> Data:
        """Return the outputs as ARM shows them, each with its type. Raises ``TemplateError``."""
        rules = self.written.get("outputs") or {}
        return {
            name: {
                "type": str(rule.get("type", "string")).capitalize(),
                "value": self.scope.value(rule.get("value")),
            }
            for name, rule in rules.items()
            if self.scope.value(rule.get("condition", True)) is not False
        }

    def shown_parameters(self) -> Data:
        """Return the parameters as ARM shows them: those that are secure without their value."""
        rules = {
            name: str(rule.get("type", "")) for name, rule in (self.written.get("parameters") or {}).items()
        }
        return {
            name: {"type": rules[name].capitalize()}
            | ({} if rules[name].lower().startswith("secure") else {"value": value})
            for name, value in self.parameters.items()
        }


def _check_copies(written: Data, where: str) -> None:
    if "copy" in written:
        raise invalid(f"The sandbox does not expand 'copy' in {where}")


def values_of(parameters: Data) -> Data:
    """Return the values of parameters as a deployment writes them. Raises ``TemplateError``."""
    for name, each in parameters.items():
        if not isinstance(each, dict) or "value" not in each:
            raise invalid(f"The parameter '{name}' has no 'value': the sandbox looks nothing up in a vault")
    return {name: each["value"] for name, each in parameters.items()}


def _named(table: Mapping[str, Any], name: str, kind: str) -> Any:
    for own, value in table.items():
        if own.lower() == str(name).lower():
            return value
    raise invalid(
        f"The template {kind} '{name}' is not found. Please see https://aka.ms/arm-syntax for usage details."
    )


def _resource_id(scope: str, *parts: str) -> str:
    """Return an id below a scope; before the type there may be a subscription and a resource group of its own."""
    at = next((place for place, part in enumerate(parts) if "/" in str(part)), 0)
    before, kind, names = list(parts[:at]), parts[at], list(parts[at + 1 :])
    if len(before) == 1:
        scope = f"{scope.partition('/resourceGroups/')[0]}/resourceGroups/{before[0]}"
    elif before:
        scope = f"/subscriptions/{before[0]}/resourceGroups/{before[1]}"
    return _id_below(scope, kind, names)


def _id_below(scope: str, kind: str, names: list[str]) -> str:
    namespace, *types = kind.split("/")
    names = [part for name in names for part in str(name).split("/")]
    if len(types) != len(names):
        raise invalid(
            f"Unable to evaluate template language function 'resourceId': '{kind}' needs {len(types)} names"
        )
    return "/".join(
        [scope, "providers", namespace, *(part for pair in zip(types, names, strict=True) for part in pair)]
    )
