"""Step Functions as AWS runs them where ministack does not: batch:submitJob, an abort or a
failed branch that stops its siblings and their jobs, retries that honour MaxDelaySeconds
and jitter, an execution's name as an idempotency token, a history that holds the states
inside a Map.

Functions of ministack's module are replaced by name; it looks them up when it calls them.
"""

import copy
import functools
import json
import random
import threading

from ministack.core.responses import json_response, now_iso
from ministack.services import stepfunctions as sf

from . import scope
from .batch.api import Batch
from .batch.errors import ClientError
from .batch.job import TERMINAL

_POLL = 0.2  # seconds between looks at whether the execution goes on

# Members whose keys are a caller's own words, not Batch's.
_MAPS = ("parameters", "tags", "options")


def install(batch: Batch) -> None:
    """Replaces what is said above; once, before the first execution."""
    sf._SERVICE_DISPATCH["arn:aws:states:::batch:submitJob"] = functools.partial(_submit, batch)
    executions: dict[str, scope.Scope] = {}
    sf._run_execution = _in_scope(sf._run_execution, executions)
    sf._stop_execution = _cancelling(sf._stop_execution, executions)
    sf._run_map_items = _below(sf._run_map_items)
    sf._run_parallel_branches = _below(sf._run_parallel_branches)
    sf._run_sub_machine = _run_branch
    sf._invoke_resource_with_timeout = _cancelled_on_timeout(sf._invoke_resource_with_timeout)
    sf._scaled_sleep = lambda seconds: scope.current().sleep(max(0, seconds) * sf._SFN_WAIT_SCALE)
    sf._fail_execution = _only_running(sf._fail_execution)
    sf._find_matching_retrier = _delayed(sf._find_matching_retrier)
    sf._start_execution = _idempotent(sf._start_execution)
    sf._add_event = _locked(sf._add_event)
    # AWS gives an expression one second of its own machines; a busy laptop is no error.
    parse = sf.jsonata.Jsonata.jsonata
    sf.jsonata.Jsonata.jsonata = lambda expression, timeout=None: parse(expression, timeout=60_000)


def _submit(batch: Batch, resource: str, arguments: dict):
    """batch:submitJob, and with .sync the wait for the job's end."""
    sync = resource.endswith(".sync")
    request = _to_batch(arguments)
    if sync:
        overrides = request.setdefault("containerOverrides", {})
        overrides["environment"] = [*overrides.get("environment", []),
                                    {"name": "MANAGED_BY_AWS", "value": "STARTED_BY_STEP_FUNCTIONS"}]
    try:
        submitted = batch.call("SubmitJob", request)
    except ClientError as error:
        raise sf._ExecutionError("Batch.ClientException", f"{error} (Service: AWSBatch; Status Code: 400)") from None
    if not sync:
        return _from_batch(submitted)
    while True:
        detail = batch.wait(submitted["jobId"], _POLL)
        if detail["status"] in TERMINAL:
            break
        try:
            scope.current().check()
        except scope.Cancelled:
            batch.call("TerminateJob", {"jobId": submitted["jobId"], "reason": "Terminated by Step Functions"})
            raise
    result = _from_batch(detail)
    if detail["status"] == "FAILED":
        raise sf._ExecutionError("States.TaskFailed", json.dumps(result))
    return result


def _to_batch(value, own_keys=False):
    """Arguments (JobName, whole numbers perhaps as 4.0) as Batch's request (jobName, 4)."""
    if isinstance(value, dict):
        return {name if own_keys else name[:1].lower() + name[1:]:
                _to_batch(member, name.lower() in _MAPS) for name, member in value.items()}
    if isinstance(value, list):
        return [_to_batch(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_batch(value, own_keys=False):
    if isinstance(value, dict):
        return {name if own_keys else name[:1].upper() + name[1:]:
                _from_batch(member, name in _MAPS) for name, member in value.items()}
    return [_from_batch(member) for member in value] if isinstance(value, list) else value


def _in_scope(run, executions):
    def run_execution(arn):
        with scope.within() as own:
            executions[arn] = own
            execution = sf._executions.get(arn)
            if execution and execution["status"] != "RUNNING":
                own.cancel()
            try:
                run(arn)
            except scope.Cancelled:
                pass  # stopped: StopExecution has written the end
            finally:
                executions.pop(arn, None)
    return run_execution


def _cancelling(stop, executions):
    def stop_execution(data):
        answer = stop(data)
        if answer[0] == 200 and data.get("executionArn") in executions:
            executions[data["executionArn"]].cancel()
        return answer
    return stop_execution


def _below(run):
    def run_branches(*arguments):
        with scope.within():
            return run(*arguments)
    return run_branches


def _cancelled_on_timeout(invoke):
    def invoke_resource(resource, data, timeout):
        with scope.within() as own:
            try:
                return invoke(resource, data, timeout)
            except sf._ExecutionError:
                own.cancel()
                raise
    return invoke_resource


def _run_branch(states, start_at, data, execution, context):
    """Walks the states of a Map's item or a Parallel's branch. An error that no state catches
    stops the other branches too."""
    try:
        return _walk(states, start_at, copy.deepcopy(data), execution, context)
    except scope.Cancelled:
        return None  # whoever cancelled says what becomes of the whole
    except BaseException:
        scope.current().cancel()
        raise


def _walk(states, name, data, execution, context):
    while name:
        scope.current().check()
        state = states.get(name)
        if state is None:
            raise sf._ExecutionError("States.Runtime", f"State '{name}' not found")
        kind = state.get("Type")
        context["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
        sf._add_event(execution, f"{kind}StateEntered",
                      {"stateEnteredEventDetails": {"name": name, "input": json.dumps(data)}})
        if kind == "Fail":
            raise sf._ExecutionError(*sf._fail_state_error(state, data, context))
        if kind == "Succeed":
            data, following = sf._execute_pass({**state, "End": True}, data, context)
        elif kind in ("Task", "Parallel", "Map"):
            data, following = getattr(sf, f"_execute_{kind.lower()}")(state, data, execution, context)
        elif kind in ("Pass", "Choice", "Wait"):
            data, following = getattr(sf, f"_execute_{kind.lower()}")(state, data, context)
        else:
            raise sf._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
        sf._add_event(execution, f"{kind}StateExited",
                      {"stateExitedEventDetails": {"name": name, "output": json.dumps(data)}})
        name = following
    return data


def _only_running(fail):
    def fail_execution(execution, error, cause):
        if execution["status"] == "RUNNING":  # what fails after a stop stays ABORTED
            fail(execution, error, cause)
    return fail_execution


def _delayed(find):
    """A retrier's delay as AWS computes it, put so that ministack's formula yields it."""
    def find_retrier(retriers, error, counts):
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return retrier, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay *= random.random()
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index
    return find_retrier


def _idempotent(start):
    """A second StartExecution of a running name with the same input answers as the first did."""
    def start_execution(data):
        arn = sf._resolve_state_machine_arn(data.get("stateMachineArn", "").split("#")[0])
        if arn and data.get("name"):
            known = sf._executions.get(arn.replace(":stateMachine:", ":execution:") + ":" + data["name"])
            if known and known["status"] == "RUNNING" and known["input"] == data.get("input", "{}"):
                return json_response({"executionArn": known["executionArn"], "startDate": known["startDate"]})
        return start(data)
    return start_execution


def _locked(add):
    lock = threading.Lock()

    def add_event(execution, kind, details=None):
        with lock:  # branches add in parallel, and an event's id is its place
            return add(execution, kind, details)
    return add_event
