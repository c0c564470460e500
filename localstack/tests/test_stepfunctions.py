"""batch:submitJob in state machines, and what stops them."""

import json
import time
import unittest

import botocore.exceptions

from .support import client, define, ended, function, in_state, name, queue, until

ROLE = "arn:aws:iam::000000000000:role/states"


def machine(states: dict, start: str, language: str = "JSONata") -> str:
    definition = {"QueryLanguage": language, "StartAt": start, "States": states}
    return client("stepfunctions").create_state_machine(
        name=name("machine"), roleArn=ROLE, definition=json.dumps(definition))["stateMachineArn"]


def task(definition: str, sync: bool = True, **more) -> dict:
    arguments = {"JobName": "{% 'job-' & $string(1) %}", "JobQueue": queue(), "JobDefinition": definition}
    return {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob" + (".sync" if sync else ""),
            "Arguments": arguments | more.pop("arguments", {}), **more} | ({} if "Next" in more else {"End": True})


def run(arn: str, data: dict | None = None, execution: str | None = None) -> str:
    more = {"name": execution} if execution else {}
    return client("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(data or {}), **more)["executionArn"]


def finished(execution: str, seconds: float = 20) -> dict:
    return until(lambda: (d := client("stepfunctions").describe_execution(executionArn=execution))["status"]
                 != "RUNNING" and d, seconds)


def jobs(definition: str) -> list[dict]:
    found = client("batch").list_jobs(jobQueue=queue(), filters=[{"name": "JOB_DEFINITION", "values": [definition]}])
    return found["jobSummaryList"]


class Sync(unittest.TestCase):
    def test_success_gives_the_job(self):
        definition = define("echo $WHO")
        arn = machine({"Run": task(definition, arguments={
            "ArrayProperties": {"Size": "{% $states.input.slots * 1.0 %}"},
            "ContainerOverrides": {"Environment": [{"Name": "WHO", "Value": "{% $states.input.who %}"}]}})}, "Run")
        done = finished(run(arn, {"slots": 2, "who": "me"}))
        self.assertEqual(done["status"], "SUCCEEDED", done)
        output = json.loads(done["output"])
        self.assertEqual((output["Status"], output["ArrayProperties"]["Size"]), ("SUCCEEDED", 2))
        self.assertIn({"Name": "WHO", "Value": "me"}, output["Container"]["Environment"])
        self.assertIn({"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"},
                      output["Container"]["Environment"])

    def test_failure_is_caught_with_the_job_as_its_cause(self):
        run_it = task(define("exit 3"), Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught",
                                                "Output": "{% $parse($states.errorOutput.Cause) %}"}])
        done = finished(run(machine({"Run": run_it, "Caught": {"Type": "Succeed"}}, "Run")))
        job = json.loads(done["output"])
        self.assertEqual((job["Status"], job["Container"]["ExitCode"]), ("FAILED", 3))
        self.assertEqual(job["Attempts"][0]["Container"]["ExitCode"], 3)

    def test_without_sync_it_goes_on_at_once(self):
        definition = define("exec sleep 60")
        output = json.loads(finished(run(machine({"Run": task(definition, sync=False)}, "Run")))["output"])
        self.assertEqual(set(output), {"JobArn", "JobId", "JobName"})
        in_state(output["JobId"], "RUNNING")
        client("batch").terminate_job(jobId=output["JobId"], reason="end")
        ended(output["JobId"])

    def test_a_refused_submission_fails_the_task(self):
        done = finished(run(machine({"Run": task("no-such-definition")}, "Run")))
        self.assertEqual((done["status"], done["error"]), ("FAILED", "Batch.ClientException"))
        self.assertIn("no-such-definition", done["cause"])

    def test_a_timeout_terminates_the_job(self):
        definition = define("exec sleep 60")
        done = finished(run(machine({"Run": task(definition, TimeoutSeconds=1)}, "Run")))
        self.assertEqual((done["status"], done["error"]), ("FAILED", "States.Timeout"))
        self.assertEqual(ended(jobs(definition)[0]["jobId"])["statusReason"], "Terminated by Step Functions")


