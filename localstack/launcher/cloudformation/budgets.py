"""AWS::Budgets::Budget.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
"""

import json

import botocore.session
from ministack.services import budgets
from ministack.services.cloudformation import provisioners

from .properties import to_request


def handlers() -> dict:
    return {"AWS::Budgets::Budget": {"create": _create, "update": _update, "update_with_logical_id": True,
                                     "delete": _delete}}


def _request(logical_id, properties, stack):
    """CreateBudget's request; the API's member names are the properties' own."""
    given = dict(properties)
    budget = given["Budget"] = dict(given.get("Budget") or {})
    budget.setdefault("BudgetName", provisioners._physical_name(stack, logical_id, max_len=100))
    model = botocore.session.Session().get_service_model("budgets")
    request = to_request(model.operation_model("CreateBudget").input_shape, given)
    for entry in request.get("NotificationsWithSubscribers", []):
        entry["Notification"]["Threshold"] = float(entry["Notification"]["Threshold"])
    return request


def _call(function, request) -> None:
    status, _, body = function(request)
    if status != 200:
        raise ValueError(json.loads(body).get("Message") or json.loads(body).get("message") or body.decode())


def _create(logical_id, properties, stack):
    request = _request(logical_id, properties, stack)
    _call(budgets._create_budget, request)
    return request["Budget"]["BudgetName"], {}


def _update(name, old, new, stack, logical_id):
    given = (new.get("Budget") or {}).get("BudgetName")
    if (given or name) == name and old.get("NotificationsWithSubscribers") == new.get("NotificationsWithSubscribers"):
        request = _request(logical_id, {"Budget": {**new["Budget"], "BudgetName": name}}, stack)
        _call(budgets._update_budget, {"NewBudget": request["Budget"]})
        return name, {}
    if given == name:
        raise ValueError("CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                         f"Rename {name} and update the stack again.")
    made = provisioners._seeded_create(_create, logical_id, new, stack)
    provisioners._delete_predecessor(_delete, name, old)
    return made


def _delete(name, properties):
    if name in budgets._budgets:
        _call(budgets._delete_budget, {"BudgetName": name})
