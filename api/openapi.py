"""The API's OpenAPI description, from which clients are generated: names that read well, and each schema once.

FastAPI collects the schemas of what it parses and writes itself. For the rest (the bodies of `POST /status` and
`POST /sync`, problems) a route refers to the model with `reference_to`, and its schema is added here.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_COMPONENTS = "#/components/schemas/"

_referred_to: set[type[BaseModel]] = set()


def reference_to(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to the model's schema, for a body that FastAPI does not parse or write."""
    _referred_to.add(model)
    return {"$ref": _COMPONENTS + model.__name__}


def name_operation(route: APIRoute) -> str:
    """Return the operation's id, from which generators make a function's name: the route function's."""
    return route.name


class DescribedAPI(FastAPI):
    """FastAPI, with the schemas that its routes refer to."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, as `/openapi.json` has it."""
        description = super().openapi()
        _, referred_to = models_json_schema(
            [(model, "validation") for model in sorted(_referred_to, key=lambda model: model.__name__)],
            ref_template=_COMPONENTS + "{model}",
        )
        description["components"]["schemas"] |= referred_to["$defs"]
        _fill_in_examples(description)
        return description


def _fill_in_examples(description: dict[str, Any]) -> None:
    """Repeat each field's first example as its `example`: Swagger UI fills in only that one."""
    operations = (operation for path in description["paths"].values() for operation in path.values())
    for parameter in (parameter for operation in operations for parameter in operation.get("parameters", ())):
        _fill_in(parameter, parameter["schema"])
    for model in _referred_to:
        for field in description["components"]["schemas"][model.__name__].get("properties", {}).values():
            _fill_in(field, field)


def _fill_in(described: dict[str, Any], schema: dict[str, Any]) -> None:
    if "examples" in schema:
        described["example"] = schema["examples"][0]
