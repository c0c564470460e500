"""An attempt's output in CloudWatch Logs, where the awslogs driver puts it."""

import pathlib
import time

from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from .. import metrics
from .process import NotStarted

_GROUP = "/aws/batch/job"  # Batch's own, which it makes itself
_MOST_LINES = 10_000  # of an attempt's end; the file beside the job has all


def stream(job, task: str) -> str:
    """The log stream's name: prefix/default/task, the prefix being the definition's name."""
    options = _options(job)
    prefix = options.get("awslogs-stream-prefix") or job.detail["jobDefinition"].rsplit("/", 1)[1].split(":")[0]
    return f"{prefix}/default/{task}"


def check(job) -> None:
    """Refuses a group that does not exist, as ECS does when it starts the container."""
    options = _options(job)
    group = options.get("awslogs-group", _GROUP)
    with request_scope(job.records.scope.account, job.records.scope.region):
        exists = group in cloudwatch_logs._log_groups
        if not exists and (group == _GROUP or options.get("awslogs-create-group") == "true"):
            cloudwatch_logs._create_log_group({"logGroupName": group})
        elif not exists:
            raise NotStarted("CannotStartContainerError: failed to initialize logging driver: "
                             f"the log group {group} does not exist")


def store(job, name: str, path: pathlib.Path) -> None:
    """Puts the file's last lines into the stream, and the metrics among them into CloudWatch."""
    with open(path, errors="replace") as file:
        lines = file.read().splitlines()[-_MOST_LINES:]
    group = _options(job).get("awslogs-group", _GROUP)
    stamp = int(time.time() * 1000)
    with request_scope(job.records.scope.account, job.records.scope.region):
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": name})
        if lines:
            cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": name, "logEvents": [
                {"timestamp": stamp, "message": line} for line in lines]})
        metrics.record(lines)


def _options(job) -> dict:
    return (job.detail["container"].get("logConfiguration") or {}).get("options") or {}
