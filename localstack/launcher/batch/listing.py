"""ListJobs, and the paging that all listings share."""

import base64
import binascii

from .errors import ClientError
from .job import Job
from .store import Records

_SHOWN = ("jobArn", "jobId", "jobName", "createdAt", "status", "statusReason", "startedAt", "stoppedAt",
          "arrayProperties", "jobDefinition", "isCancelled", "isTerminated")


def pager(request: dict, most: int = 100):
    """A function that cuts a list into the page that the request asks for, and its next token."""
    size = request.get("maxResults", most)
    if not 1 <= size <= most:
        raise ClientError(f"maxResults has {size}; allowed are 1 to {most}")
    start = 0
    if request.get("nextToken"):
        try:
            start = int(base64.urlsafe_b64decode(request["nextToken"].encode()))
        except (ValueError, binascii.Error):
            raise ClientError("nextToken is none that this call gave out") from None

    def page(found: list):
        end = start + size
        token = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(found) else None
        return found[start:end], token

    return page


def list_jobs(records: Records, request: dict) -> dict:
    """https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html: the children of an
    array, or a queue's jobs of one state (RUNNING unless said), or those that a filter names."""
    if ("jobQueue" in request) == ("arrayJobId" in request) or "multiNodeJobId" in request:
        raise ClientError("exactly one of jobQueue and arrayJobId must be given")
    filters = request.get("filters") or []
    if len(filters) > 1:
        raise ClientError("filters takes one filter")
    status = request.get("jobStatus") or (None if filters or "arrayJobId" in request else "RUNNING")
    if "arrayJobId" in request:
        found = list(records.job(request["arrayJobId"]).children)
    else:
        queue = records.queue(request["jobQueue"])["jobQueueName"]
        found = [job for job in records.jobs.values() if job.queue == queue and job.parent is None]
        found.reverse()  # newest first
    if filters:
        found = [job for job in found if _passes(job, filters[0])]
    elif status:
        found = [job for job in found if job.status == status]
    chosen, token = pager(request)(found)
    return {"jobSummaryList": [_summary(job) for job in chosen], **({"nextToken": token} if token else {})}


def _passes(job: Job, condition: dict) -> bool:
    name, values = condition.get("name", "").upper(), condition.get("values") or []
    if len(values) != 1:
        raise ClientError(f"filter {name} takes one value")
    value = values[0]
    if name in ("BEFORE_CREATED_AT", "AFTER_CREATED_AT"):
        if not value.isdigit():
            raise ClientError(f"filter {name} has {value!r}; it must be milliseconds since 1970")
        return job.detail["createdAt"] < int(value) if name[0] == "B" else job.detail["createdAt"] > int(value)
    if name == "JOB_NAME":
        text = job.detail["jobName"].lower()
        value = value.lower()
    elif name == "JOB_DEFINITION":
        text = job.detail["jobDefinition"] if value.startswith("arn:") else job.detail["jobDefinition"].rsplit("/", 1)[1]
    else:
        raise ClientError(f"filter {name!r} must be JOB_NAME, JOB_DEFINITION, BEFORE_CREATED_AT or AFTER_CREATED_AT")
    return text.startswith(value[:-1]) if value.endswith("*") else text == value


def _summary(job: Job) -> dict:
    detail = job.snapshot()
    container = {name: detail["container"][name] for name in ("exitCode", "reason") if name in detail["container"]}
    return {name: detail[name] for name in _SHOWN if name in detail} | ({"container": container} if container else {})
