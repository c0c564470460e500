"""AWS::Athena::NamedQuery: every change of one makes a new one.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-namedquery.html
"""

import json

from ministack.services import athena
from ministack.services.cloudformation import provisioners

_PROPERTIES = ("Database", "Description", "Name", "QueryString", "WorkGroup")


def handlers() -> dict:
    return {"AWS::Athena::NamedQuery": {"create": _create, "update": _update, "update_with_logical_id": True,
                                        "delete": _delete}}


def _create(logical_id, properties, stack):
    unknown = properties.keys() - set(_PROPERTIES)
    missing = {"Database", "QueryString"} - properties.keys()
    if unknown or missing:
        raise ValueError(f"Encountered unsupported property {min(unknown)}" if unknown
                         else f"Property {min(missing)} cannot be empty")
    group = properties.get("WorkGroup", "primary")
    if group not in athena._workgroups:
        raise ValueError(f"WorkGroup {group} is not found.")
    given = {"Name": provisioners._physical_name(stack, logical_id), **properties}
    _, _, body = athena._create_named_query(given)
    identity = json.loads(body)["NamedQueryId"]
    return identity, {"NamedQueryId": identity}


def _update(identity, old, new, stack, logical_id):
    made = _create(logical_id, new, stack)
    provisioners._delete_predecessor(_delete, identity, old)
    return made


def _delete(identity, properties):
    athena._delete_named_query({"NamedQueryId": identity})