class Stopping(unittest.TestCase):
    def test_a_stop_reaches_the_jobs_of_every_branch(self):
        definition = define("exec sleep 60")
        catching = task(definition, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Run"}])
        states = {"All": {"Type": "Map", "Items": "{% [1, 2] %}", "End": True, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Run", "States": {"Run": catching}}}}
        execution = run(machine(states, "All"))
        until(lambda: [job["status"] for job in jobs(definition)] == ["RUNNING"] * 2)
        client("stepfunctions").stop_execution(executionArn=execution, error="Stop", cause="a person")
        for job in jobs(definition):
            self.assertEqual(ended(job["jobId"])["statusReason"], "Terminated by Step Functions")
        time.sleep(0.5)  # a branch that went on would submit again
        self.assertEqual(len(jobs(definition)), 2)
        done = client("stepfunctions").describe_execution(executionArn=execution)
        self.assertEqual((done["status"], done["cause"]), ("ABORTED", "a person"))

    def test_a_failed_branch_stops_the_others(self):
        definition = define("exec sleep 60")
        states = {"All": {"Type": "Map", "Items": "{% [1, 2] %}", "End": True, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Which", "States": {
                "Which": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input = 1 %}", "Next": "Run"}],
                          "Default": "Pause"},
                "Run": task(definition), "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Bad"},
                "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "on purpose"}}}}}
        done = finished(run(machine(states, "All")))
        self.assertEqual((done["status"], done["error"]), ("FAILED", "Bad"))
        self.assertEqual(ended(jobs(definition)[0]["jobId"])["status"], "FAILED")

    def test_a_wait_ends_with_its_execution(self):
        execution = run(machine({"W": {"Type": "Wait", "Seconds": 60, "End": True}}, "W"))
        time.sleep(0.4)
        client("stepfunctions").stop_execution(executionArn=execution)
        time.sleep(0.2)
        events = client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        self.assertEqual(events[-1]["type"], "ExecutionAborted")


class Machines(unittest.TestCase):
    def test_a_name_starts_once(self):
        arn, execution = machine({"W": {"Type": "Wait", "Seconds": 1, "End": True}}, "W"), name("execution")
        first = run(arn, {"a": 1}, execution)
        self.assertEqual(run(arn, {"a": 1}, execution), first)
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            run(arn, {"a": 2}, execution)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ExecutionAlreadyExists")
        finished(first)
        with self.assertRaises(botocore.exceptions.ClientError):
            run(arn, {"a": 1}, execution)

    def test_retries_wait_no_longer_than_they_may(self):
        broken = function("def handle(event):\n    raise SystemExit(1)")
        retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 10, "MaxDelaySeconds": 1,
                 "MaxAttempts": 2}
        began = time.monotonic()
        done = finished(run(machine({"Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                                              "Arguments": {"FunctionName": broken, "Payload": {}},
                                              "Retry": [retry], "End": True}}, "Call")))
        self.assertEqual((done["status"], done["error"]), ("FAILED", "Runtime.ExitError"))
        self.assertLess(time.monotonic() - began, 8)

    def test_the_history_holds_the_states_of_a_map(self):
        states = {"All": {"Type": "Map", "Items": "{% [1, 2, 3] %}", "End": True, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "One", "States": {
                "One": {"Type": "Pass", "Next": "End"},
                "End": {"Type": "Succeed", "Output": "{% $states.input * 2 %}"}}}}}
        execution = run(machine(states, "All"))
        self.assertEqual(json.loads(finished(execution)["output"]), [2, 4, 6])
        events = client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        entered = [e["stateEnteredEventDetails"]["name"] for e in events if e["type"].endswith("StateEntered")]
        self.assertEqual(sorted(entered), sorted(["All"] + 3 * ["One", "End"]))
        self.assertEqual([e["id"] for e in events], list(range(1, len(events) + 1)))
