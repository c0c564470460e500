"""AWS's own description of the Batch API, as botocore ships it: routes and shapes."""

import functools
import re

import botocore.session

from .errors import ClientError


@functools.cache
def service():
    return botocore.session.Session().get_service_model("batch")


@functools.cache
def _routes():
    routes = []
    for name in service().operation_names:
        http = service().operation_model(name).http
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>.+)", http["requestUri"])
        routes.append((http["method"], re.compile(pattern + "$", re.IGNORECASE), name))
    return routes


def route(method: str, path: str):
    """The operation's name and what its path holds, or ClientError."""
    for wanted, pattern, name in _routes():
        match = pattern.match(path.rstrip("/"))
        if match and wanted == method:
            return name, match.groupdict()
    raise ClientError(f"{method} {path} is no operation of AWS Batch")


def check(operation: str, request: dict) -> None:
    """Refuses a request that AWS's model does not allow: unknown or missing members,
    wrong types, values that no enumeration knows."""
    _check(service().operation_model(operation).input_shape, request, "")


_PYTHON = {"string": str, "boolean": bool, "integer": int, "long": int, "float": (int, float), "double": (int, float)}


def _check(shape, value, place):
    kind = shape.type_name
    if kind == "structure":
        _expect(isinstance(value, dict), place, value, "an object")
        for name in value:
            _expect(name in shape.members, place, name, "one of " + ", ".join(sorted(shape.members)))
        for name in shape.required_members:
            if value.get(name) is None:
                raise ClientError(f"{_join(place, name)} is missing")
        for name, member in value.items():
            if member is not None:
                _check(shape.members[name], member, _join(place, name))
    elif kind == "list":
        _expect(isinstance(value, list), place, value, "a list")
        for index, member in enumerate(value):
            _check(shape.member, member, f"{place}[{index}]")
    elif kind == "map":
        _expect(isinstance(value, dict), place, value, "an object")
        for name, member in value.items():
            _check(shape.value, member, _join(place, name))
    else:
        wanted = _PYTHON[kind]
        right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        _expect(right, place, value, f"a {kind}")
        # AWS compares enumerations without regard to case in some places (retry actions), never here.
        if getattr(shape, "enum", None) and shape.name != "RetryAction":
            _expect(value in shape.enum, place, value, "one of " + ", ".join(shape.enum))


def _join(place, name):
    return f"{place}.{name}" if place else name


def _expect(holds, place, value, allowed):
    if not holds:
        raise ClientError(f"{place or 'request'} has {value!r}; allowed is {allowed}")
