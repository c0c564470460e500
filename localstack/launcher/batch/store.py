"""The records of Batch by account and region, and the one lock over them."""

import dataclasses
import re
import threading

from ministack.core.responses import get_account_id, get_region

from .errors import ClientError, NotFound

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}\Z")


@dataclasses.dataclass(frozen=True)
class Scope:
    """Whose records: an account and a region of it."""

    account: str
    region: str

    def arn(self, resource: str) -> str:
        return f"arn:aws:batch:{self.region}:{self.account}:{resource}"

    def name_in(self, reference: str, kind: str) -> str:
        """The name in a reference, which is a name or an ARN of this scope."""
        if not reference.startswith("arn:"):
            return reference
        start = self.arn(kind + "/")
        if not reference.startswith(start):
            raise ClientError(f"{reference} is no {kind} of account {self.account} in {self.region}")
        return reference[len(start):]


class Records:
    """What one account has in one region. Every field is guarded by Store.lock."""

    def __init__(self, scope: Scope):
        self.scope = scope
        self.environments: dict[str, dict] = {}  # ComputeEnvironmentDetail by name
        self.queues: dict[str, dict] = {}  # JobQueueDetail by name
        self.definitions: dict[str, list] = {}  # JobDefinition revisions by name, oldest first
        self.jobs: dict = {}  # Job by id, in order of submission
        self.vcpus: dict[str, float] = {}  # in use, by compute environment

    def queue(self, reference: str) -> dict:
        name = self.scope.name_in(reference, "job-queue")
        if name not in self.queues:
            raise NotFound(f"JobQueue {reference} not found")
        return self.queues[name]

    def environment(self, reference: str) -> dict:
        name = self.scope.name_in(reference, "compute-environment")
        if name not in self.environments:
            raise NotFound(f"ComputeEnvironment {reference} not found")
        return self.environments[name]

    def definition(self, reference: str) -> dict:
        """The revision named by name, name:revision or ARN; the newest active one without a revision."""
        name, _, revision = self.scope.name_in(reference, "job-definition").partition(":")
        active = [d for d in self.definitions.get(name, []) if d["status"] == "ACTIVE"]
        if revision:
            active = [d for d in active if str(d["revision"]) == revision]
        if not active:
            raise NotFound(f"JobDefinition {reference} not found or INACTIVE")
        return active[-1]

    def job(self, identity: str):
        if identity not in self.jobs:
            raise NotFound(f"Job {identity} does not exist")
        return self.jobs[identity]


class Store:
    """All records. `changed` is notified when the scheduler may have something to do."""

    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._records: dict[Scope, Records] = {}

    def here(self) -> Records:
        """The records of the account and region of the current request."""
        return self.of(Scope(get_account_id(), get_region()))

    def of(self, scope: Scope) -> Records:
        with self.lock:
            if scope not in self._records:
                self._records[scope] = Records(scope)
            return self._records[scope]

    def every(self) -> list[Records]:
        with self.lock:
            return list(self._records.values())

    def clear(self) -> None:
        with self.lock:
            self._records.clear()


def checked_name(value: str, place: str) -> str:
    if not NAME.match(value):
        raise ClientError(f"{place} {value[:200]!r} must be 1 to 128 letters, digits, hyphens and underscores, "
                          "the first a letter or a digit")
    return value
