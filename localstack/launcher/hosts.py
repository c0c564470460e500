"""Whose machine a job runs on, as the job and a chaos test see it: the instance's metadata,
a Spot interruption, a host that is lost, a process that is killed."""

import base64
import datetime
import random
import signal
import threading

from .batch.attempt import instance_name
from .batch.scheduler import Scheduler
from .batch.store import Store

_SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INT": signal.SIGINT, "STOP": signal.SIGSTOP,
            "CONT": signal.SIGCONT}


class Hosts:
    """Acts on running attempts; safe for concurrent use."""

    def __init__(self, store: Store, scheduler: Scheduler, seed: int = 0):
        self._store = store
        self._scheduler = scheduler
        self._dice = random.Random(seed)
        self._notices: dict[str, str] = {}  # when an instance goes, by its name

    def processes(self) -> list[dict]:
        """The job processes that run now."""
        with self._store.lock:
            return [_described(job) for job in self._scheduler.running()]

    def kill(self, count: int, name: str) -> list[dict]:
        """Sends a signal to some running commands, chosen at random; says which."""
        if name not in _SIGNALS:
            raise ValueError(f"signal is {name!r}; allowed are {', '.join(_SIGNALS)}")
        return self._strike(count, lambda job, described: job.process.send(_SIGNALS[name]))

    def interrupt(self, count: int, seconds: float) -> list[dict]:
        """Takes instances away: a Spot notice now, the host lost after `seconds` (AWS: 120)."""
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 3600:
            raise ValueError(f"seconds is {seconds!r}; it must be a number from 0 to 3,600")

        def strike(job, described):
            process, instance = job.process, described["instance"]
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
            self._notices[instance] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
            timer = threading.Timer(seconds, process.lose, (f"Host EC2 (instance {instance}) terminated.",))
            timer.daemon = True
            timer.start()
        return self._strike(count, strike)

    def _strike(self, count, action):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"count is {count!r}; it must be a whole number from 1")
        with self._store.lock:
            jobs = self._scheduler.running()
            chosen = self._dice.sample(jobs, min(count, len(jobs)))
            struck = []
            for job in chosen:
                described = _described(job)
                action(job, described)
                struck.append(described)
            return struck

    def metadata(self, authorization: str, path: str) -> tuple[int, str] | None:
        """The instance's own part of its metadata service: (status, text), or None for the rest."""
        instance = _user(authorization)
        if path == "/latest/meta-data/instance-id" and instance:
            return 200, instance
        if path == "/latest/meta-data/spot/instance-action":
            when = self._notices.get(instance)
            return (200, f'{{"action": "terminate", "time": "{when}"}}') if when else (404, "")
        if path == "/latest/meta-data/spot/termination-time":
            when = self._notices.get(instance)
            return (200, when) if when else (404, "")
        return None


def _described(job) -> dict:
    attempt = len(job.detail["attempts"]) + 1
    return {"jobId": job.identity, "jobName": job.detail["jobName"], "attempt": attempt, "pid": job.process.pid,
            "instance": instance_name(job.identity, attempt), "log": str(job.process.log)}


def _user(authorization: str) -> str:
    """The user of HTTP's basic authorization, which the endpoint's URL carries."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value).decode().split(":")[0]
    except ValueError:
        return ""
