"""The life of jobs: dependencies, the queue, attempts, retries, the end.

All changes of state go through _set, under Store.lock, so that the events and the
summary of an array always agree with what DescribeJobs shows.
"""

import collections
import logging
import threading

from ..settings import Settings
from . import attempt, retry
from .events import Publisher
from .job import TERMINAL, Job, now
from .store import Records, Store

_log = logging.getLogger("supermax.batch")


class Scheduler:
    """Runs what is RUNNABLE in the order of priority and submission, within the vCPUs of
    the compute environments and the launcher's slots."""

    def __init__(self, settings: Settings, store: Store, publisher: Publisher):
        self._settings = settings
        self._store = store
        self._publisher = publisher
        self._runnable: dict[tuple, collections.deque[Job]] = {}  # by records' scope and queue
        self._running: set[Job] = set()
        self._ended: list[Job] = []  # whose dependents are still to be looked at
        self._closed = False
        threading.Thread(target=self._run, name="batch-scheduler", daemon=True).start()

    # The methods below are called under Store.lock.

    def submit(self, jobs: list[Job]) -> None:
        """Takes in the jobs of one submission, dependencies resolved into waits_for."""
        for job in jobs:
            if job.is_array or job.ended:
                continue
            if job.waits_for:
                self._set(job, "PENDING")
            else:
                self._make_runnable(job)
        self._store.changed.notify_all()

    def stop(self, job: Job, reason: str, started_too: bool) -> None:
        """Ends a job or what is left of an array: at once before its attempt has started,
        otherwise, if started_too, by stopping the process."""
        for child in job.children:
            self.stop(child, reason, started_too)
        if job.ended:
            return
        if job.is_array:
            job.stop_reason = reason
            self._roll_up(job)
        elif job.status in ("STARTING", "RUNNING"):
            if started_too:
                job.stop_reason = reason
                job.detail["isTerminated"] = True
                if job.process:
                    job.process.stop()
        else:
            job.detail["isTerminated" if started_too else "isCancelled"] = True
            self._set(job, "FAILED", reason)

    def running(self) -> list[Job]:
        """The jobs whose process runs, oldest submission first."""
        return sorted((job for job in self._running if job.process and job.status == "RUNNING"),
                      key=lambda job: job.sequence)

    def busy(self) -> bool:
        """Whether an attempt still runs, its process ended or not."""
        return bool(self._running)

    def close(self) -> None:
        """Ends every process at once; nothing is started after it."""
        self._closed = True
        for job in list(self._running):
            if job.process:
                job.process.lose("the emulator stops")
        self._runnable.clear()
        self._store.changed.notify_all()

    def reset(self) -> None:
        """Forgets every job and ends its process, for the emulator's own reset."""
        self.close()
        self._closed = False

    def _set(self, job: Job, status: str, reason: str | None = None) -> None:
        if job.ended or job.status == status:
            return
        before, job.detail["status"] = job.status, status
        if reason is not None:
            job.detail["statusReason"] = reason
        if status == "RUNNING":
            job.detail["startedAt"] = now()
        if status in TERMINAL:
            job.detail["stoppedAt"] = now()
        self._publisher.changed(job)
        if job.parent is not None:
            summary = job.parent.detail["arrayProperties"]["statusSummary"]
            summary[before] -= 1
            summary[status] += 1
            self._roll_up(job.parent)
        if status in TERMINAL:
            self._ended.append(job)
            if len(self._ended) == 1:  # else the loop below goes on further up the stack
                self._release()

    def _roll_up(self, parent: Job) -> None:
        """An array's parent is PENDING from its first runnable child until all have ended."""
        summary = parent.detail["arrayProperties"]["statusSummary"]
        parent.detail["arrayProperties"]["statusSummaryLastUpdatedAt"] = now()
        if summary["SUCCEEDED"] + summary["FAILED"] < len(parent.children):
            if summary["PENDING"] < len(parent.children):
                self._set(parent, "PENDING")
        elif summary["FAILED"]:
            self._set(parent, "FAILED", parent.stop_reason or "Array Child Job failed")
        else:
            self._set(parent, "SUCCEEDED")

    def _release(self) -> None:
        """Lets the jobs go on that waited for one that has ended, or fails them with it.
        A loop, since a chain of dependencies may be 10,000 jobs long."""
        while self._ended:
            job = self._ended[0]
            for dependent in job.dependents:
                dependent.waits_for.discard(job.identity)
                if job.status == "FAILED":
                    self._set(dependent, "FAILED", "Dependent Job failed")
                elif not dependent.waits_for and dependent.status == "PENDING":
                    self._make_runnable(dependent)
            job.dependents = []
            self._ended.pop(0)

    def _make_runnable(self, job: Job, first: bool = False) -> None:
        self._set(job, "RUNNABLE")
        line = self._runnable.setdefault((job.records.scope, job.queue), collections.deque())
        line.appendleft(job) if first else line.append(job)
        self._store.changed.notify_all()

    def _next(self):
        """The job to start now and its compute environment, or None."""
        if self._closed or len(self._running) >= self._settings.slots:
            return None
        lines = []
        for (scope, name), line in self._runnable.items():
            queue = self._store.of(scope).queues.get(name)
            if queue and queue["status"] == "VALID":
                lines.append((-queue["priority"], queue, line))
        for _, queue, line in sorted(lines, key=lambda entry: entry[0]):
            while line and line[0].status != "RUNNABLE":
                line.popleft()
            if line:
                environment = self._fitting(line[0].records, queue, line[0].requirement("VCPU"))
                if environment:
                    return line.popleft(), environment
        return None

    @staticmethod
    def _fitting(records: Records, queue: dict, vcpus: float) -> str | None:
        for entry in queue["computeEnvironmentOrder"]:
            environment = records.environment(entry["computeEnvironment"])
            name = environment["computeEnvironmentName"]
            room = environment["computeResources"]["maxvCpus"] - records.vcpus.get(name, 0)
            if environment["state"] == "ENABLED" and vcpus <= room:
                return name
        return None

    # The scheduler's own threads.

    def _run(self):
        with self._store.lock:
            while True:
                found = self._next()
                if found is None:
                    self._store.changed.wait()
                    continue
                job, environment = found
                self._running.add(job)
                records = job.records
                records.vcpus[environment] = records.vcpus.get(environment, 0) + job.requirement("VCPU")
                self._set(job, "STARTING")
                threading.Thread(target=self._attempt, args=(job, environment),
                                 name=f"batch-{job.identity[:8]}", daemon=True).start()

    def _attempt(self, job: Job, environment: str):
        def started(process):
            with self._store.lock:
                job.process = process
                self._set(job, "RUNNING")
                if self._closed:
                    process.lose("the emulator stops")
                elif job.stop_reason is not None:
                    process.stop()

        try:
            record, outcome = attempt.run(self._settings, job, environment, started)
        except Exception as error:  # a mistake of the launcher's own must not leave the job RUNNING for ever
            _log.exception("attempt of job %s", job.identity)
            record, outcome = {"container": {}}, retry.Outcome(None, retry.NOT_STARTED, f"the emulator failed: {error}")
        with self._store.lock:
            job.process = None
            self._running.discard(job)
            job.records.vcpus[environment] -= job.requirement("VCPU")
            self._finish(job, record, outcome)
            self._store.changed.notify_all()

    def _finish(self, job: Job, record: dict, outcome: retry.Outcome) -> None:
        attempts = job.detail["attempts"]
        attempts.append(record)
        for name in ("exitCode", "reason"):
            job.detail["container"].pop(name, None)
        job.detail["container"] |= record["container"]
        if job.stop_reason is not None:
            record["statusReason"] = job.stop_reason
            self._set(job, "FAILED", job.stop_reason)
        elif outcome.exit_code == 0 and outcome.status_reason == retry.EXITED:
            self._set(job, "SUCCEEDED", outcome.status_reason)
        elif retry.again(outcome, job.detail["retryStrategy"], len(attempts)) and not self._closed:
            self._make_runnable(job, first=True)
        else:
            self._set(job, "FAILED", outcome.status_reason)
