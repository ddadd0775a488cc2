"""Completes the description of the API: errors as problem details, and examples everywhere."""

from typing import Any

from web.api.examples import EXAMPLES, TIME
from web.api.problems import BY_STATUS, CATALOGUE, MEDIA_TYPE, problem

Schema = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
ERROR = {"$ref": "#/components/schemas/Error"}
TABLE = "id;day;amount;city\n17;2026-03-01;12.50;Paris\n"
LINES = '{"id": "17", "day": "2026-03-01", "amount": "12.50", "city": "Paris"}\n'
TEXTS = {"text/csv": TABLE, "application/x-ndjson": LINES}
# What texts are that no pattern can describe, by the names of parameters and fields.
FORMATS = {
    "cursor": "cursor",
    "schedule": "cron",
    "timestamp_zone": "time-zone",
    "time_from": "iso-time",
    "time_to": "iso-time",
    "where": "condition",
    "result": "condition",
}
# No database holds a text with a NUL.
WITHOUT_NUL = r"^[^\u0000]*$"
# The components of requests are named apart where they differ from those of responses.
SUFFIX, PREFIX = "Request", "Patched"


def complete(result: Schema, **kwargs: Any) -> Schema:
    """A hook of drf-spectacular: called with the whole description."""
    # Without a version, as `check --deploy` asks for it, the description is empty.
    components = result.get("components", {}).get("schemas", {})
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            _set_format(field, schema)
            if name.startswith("Paginated") and "description" not in schema:
                schema["description"] = f"The {field.replace('_', ' ')} of this page."
            found = example_of(field, schema, components, within=name)
            is_known = found is not None or field in EXAMPLES
            if is_known and not {"example", "examples"} & schema.keys():
                schema["examples"] = [found]
    for path, methods in result["paths"].items():
        for method in METHODS:
            if method in methods:
                _complete_operation(path, methods[method], components)
    return result


def _complete_operation(path: str, operation: Schema, components: Schema) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            _set_format(parameter["name"], parameter["schema"])
            parameter["schema"] = _acceptable(parameter["schema"])
        if not {"example", "examples"} & parameter.keys():
            found = _of_parameter(parameter["name"], parameter["schema"], path, components)
            if found is not None:
                parameter["example"] = found
    for status in _errors(path, operation):
        operation["responses"].setdefault(str(status), {})
    for status, response in operation["responses"].items():
        json = response.get("content", {}).get("application/json", {})
        if json.get("schema") == ERROR or (int(status) >= 400 and not json):
            _describe_error(int(status), response)
        for media_type, content in response.get("content", {}).items():
            _complete_content(media_type, content, components)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        _complete_content(media_type, content, components)


def _acceptable(schema: Schema) -> Schema:
    """The schema of a query parameter without what version 1 refuses: blank values, and NUL."""
    choices = [each for each in schema.get("oneOf", ()) if each.get("maxLength") != 0]
    if len(choices) == 1:
        schema = {name: said for name, said in schema.items() if name != "oneOf"} | choices[0]
    if "items" in schema:
        schema = schema | {"items": _acceptable(schema["items"])}
    if schema.get("type") != "string":
        return schema
    if "enum" in schema:
        return schema | {"enum": [choice for choice in schema["enum"] if choice != ""]}
    without_nul = {} if {"pattern", "format"} & schema.keys() else {"pattern": WITHOUT_NUL}
    return {"minLength": 1} | without_nul | schema


def _set_format(name: str, schema: Schema) -> None:
    for choice in schema.get("oneOf", ()):
        _set_format(name, choice)
    text = schema.get("items", schema)
    if r"\w" in text.get("pattern", ""):
        # Letters of any script, as Python has it; in a schema it would be those of English.
        del text["pattern"]
        text["format"] = "source-name"
    if name in FORMATS and text.get("type") == "string" and "enum" not in text:
        text["format"] = FORMATS[name]


def _errors(path: str, operation: Schema) -> set[int]:
    """The statuses that any endpoint of this kind may answer."""
    found = {400, 406, 414, 431}
    if {} not in operation.get("security", [{}]):
        found |= {401, 403, 429}
    if "{" in path:
        found.add(404)
    if "requestBody" in operation:
        found |= {413, 415}
    return found


def _describe_error(status: int, response: Schema) -> None:
    said = problem(_sentence(status), code="invalid" if status == 400 else "", status=status)
    response["description"] = f"{said['title']}. {CATALOGUE[said['code']].meaning}"
    response["content"] = {MEDIA_TYPE: {"schema": ERROR, "example": said}}


def _sentence(status: int) -> str:
    if status == 400:
        return str(EXAMPLES["detail"])
    return CATALOGUE[BY_STATUS[status]].meaning


def _complete_content(media_type: str, content: Schema, components: Schema) -> None:
    if {"example", "examples"} & content.keys():
        return
    if media_type in TEXTS:
        content["example"] = TEXTS[media_type]
    elif content.get("schema", {}).get("format") != "binary":
        found = sample(content.get("schema", {}), components)
        content["example"] = EXAMPLES["BodyOfInput"] if found is None else found


def _of_parameter(name: str, schema: Schema, path: str, components: Schema) -> Any:
    if "{kind}" in path and name == "kind":
        return schema["enum"][0]
    if name == "code" and "problems" in path:
        return "invalid"
    if name == "id" and schema.get("type") == "string":
        return "id"
    return example_of(name, schema, components, within="query")


def example_of(name: str, schema: Schema, components: Schema, *, within: str = "") -> Any:
    """The example of a field or parameter; None if nothing tells one."""
    component = within.removeprefix(PREFIX).removesuffix(SUFFIX)
    for known in (f"{within}.{name}", f"{component}.{name}"):
        if known in EXAMPLES:
            return EXAMPLES[known]
    made = sample(schema, components)
    if made is not None:
        return made
    found = EXAMPLES.get(name)
    # The columns of a role are a text in an import, and a list in the settings of a source.
    is_list = isinstance(found, list)
    if schema.get("type") == "string" and isinstance(found, list):
        return found[0]
    return [found] if schema.get("type") == "array" and not is_list else found


def sample(schema: Schema, components: Schema) -> Any:
    """A value by a schema alone; None where that does not tell one."""
    if "examples" in schema:
        return schema["examples"][0]
    if "example" in schema:
        return schema["example"]
    if "$ref" in schema:
        return sample(components[schema["$ref"].rsplit("/", 1)[1]], components)
    for inner in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        found = sample(inner, components)
        if found is not None:
            return found
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        within = next((name for name, known in components.items() if known is schema), "")
        return {
            name: example_of(name, inner, components, within=within)
            for name, inner in schema["properties"].items()
        }
    match schema.get("type"), schema.get("format"):
        case ("boolean", _):
            return False
        case ("string" | ["string", "null"], "date-time"):
            return TIME
        case ("string" | ["string", "null"], "uri"):
            return "https://data.example.com/api/v1/runs/ingestion/7"
        case ("array", _):
            found = sample(schema.get("items", {}), components)
            return None if found is None else [found]
    return None
