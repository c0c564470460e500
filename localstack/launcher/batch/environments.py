"""Compute environments and job queues: create, update, describe, delete."""

import copy
import uuid

from .errors import ClientError
from .store import Records, checked_name


def create_environment(records: Records, request: dict) -> dict:
    name = checked_name(request["computeEnvironmentName"], "computeEnvironmentName")
    if name in records.environments:
        raise ClientError(f"Object already exists: {name}")
    if request["type"] != "MANAGED" or "computeResources" not in request:
        raise ClientError("only managed compute environments with computeResources run jobs here")
    resources = request["computeResources"]
    if resources["type"] not in ("EC2", "SPOT"):
        raise ClientError(f"computeResources.type has {resources['type']!r}; this emulator runs EC2 and SPOT")
    _check_resources(resources)
    arn = records.scope.arn(f"compute-environment/{name}")
    records.environments[name] = {
        "state": "ENABLED", "tags": {}, **copy.deepcopy(request),
        "computeEnvironmentArn": arn, "uuid": str(uuid.uuid4()), "containerOrchestrationType": "ECS",
        "ecsClusterArn": f"arn:aws:ecs:{records.scope.region}:{records.scope.account}:cluster/AWSBatch-{name}",
        "status": "VALID", "statusReason": "ComputeEnvironment Healthy",
    }
    return {"computeEnvironmentName": name, "computeEnvironmentArn": arn}


def _check_resources(resources):
    if not 0 <= resources.get("minvCpus", 0) <= resources.get("maxvCpus", 0):
        raise ClientError("computeResources needs 0 <= minvCpus <= maxvCpus")
    spot = resources.get("allocationStrategy", "").startswith("SPOT_")
    if spot and resources["type"] != "SPOT":
        raise ClientError(f"allocationStrategy {resources['allocationStrategy']} needs computeResources.type SPOT")
    for name in ("subnets", "instanceTypes"):
        if not resources.get(name):
            raise ClientError(f"computeResources.{name} is missing")
    if not resources.get("instanceRole"):
        raise ClientError("computeResources.instanceRole is missing")


def update_environment(records: Records, request: dict) -> dict:
    environment = records.environment(request["computeEnvironment"])
    changed = {**environment["computeResources"], **copy.deepcopy(request.get("computeResources") or {})}
    changed.pop("updateToLatestImageVersion", None)
    _check_resources(changed)
    environment["computeResources"] = changed
    for name in ("state", "serviceRole", "updatePolicy", "context"):
        if name in request:
            environment[name] = request[name]
    return {"computeEnvironmentName": environment["computeEnvironmentName"],
            "computeEnvironmentArn": environment["computeEnvironmentArn"]}


def delete_environment(records: Records, request: dict) -> dict:
    environment = records.environment(request["computeEnvironment"])
    if environment["state"] != "DISABLED":
        raise ClientError("Cannot delete, resource must be DISABLED first")
    arn = environment["computeEnvironmentArn"]
    for queue in records.queues.values():
        if any(order["computeEnvironment"] == arn for order in queue["computeEnvironmentOrder"]):
            raise ClientError("Cannot delete, found existing JobQueue relationship")
    del records.environments[environment["computeEnvironmentName"]]
    return {}


def create_queue(records: Records, request: dict) -> dict:
    name = checked_name(request["jobQueueName"], "jobQueueName")
    if name in records.queues:
        raise ClientError(f"Object already exists: {name}")
    if not request.get("computeEnvironmentOrder"):
        raise ClientError("computeEnvironmentOrder is missing; this emulator runs no service jobs")
    arn = records.scope.arn(f"job-queue/{name}")
    records.queues[name] = {
        "state": "ENABLED", "tags": {}, **copy.deepcopy(request), "jobQueueArn": arn,
        "computeEnvironmentOrder": _order(records, request["computeEnvironmentOrder"]),
        "status": "VALID", "statusReason": "JobQueue Healthy",
    }
    return {"jobQueueName": name, "jobQueueArn": arn}


def _order(records, order):
    if not 1 <= len(order) <= 3:
        raise ClientError(f"computeEnvironmentOrder has {len(order)} compute environments; allowed are 1 to 3")
    kinds = {records.environment(entry["computeEnvironment"])["computeResources"]["type"][:3] for entry in order}
    if len(kinds) > 1 and "FAR" in kinds:
        raise ClientError("computeEnvironmentOrder mixes EC2 and Fargate")
    return sorted(({"order": entry["order"],
                    "computeEnvironment": records.environment(entry["computeEnvironment"])["computeEnvironmentArn"]}
                   for entry in order), key=lambda entry: entry["order"])


def update_queue(records: Records, request: dict) -> dict:
    queue = records.queue(request["jobQueue"])
    order = _order(records, request["computeEnvironmentOrder"]) if "computeEnvironmentOrder" in request else None
    for name in ("state", "priority", "schedulingPolicyArn", "jobStateTimeLimitActions"):
        if name in request:
            queue[name] = copy.deepcopy(request[name])
    if order is not None:
        queue["computeEnvironmentOrder"] = order
    return {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]}


def check_deletable(records: Records, reference: str) -> dict:
    """The queue to delete; its jobs are for the caller to terminate, as AWS does."""
    queue = records.queue(reference)
    if queue["state"] != "DISABLED":
        raise ClientError("Cannot delete, resource must be DISABLED first")
    return queue


def describe(found: list, wanted: list, key: str, name_key: str, page) -> dict:
    """The records that `wanted` names by name or ARN (unknown ones are left out), or all of them."""
    if wanted:
        found = [r for r in found if r[name_key] in wanted or r[name_key.replace("Name", "Arn")] in wanted]
    chosen, token = page(found)
    return {key: copy.deepcopy(chosen), **({"nextToken": token} if token else {})}
