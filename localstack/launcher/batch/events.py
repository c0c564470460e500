"""'Batch Job State Change' events on EventBridge's default bus.

https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html: every change of
state but the submission itself; the detail resembles JobDetail.
"""

import json
import logging
import queue
import threading

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from .job import Job

_log = logging.getLogger("supermax.batch")


class Publisher:
    """Delivers events in the order of the changes, on a thread of its own: a target may be
    a function that calls Batch, which must not wait for itself."""

    def __init__(self):
        self._events: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=self._run, name="batch-events", daemon=True).start()

    def changed(self, job: Job) -> None:
        """Called under Store.lock right after a change of state."""
        detail = job.snapshot()
        # Not in the documented event, so nothing may come to rely on them here.
        for name in ("isCancelled", "isTerminated"):
            detail.pop(name, None)
        detail["tags"] = {**detail["tags"], "resourceArn": detail["jobArn"]}
        self._events.put((job.records.scope, detail))

    def _run(self):
        while True:
            scope, detail = self._events.get()
            try:
                with request_scope(scope.account, scope.region):
                    eventbridge._put_events({"Entries": [{
                        "Source": "aws.batch", "DetailType": "Batch Job State Change",
                        "Detail": json.dumps(detail), "Resources": [detail["jobArn"]],
                    }]}, allow_aws_source=True)
            except Exception:
                _log.exception("event of job %s", detail["jobId"])
