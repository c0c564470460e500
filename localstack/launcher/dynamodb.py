"""DynamoDB queries in the time of what they return, not of what the partition holds.

ministack evaluates the key condition on every item of a partition and parses the condition
anew for each (26 ms for 700 items). Two remedies, neither of which can change an answer:
the pure functions of an expression's text are remembered, and a query whose sort key has a
simple bound is shown only the items within that bound; it still evaluates the condition.
"""

import contextvars
import functools
import heapq
import re

from ministack.services import dynamodb as ddb

_view: contextvars.ContextVar[tuple | None] = contextvars.ContextVar("view", default=None)

_NAME = r"\s*(#?[A-Za-z_][\w.-]*)\s*"
_VALUE = r"\s*(:\w+)\s*"
_PAIR = re.compile(
    rf"{_NAME}={_VALUE}AND(?:{_NAME}(=|<=|<|>=|>){_VALUE}"
    rf"|{_NAME}BETWEEN{_VALUE}AND{_VALUE}"
    rf"|\s*begins_with\s*\({_NAME},{_VALUE}\)\s*)\Z", re.IGNORECASE)


def install() -> None:
    ddb._condition_syntax_error = functools.lru_cache(4096)(ddb._condition_syntax_error)
    tokenize = functools.lru_cache(4096)(ddb._tokenize)
    ddb._tokenize = lambda expression: list(tokenize(expression))
    # Same slots, so that the store object itself, which others may hold, can change its class.
    ddb._tables.__class__ = _Tables
    query = ddb._query

    def narrowed_query(data):
        token = _view.set(_narrow(data))
        try:
            return query(data)
        finally:
            _view.reset(token)

    ddb._query = narrowed_query


class _Tables(type(ddb._tables)):
    """The tables, one of them perhaps in a query's narrow view."""

    __slots__ = ()

    def get(self, key, default=None):
        view = _view.get()
        if view and view[0] == key:
            return view[1]
        return super().get(key, default)


def _narrow(data):
    """(table name, the table with only the items that can match), or None where the bound is
    not of the simple kind."""
    if not isinstance(data, dict) or data.get("IndexName") or not isinstance(data.get("KeyConditionExpression"), str):
        return None
    match = _PAIR.match(data["KeyConditionExpression"])
    name = ddb._normalize_table_name(data.get("TableName"))
    table = ddb._tables.get(name) if match and isinstance(name, str) else None
    if not table or not table.get("sk_name") or ddb._get_attr_type(table, table["sk_name"]) != "S":
        return None
    partition_name, partition, name1, operator, value, name2, low, high, name3, prefix = match.groups()
    names = data.get("ExpressionAttributeNames") or {}
    values = data.get("ExpressionAttributeValues") or {}

    def text(reference):
        found = values.get(reference)
        return found.get("S") if isinstance(found, dict) else None

    sort_name = name1 or name2 or name3
    if (names.get(partition_name, partition_name) != table["pk_name"]
            or names.get(sort_name, sort_name) != table["sk_name"] or text(partition) is None):
        return None
    inside = _inside(operator, text(value), text(low), text(high), text(prefix))
    if inside is None:
        return None
    bucket = table["items"].get(text(partition), {})
    keys = _page([key for key in list(bucket) if inside(key)], data, table["sk_name"])
    return name, {**table, "items": {text(partition): {key: bucket[key] for key in keys}}}


def _page(keys, data, sort_name):
    """Of the keys, those that one page can reach: one more than its limit, from its start on."""
    forward, limit = data.get("ScanIndexForward", True), data.get("Limit")
    start = ((data.get("ExclusiveStartKey") or {}).get(sort_name) or {}).get("S")
    if start is not None:
        keys = [key for key in keys if (key >= start if forward else key <= start)]
    if not isinstance(limit, int) or limit < 1:
        return keys
    return (heapq.nsmallest if forward else heapq.nlargest)(limit + 2, keys)


def _inside(operator, value, low, high, prefix):
    """Whether a sort key is within the bound. Strings compare by code point here and by UTF-8
    bytes in DynamoDB, which is the same order."""
    if operator == "=" and value is not None:
        return lambda key: key == value
    if operator in (">", ">=") and value is not None:
        return lambda key: key >= value
    if operator in ("<", "<=") and value is not None:
        return lambda key: key <= value
    if low is not None and high is not None:
        return lambda key: low <= key <= high
    if prefix is not None:
        return lambda key: key.startswith(prefix)
    return None
