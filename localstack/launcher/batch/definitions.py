"""Job definitions: revisions of what a job runs, and the rules that both a definition
and a submission must keep."""

import copy

from .errors import ClientError
from .store import Records, checked_name


def register(records: Records, request: dict, minimum_timeout: int) -> dict:
    name = checked_name(request["jobDefinitionName"], "jobDefinitionName")
    if request["type"] != "container" or "containerProperties" not in request:
        raise ClientError("only job definitions of type container with containerProperties run here")
    if request.get("platformCapabilities", ["EC2"]) != ["EC2"]:
        raise ClientError("platformCapabilities: this emulator runs EC2 jobs")
    properties = request["containerProperties"]
    if not properties.get("image"):
        raise ClientError("containerProperties.image is missing")
    check_environment(properties.get("environment", []))
    check_resources(properties)
    check_retry(request.get("retryStrategy"))
    check_timeout(request.get("timeout"), minimum_timeout)
    revisions = records.definitions.setdefault(name, [])
    revision = len(revisions) + 1
    arn = records.scope.arn(f"job-definition/{name}:{revision}")
    revisions.append({
        "parameters": {}, "tags": {}, "platformCapabilities": ["EC2"], "propagateTags": False,
        **copy.deepcopy(request), "jobDefinitionArn": arn, "revision": revision, "status": "ACTIVE",
        "containerOrchestrationType": "ECS",
    })
    return {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision}


def deregister(records: Records, request: dict) -> dict:
    reference = request["jobDefinition"]
    if ":" not in reference.rsplit("/", 1)[-1]:
        raise ClientError(f"jobDefinition {reference!r} needs a revision: name:revision or the ARN")
    records.definition(reference)["status"] = "INACTIVE"
    return {}


def describe(records: Records, request: dict, page) -> dict:
    found = [revision for revisions in records.definitions.values() for revision in reversed(revisions)]
    if request.get("jobDefinitionName"):
        name = records.scope.name_in(request["jobDefinitionName"], "job-definition").split(":")[0]
        found = [d for d in found if d["jobDefinitionName"] == name]
    if request.get("jobDefinitions"):
        wanted = set(request["jobDefinitions"])
        found = [d for d in found if d["jobDefinitionArn"] in wanted
                 or f"{d['jobDefinitionName']}:{d['revision']}" in wanted or d["jobDefinitionName"] in wanted]
    if request.get("status"):
        found = [d for d in found if d["status"] == request["status"]]
    chosen, token = page(found)
    return {"jobDefinitions": copy.deepcopy(chosen), **({"nextToken": token} if token else {})}


def check_environment(variables: list) -> None:
    for variable in variables:
        if variable.get("name", "").startswith("AWS_BATCH"):
            raise ClientError(f"environment variable {variable['name']}: names with AWS_BATCH are Batch's own")


def check_resources(properties: dict) -> None:
    """Every job on EC2 says its vCPUs and memory."""
    named = {r.get("type") for r in properties.get("resourceRequirements", [])}
    for kind, legacy in (("VCPU", "vcpus"), ("MEMORY", "memory")):
        if kind not in named and legacy not in properties:
            raise ClientError(f"containerProperties needs a resourceRequirement of type {kind}")


def check_retry(strategy) -> None:
    if not strategy:
        return
    attempts = strategy.get("attempts", 1)
    if not 1 <= attempts <= 10:
        raise ClientError(f"retryStrategy.attempts has {attempts}; allowed are 1 to 10")
    rules = strategy.get("evaluateOnExit") or []
    if len(rules) > 5:
        raise ClientError(f"retryStrategy.evaluateOnExit has {len(rules)} rules; allowed are 5")
    if rules and "attempts" not in strategy:
        raise ClientError("retryStrategy.evaluateOnExit needs attempts beside it")
    for rule in rules:
        if rule["action"].upper() not in ("RETRY", "EXIT"):
            raise ClientError(f"evaluateOnExit action {rule['action']!r} must be RETRY or EXIT")
        if not {"onStatusReason", "onReason", "onExitCode"} & rule.keys():
            raise ClientError("evaluateOnExit needs onStatusReason, onReason or onExitCode")
        for name in ("onStatusReason", "onReason", "onExitCode"):
            pattern = rule.get(name, "")
            if "*" in pattern[:-1] or len(pattern) > 512:
                raise ClientError(f"evaluateOnExit.{name} {pattern[:100]!r} may have one * at its end, 512 characters")


def check_timeout(timeout, minimum: int) -> None:
    if timeout and timeout.get("attemptDurationSeconds", minimum) < minimum:
        raise ClientError(f"timeout.attemptDurationSeconds has {timeout['attemptDurationSeconds']}; "
                          f"the least is {minimum}")
