"""What a job's process sees: its own environment, Batch's variables, and the little that
a container image and its host would give it."""

import os
import pathlib

from ..settings import Settings


def environment(settings: Settings, job, attempt: int, compute_environment: str, instance: str) -> dict:
    """The process environment of one attempt. Nothing of the launcher's own comes through
    but PATH and HOME, which stand for the image's. As with EC2 launch type on AWS, no
    variable names the region."""
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    values = {
        "PATH": f"{settings.path}{os.pathsep}{path}" if settings.path else path,
        "HOME": os.environ.get("HOME", "/"),
        # In place of the task role's credentials and of the public endpoints.
        "AWS_ACCESS_KEY_ID": job.records.scope.account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        # The instance's metadata (region, Spot notice); the user's name tells the instance.
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{instance}@{settings.host}:{settings.port}",
    }
    mounts = _mounts(settings, job.detail["container"])
    for variable in job.detail["container"]["environment"]:
        values[variable["name"]] = _mounted(variable["value"], mounts)
    values |= {
        "AWS_BATCH_JOB_ID": job.identity,
        "AWS_BATCH_JOB_ATTEMPT": str(attempt),
        "AWS_BATCH_JQ_NAME": job.queue,
        "AWS_BATCH_CE_NAME": compute_environment,
    }
    if job.parent is not None:
        values["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
        values["AWS_BATCH_JOB_ARRAY_SIZE"] = str(len(job.parent.children))
    return values


def _mounts(settings, container) -> dict[str, pathlib.Path]:
    """Folders of this machine by container path. A volume of the host becomes a folder of
    the launcher's own, shared by all jobs as an instance's is."""
    sources = {v["name"]: (v.get("host") or {}).get("sourcePath") for v in container.get("volumes", [])}
    mounts = {}
    for point in container.get("mountPoints", []):
        source = sources.get(point.get("sourceVolume"))
        if source:
            folder = settings.folder / "volumes" / source.strip("/")
            folder.mkdir(parents=True, exist_ok=True)
            mounts[point["containerPath"].rstrip("/")] = folder
    return mounts


def _mounted(value: str, mounts) -> str:
    """A path below a mount point is where the mount lies on this machine: no file system is
    mounted here, so the variable has to name the folder itself."""
    for point, folder in mounts.items():
        if value == point or value.startswith(point + "/"):
            return str(folder) + value[len(point):]
    return value
