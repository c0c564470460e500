"""One job: its record in the shape of AWS's JobDetail, and what a submission must keep."""

import copy
import json
import re
import time
import uuid

from . import definitions
from .errors import ClientError
from .store import Records

TERMINAL = ("SUCCEEDED", "FAILED")
STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
# AWS: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
_LARGEST_ARRAY = 10_000
_MOST_DEPENDENCIES = 20
_LARGEST_REQUEST = 30 * 1024


class Job:
    """Guarded by Store.lock. `detail` is what DescribeJobs shows; the rest is ours."""

    def __init__(self, records: Records, detail: dict, queue: str, parent: "Job | None" = None):
        self.records = records
        self.detail = detail
        self.queue = queue
        self.parent = parent
        self.children: list[Job] = []
        self.waits_for: set[str] = set()  # ids of jobs that must succeed first
        self.dependents: list[Job] = []
        self.stop_reason: str | None = None  # TerminateJob's or CancelJob's, once asked for
        self.process = None  # of the attempt that runs now
        self.sequence = 0  # order of submission, for paging

    @property
    def identity(self) -> str:
        return self.detail["jobId"]

    @property
    def status(self) -> str:
        return self.detail["status"]

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def index(self):
        return self.detail.get("arrayProperties", {}).get("index")

    @property
    def is_array(self) -> bool:
        return "size" in self.detail.get("arrayProperties", {})

    def requirement(self, kind: str) -> float:
        for entry in self.detail["container"].get("resourceRequirements", []):
            if entry["type"] == kind:
                return float(entry["value"])
        return 0.0

    def snapshot(self) -> dict:
        return copy.deepcopy(self.detail)


def build(records: Records, request: dict, minimum_timeout: int) -> list[Job]:
    """The jobs of one SubmitJob: the job, or the array's parent and then its children.
    Nothing is stored yet."""
    size = _check(request)
    queue = records.queue(request["jobQueue"])
    if queue["state"] != "ENABLED":
        raise ClientError(f"JobQueue {queue['jobQueueName']} is DISABLED: it accepts no jobs")
    definition = records.definition(request["jobDefinition"])
    definitions.check_retry(request.get("retryStrategy"))
    definitions.check_timeout(request.get("timeout"), minimum_timeout)
    overrides = request.get("containerOverrides") or {}
    definitions.check_environment(overrides.get("environment", []))
    parameters = {**definition.get("parameters", {}), **(request.get("parameters") or {})}
    detail = {
        "jobName": request["jobName"], "jobQueue": queue["jobQueueArn"],
        "jobDefinition": definition["jobDefinitionArn"], "status": "SUBMITTED", "attempts": [],
        "createdAt": now(), "retryStrategy": {"attempts": 1, "evaluateOnExit": [], **copy.deepcopy(
            request.get("retryStrategy") or definition.get("retryStrategy") or {})},
        "dependsOn": copy.deepcopy(request.get("dependsOn") or []), "parameters": parameters,
        "container": _container(definition["containerProperties"], overrides, parameters),
        "tags": {**(definition.get("tags") if request.get("propagateTags") else {}), **(request.get("tags") or {})},
        "propagateTags": request.get("propagateTags", definition.get("propagateTags", False)),
        "platformCapabilities": definition.get("platformCapabilities", []),
        "isCancelled": False, "isTerminated": False,
    }
    timeout = request.get("timeout") or definition.get("timeout")
    if timeout:
        detail["timeout"] = copy.deepcopy(timeout)
    return _jobs(records, detail, queue["jobQueueName"], size)


def _jobs(records, detail, queue, size):
    identity = str(uuid.uuid4())

    def make(job_id, parent=None, **more):
        one = {"jobArn": records.scope.arn(f"job/{job_id}"), "jobId": job_id, **copy.deepcopy(detail), **more}
        return Job(records, one, queue, parent)

    if not size:
        return [make(identity)]
    summary = {status: 0 for status in STATUSES} | {"PENDING": size}
    parent = make(identity, arrayProperties={"size": size, "statusSummary": summary})
    parent.children = [make(f"{identity}:{i}", parent, status="PENDING", arrayProperties={"index": i})
                       for i in range(size)]
    return [parent, *parent.children]


def _check(request) -> int:
    """Checks what needs no record; returns the array's size, 0 for a job that is none."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", request["jobName"]):
        raise ClientError("Job name should match valid pattern: ^[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}$")
    if len(json.dumps(request).encode()) > _LARGEST_REQUEST:
        raise ClientError(f"the request is larger than {_LARGEST_REQUEST:,} bytes")
    for name in ("nodeOverrides", "eksPropertiesOverride", "ecsPropertiesOverride", "shareIdentifier",
                 "consumableResourcePropertiesOverride"):
        if request.get(name):
            raise ClientError(f"{name}: this emulator runs single-container jobs without fair share")
    if len(request.get("dependsOn") or []) > _MOST_DEPENDENCIES:
        raise ClientError(f"dependsOn has more than {_MOST_DEPENDENCIES} jobs")
    size = (request.get("arrayProperties") or {}).get("size", 0)
    if request.get("arrayProperties") and not 2 <= size <= _LARGEST_ARRAY:
        raise ClientError(f"arrayProperties.size has {size}; allowed are 2 to {_LARGEST_ARRAY:,}")
    return size


def _container(properties: dict, overrides: dict, parameters: dict) -> dict:
    """The definition's container with the submission's overrides; Ref::name is a parameter."""
    variables = {v["name"]: v.get("value", "") for v in properties.get("environment", [])}
    variables.update((v["name"], v.get("value", "")) for v in overrides.get("environment", []))
    needs = {r["type"]: r["value"] for r in properties.get("resourceRequirements", [])}
    for kind, legacy in (("VCPU", "vcpus"), ("MEMORY", "memory")):
        if legacy in properties:
            needs.setdefault(kind, str(properties[legacy]))
        if legacy in overrides:
            needs[kind] = str(overrides[legacy])
    needs.update((r["type"], r["value"]) for r in overrides.get("resourceRequirements", []))
    command = overrides.get("command") or properties.get("command") or []
    return {
        "volumes": [], "mountPoints": [], "ulimits": [], "networkInterfaces": [], "secrets": [],
        **copy.deepcopy(properties),
        "command": [parameters.get(word[5:], word) if word.startswith("Ref::") else word for word in command],
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "resourceRequirements": [{"type": kind, "value": value} for kind, value in needs.items()],
    }


def now() -> int:
    """AWS's times: milliseconds since 1970."""
    return int(time.time() * 1000)
