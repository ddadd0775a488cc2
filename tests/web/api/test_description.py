"""The description of the API: nothing in it is without words, or without an example."""

from functools import cache

import jsonschema
from drf_spectacular.generators import SchemaGenerator

from web.api.examples import EXAMPLES
from web.api.problems import CATALOGUE
from web.keyset import Cursor


@cache
def description():
    return SchemaGenerator(api_version="v1").get_schema(request=None, public=True)


def operations():
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def has_example(described):
    return "example" in described or bool(described.get("examples"))


def fields(schema, where):
    for name, field in schema.get("properties", {}).items():
        yield f"{where}.{name}", field


def test_each_operation_has_a_summary_and_a_description():
    found = [
        name
        for name, operation in operations()
        if not (operation.get("summary") and operation.get("description"))
    ]
    assert found == []


def test_each_parameter_has_a_description_and_an_example():
    found = [
        f"{name} {parameter['name']}"
        for name, operation in operations()
        for parameter in operation.get("parameters", [])
        if not (parameter.get("description") and has_example(parameter))
    ]
    assert found == []


def test_each_field_has_a_description_and_an_example():
    found = [
        name
        for component, schema in description()["components"]["schemas"].items()
        for name, field in fields(schema, component)
        if not (field.get("description") and has_example(field))
    ]
    assert found == []


def test_each_body_has_an_example_but_for_files():
    found = []
    for name, operation in operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for media_type, content in body.get("content", {}).items():
                is_file = content.get("schema", {}).get("format") == "binary"
                if not (is_file or has_example(content)):
                    found.append(f"{name} {media_type}")
    assert found == []


def test_each_example_is_what_its_schema_says():
    components = description()["components"]
    wrong: list[str] = []

    def check(name, schema, value):
        validator = jsonschema.Draft202012Validator({**schema, "components": components})
        wrong.extend(f"{name}: {error.message}" for error in validator.iter_errors(value))

    for component, schema in description()["components"]["schemas"].items():
        for name, field in fields(schema, component):
            for value in field.get("examples", []):
                check(name, field, value)
    for name, operation in operations():
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                check(f"{name} {parameter['name']}", parameter["schema"], parameter["example"])
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                if "example" in content and "schema" in content:
                    check(f"{name} {status}", content["schema"], content["example"])
    assert wrong == [], "\n".join(wrong)


def test_each_error_is_a_problem_of_the_catalogue():
    for name, operation in operations():
        assert "400" in operation["responses"], name
        for status, response in operation["responses"].items():
            if int(status) < 400 or "application/json" in response.get("content", {}):
                continue
            (media_type,) = response["content"]
            assert media_type == "application/problem+json", name
            example = response["content"][media_type]["example"]
            assert example["status"] == int(status)
            assert CATALOGUE[example["code"]].status == int(status)


def test_the_description_is_one_of_openapi_3_1():
    assert description()["openapi"].startswith("3.1")
    assert description()["info"]["title"] == "DataFlow Analytics"


def test_no_parameter_of_a_query_may_be_blank():
    for name, operation in operations():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            text = schema.get("items", schema)
            if parameter["in"] == "query" and text.get("type") == "string":
                assert "" not in text.get("enum", [" "]), (name, parameter["name"])
                assert "enum" in text or text["minLength"] >= 1, (name, parameter["name"])


def test_a_body_says_that_it_has_no_other_fields():
    schemas = description()["components"]["schemas"]
    for component in ("ViewRequest", "PatchedEditBody", "RepairBody", "FeedRequest"):
        assert schemas[component]["additionalProperties"] is False
    assert schemas["PatchedEditBody"]["required"] == ["data"]


def test_texts_that_no_pattern_can_describe_have_a_format():
    parameters = {
        parameter["name"]: parameter["schema"]
        for name, operation in operations()
        if name in ("get /api/v1/records", "get /api/v1/stats", "post /api/v1/records")
        for parameter in operation["parameters"]
    }
    assert parameters["cursor"]["format"] == "cursor"
    assert parameters["where"]["items"]["format"] == "condition"
    assert parameters["timestamp_zone"]["format"] == "time-zone"
    # The letters of a pattern would be those of English.
    assert parameters["source"]["format"] == "source-name"
    assert "pattern" not in parameters["source"]


def test_a_cursor_that_the_description_gives_as_an_example_is_one():
    assert Cursor.parse(EXAMPLES["cursor"]) == Cursor("n", "")
