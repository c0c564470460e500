"""One attempt of a job, from its container's start to its log."""

import subprocess
import uuid

from ..settings import Settings
from . import container, logs
from .job import Job, now
from .process import NotStarted, Process
from .retry import NOT_STARTED, TIMED_OUT, Outcome


def run(settings: Settings, job: Job, environment: str, started) -> tuple[dict, Outcome]:
    """Runs the command to its end and returns the attempt in AWS's shape, and how it ended.
    `started` gets the process once it runs. Not under any lock."""
    number = len(job.detail["attempts"]) + 1
    task, instance = uuid.uuid4().hex, instance_name(job.identity, number)
    arn = f"arn:aws:ecs:{job.records.scope.region}:{job.records.scope.account}"
    stream = logs.stream(job, task)
    described = {
        "containerInstanceArn": f"{arn}:container-instance/AWSBatch-{environment}/{instance}",
        "taskArn": f"{arn}:task/AWSBatch-{environment}/{task}",
        "networkInterfaces": [],
    }
    folder = settings.folder / "jobs" / f"{job.identity.replace(':', '_')}.{number}"
    record = {"container": described}
    try:
        logs.check(job)
        process = Process(job.detail["container"]["command"],
                          container.environment(settings, job, number, environment, instance),
                          folder, settings.stop_seconds)
    except NotStarted as error:
        described["reason"] = str(error)
        return record | {"stoppedAt": now(), "statusReason": NOT_STARTED}, Outcome(None, NOT_STARTED, str(error))
    record["startedAt"] = now()
    described["logStreamName"] = stream
    started(process)
    outcome = _wait(process, job)
    if outcome.exit_code is not None:
        described["exitCode"] = outcome.exit_code
    record |= {"stoppedAt": now(), "statusReason": outcome.status_reason}
    logs.store(job, stream, process.log)
    return record, outcome


def _wait(process: Process, job: Job) -> Outcome:
    timed_out = False
    try:
        code = process.wait(job.detail.get("timeout", {}).get("attemptDurationSeconds"))
    except subprocess.TimeoutExpired:
        timed_out = True
        process.stop()
        code = process.wait()
    if process.lost:
        return Outcome(None, process.lost)
    return Outcome(code, TIMED_OUT) if timed_out else Outcome(code)


def instance_name(identity: str, number: int) -> str:
    """A name for the EC2 instance that an attempt would run on, each its own."""
    return "i-" + uuid.uuid5(uuid.NAMESPACE_OID, f"{identity}/{number}").hex[:17]
