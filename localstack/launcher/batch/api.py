"""The operations of AWS Batch, and the handler that ministack's router calls."""

import itertools
import json
import urllib.parse

from . import definitions, environments, errors, listing, model
from .errors import ClientError
from .job import Job, build
from .scheduler import Scheduler
from .store import Records, Store


class Batch:
    """Operations by their AWS names, each on the account and region of the current request.
    Safe for concurrent use: every one holds the store's lock and is short."""

    def __init__(self, store: Store, scheduler: Scheduler, minimum_timeout: int):
        self._store = store
        self._scheduler = scheduler
        self._minimum_timeout = minimum_timeout
        self._sequence = itertools.count(1)
        self._operations = {
            "CreateComputeEnvironment": environments.create_environment,
            "UpdateComputeEnvironment": self._then_schedule(environments.update_environment),
            "DeleteComputeEnvironment": environments.delete_environment,
            "DescribeComputeEnvironments": self._describe_environments,
            "CreateJobQueue": environments.create_queue,
            "UpdateJobQueue": self._then_schedule(environments.update_queue),
            "DeleteJobQueue": self._delete_queue,
            "DescribeJobQueues": self._describe_queues,
            "RegisterJobDefinition": lambda r, q: definitions.register(r, q, minimum_timeout),
            "DeregisterJobDefinition": definitions.deregister,
            "DescribeJobDefinitions": lambda r, q: definitions.describe(r, q, listing.pager(q)),
            "SubmitJob": self._submit,
            "DescribeJobs": self._describe_jobs,
            "ListJobs": listing.list_jobs,
            "TerminateJob": lambda r, q: self._stop(r, q, started_too=True),
            "CancelJob": lambda r, q: self._stop(r, q, started_too=False),
            "ListTagsForResource": lambda r, q: {"tags": dict(_tagged(r, q))},
            "TagResource": lambda r, q: _tagged(r, q).update(q["tags"]) or {},
            "UntagResource": lambda r, q: [_tagged(r, q).pop(k, None) for k in q["tagKeys"]] and {},
        }

    def call(self, operation: str, request: dict) -> dict:
        """Runs one operation; ClientError says what is wrong with the request."""
        if operation not in self._operations:
            raise ClientError(f"{operation} is not part of this emulator")
        model.check(operation, request)
        with self._store.lock:
            return self._operations[operation](self._store.here(), request)

    async def handle(self, method, path, headers, body, query_params):
        """ministack's handler of the service: (status, headers, body)."""
        try:
            operation, in_path = model.route(method, urllib.parse.unquote(path))
            request = json.loads(body) if body else {}
            if not isinstance(request, dict):
                raise ClientError("the body must be a JSON object")
            request |= in_path
            if "tagKeys" in query_params:
                request["tagKeys"] = query_params["tagKeys"]
            answer = self.call(operation, request)
        except json.JSONDecodeError as error:
            return errors.response(ClientError(f"the body is no JSON: {error}"))
        except ClientError as error:
            return errors.response(error)
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def reset(self) -> None:
        """Ends all processes and forgets all records."""
        with self._store.lock:
            self._scheduler.reset()
            self._store.clear()

    def job(self, identity: str) -> dict | None:
        """A job's detail, or None; for the services that wait for it."""
        with self._store.lock:
            job = self._store.here().jobs.get(identity)
            return job.snapshot() if job else None

    def wait(self, identity: str, seconds: float) -> dict:
        """Waits up to `seconds` for the end of a job and returns its detail. The lock is
        given back while it waits."""
        with self._store.changed:
            job = self._store.here().job(identity)
            self._store.changed.wait_for(lambda: job.ended, timeout=seconds)
            return job.snapshot()

    def _then_schedule(self, operation):
        def run(records, request):
            answer = operation(records, request)
            self._store.changed.notify_all()
            return answer
        return run

    def _describe_environments(self, records, request):
        return environments.describe(list(records.environments.values()), request.get("computeEnvironments") or [],
                                     "computeEnvironments", "computeEnvironmentName", listing.pager(request))

    def _describe_queues(self, records, request):
        return environments.describe(list(records.queues.values()), request.get("jobQueues") or [],
                                     "jobQueues", "jobQueueName", listing.pager(request))

    def _delete_queue(self, records: Records, request):
        queue = environments.check_deletable(records, request["jobQueue"])
        for job in list(records.jobs.values()):
            if job.queue == queue["jobQueueName"] and job.parent is None:
                self._scheduler.stop(job, "JobQueue was deleted", started_too=True)
        del records.queues[queue["jobQueueName"]]
        return {}

    def _submit(self, records: Records, request):
        jobs = build(records, request, self._minimum_timeout)
        _depend(records, jobs)
        for job in jobs:
            job.sequence = next(self._sequence)
            records.jobs[job.identity] = job
        self._scheduler.submit(jobs)
        return {"jobArn": jobs[0].detail["jobArn"], "jobName": request["jobName"], "jobId": jobs[0].identity}

    @staticmethod
    def _describe_jobs(records: Records, request):
        if len(request["jobs"]) > 100:
            raise ClientError(f"jobs has {len(request['jobs'])} ids; allowed are 100")
        return {"jobs": [records.jobs[i].snapshot() for i in request["jobs"] if i in records.jobs]}

    def _stop(self, records: Records, request, started_too: bool):
        self._scheduler.stop(records.job(request["jobId"]), request["reason"], started_too)
        return {}


def _depend(records: Records, jobs: list[Job]) -> None:
    """Notes for each job which others it waits for. A dependency that has failed already is refused."""
    runs = [job for job in jobs if not job.is_array]
    edges = []
    for wanted in jobs[0].detail["dependsOn"]:
        kind, identity = wanted.get("type"), wanted.get("jobId")
        if kind == "SEQUENTIAL" and not identity:
            if not jobs[0].is_array:
                raise ClientError("a SEQUENTIAL dependency needs an array job")
            edges += [(after, before) for before, after in itertools.pairwise(runs)]
            continue
        if not identity:
            raise ClientError("dependsOn needs a jobId")
        other = records.job(identity)
        if kind == "N_TO_N":
            if len(other.children) != len(runs) or not jobs[0].is_array:
                raise ClientError("an N_TO_N dependency needs two array jobs of one size")
            edges += list(zip(runs, other.children))
        else:
            edges += [(job, other) for job in runs]
    for _, other in edges:
        if other.status == "FAILED":
            raise ClientError(f"dependsOn: job {other.identity} has FAILED")
    for job, other in edges:
        if other.status != "SUCCEEDED":
            job.waits_for.add(other.identity)
            other.dependents.append(job)


def _tagged(records: Records, request) -> dict:
    arn = request["resourceArn"]
    everything = itertools.chain(
        ((e["computeEnvironmentArn"], e) for e in records.environments.values()),
        ((q["jobQueueArn"], q) for q in records.queues.values()),
        ((d["jobDefinitionArn"], d) for revisions in records.definitions.values() for d in revisions),
        ((j.detail["jobArn"], j.detail) for j in records.jobs.values()))
    for found, record in everything:
        if found == arn:
            return record["tags"]
    raise ClientError(f"{arn} not found")
