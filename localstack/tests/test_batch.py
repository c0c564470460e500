"""The life of jobs, seen through AWS's own client."""

import os
import signal
import time
import unittest

import botocore.exceptions

from .support import admin, client, define, detail, ended, in_state, log, make_queue, queue, submit, until


class Jobs(unittest.TestCase):
    def test_a_job_succeeds(self):
        job = ended(submit(define("echo $GREETING; echo $A_SECRET_OF_THE_SHELL-none", {"GREETING": "hello"})))
        self.assertEqual(job["status"], "SUCCEEDED")
        self.assertEqual(job["statusReason"], "Essential container in task exited")
        self.assertEqual(job["container"]["exitCode"], 0)
        self.assertEqual(len(job["attempts"]), 1)
        self.assertLessEqual(job["createdAt"], job["startedAt"])
        self.assertLessEqual(job["startedAt"], job["stoppedAt"])
        self.assertEqual(log(job["jobId"]), "hello\n-none")

    def test_a_job_sees_what_batch_gives(self):
        job = ended(submit(define("env", {"OWN": "1"})))
        seen = dict(line.split("=", 1) for line in log(job["jobId"]).splitlines() if "=" in line)
        self.assertEqual(seen["AWS_BATCH_JOB_ID"], job["jobId"])
        self.assertEqual(seen["AWS_BATCH_JOB_ATTEMPT"], "1")
        self.assertEqual(seen["AWS_BATCH_JQ_NAME"], queue().split("/")[1])
        self.assertTrue(seen["PATH"].split(":")[0].endswith("/bin"))
        self.assertNotIn("SUPERMAX_LOCALSTACK_PORT", seen)
        self.assertNotIn("AWS_REGION", seen)  # as with EC2 launch type
        self.assertNotIn("AWS_BATCH_JOB_ARRAY_INDEX", seen)

    def test_overrides_and_parameters(self):
        definition = define("unused", {"A": "1", "B": "1"}, parameters={"word": "default", "other": "kept"})
        job = ended(submit(definition, parameters={"word": "given"}, containerOverrides={
            "command": ["sh", "-c", "echo $0 $1 $A $B", "Ref::word", "Ref::other"],
            "environment": [{"name": "B", "value": "2"}]}))
        self.assertEqual(log(job["jobId"]), "given kept 1 2")

    def test_an_array_with_one_failing_child(self):
        definition = define('test "$AWS_BATCH_JOB_ARRAY_INDEX" != 2 || exit 7')
        parent = ended(submit(definition, arrayProperties={"size": 4}))
        self.assertEqual(parent["status"], "FAILED")
        summary = parent["arrayProperties"]["statusSummary"]
        self.assertEqual((summary["SUCCEEDED"], summary["FAILED"]), (3, 1))
        child = detail(parent["jobId"] + ":2")
        self.assertEqual(child["container"]["exitCode"], 7)
        self.assertEqual(child["arrayProperties"], {"index": 2})
        found = client("batch").list_jobs(arrayJobId=parent["jobId"], jobStatus="FAILED")["jobSummaryList"]
        self.assertEqual([job["jobId"] for job in found], [parent["jobId"] + ":2"])

    def test_an_exit_code_of_a_killed_process(self):
        job = submit(define("sleep 60"))
        in_state(job, "RUNNING")
        pid = next(p["pid"] for p in admin("GET", "processes")["processes"] if p["jobId"] == job)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(ended(job)["container"]["exitCode"], 137)

    def test_a_command_that_is_not_there(self):
        definition = define("true", retryStrategy={"attempts": 2, "evaluateOnExit": [
            {"onReason": "CannotStart*", "action": "EXIT"}]})
        job = ended(submit(definition, containerOverrides={"command": ["no-such-program"]}))
        self.assertEqual((job["status"], job["statusReason"]), ("FAILED", "Task failed to start"))
        self.assertIn("CannotStartContainerError", job["container"]["reason"])
        self.assertNotIn("exitCode", job["container"])

    def test_grandchildren_end_with_their_job(self):
        job = ended(submit(define("sleep 300 & echo $!")))
        pid = int(log(job["jobId"]))
        until(lambda: not _alive(pid))


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Retries(unittest.TestCase):
    def rules(self, attempts, *rules):
        return {"retryStrategy": {"attempts": attempts, "evaluateOnExit": list(rules)}}

    def test_without_rules_every_failure_is_retried(self):
        job = ended(submit(define('echo $AWS_BATCH_JOB_ATTEMPT; test "$AWS_BATCH_JOB_ATTEMPT" = 3',
                                  retryStrategy={"attempts": 3})))
        self.assertEqual(job["status"], "SUCCEEDED")
        self.assertEqual([a["container"]["exitCode"] for a in job["attempts"]], [1, 1, 0])
        self.assertEqual(log(job["jobId"], 2), "2")

    def test_the_first_rule_that_matches_decides(self):
        more = self.rules(5, {"onExitCode": "4*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"})
        job = ended(submit(define('test "$AWS_BATCH_JOB_ATTEMPT" = 1 && exit 42; exit 5', **more)))
        self.assertEqual([a["container"]["exitCode"] for a in job["attempts"]], [42, 5])
        self.assertEqual(job["status"], "FAILED")

    def test_no_rule_that_matches_means_again(self):
        job = ended(submit(define("exit 3", **self.rules(2, {"onExitCode": "9", "action": "exit"}))))
        self.assertEqual(len(job["attempts"]), 2)

    def test_a_lost_host_is_retried_by_its_reason(self):
        more = self.rules(3, {"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"})
        job = submit(define('test "$AWS_BATCH_JOB_ATTEMPT" = 2 || sleep 60', **more), jobQueue=make_queue(1))
        in_state(job, "RUNNING")
        until(lambda: job in [p["jobId"] for p in admin("POST", "interrupt", {"count": 6, "seconds": 0})["processes"]])
        done = ended(job)
        self.assertEqual(done["status"], "SUCCEEDED")
        self.assertRegex(done["attempts"][0]["statusReason"], r"^Host EC2 \(instance i-\w+\) terminated\.$")
        self.assertNotIn("exitCode", done["attempts"][0]["container"])

    def test_time_is_up_once_and_for_all(self):
        job = ended(submit(define("exec sleep 60", timeout={"attemptDurationSeconds": 1}, retryStrategy={"attempts": 3})))
        self.assertEqual((job["status"], job["statusReason"]), ("FAILED", "Job attempt duration exceeded timeout"))
        self.assertEqual([a["container"]["exitCode"] for a in job["attempts"]], [143])


class Stopping(unittest.TestCase):
    def test_terminate_gives_time_to_end(self):
        job = submit(define("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done",
                            retryStrategy={"attempts": 3}))
        in_state(job, "RUNNING")
        time.sleep(0.3)  # for the trap
        client("batch").terminate_job(jobId=job, reason="no longer wanted")
        done = ended(job)
        self.assertEqual((done["status"], done["statusReason"], done["isTerminated"]), ("FAILED", "no longer wanted", True))
        self.assertEqual(len(done["attempts"]), 1)
        self.assertEqual(log(job), "up\nbye")

    def test_terminate_kills_who_does_not_listen(self):
        job = submit(define("trap '' TERM; while :; do sleep 0.1; done"))
        in_state(job, "RUNNING")
        time.sleep(0.3)
        began = time.monotonic()
        client("batch").terminate_job(jobId=job, reason="now")
        self.assertEqual(ended(job)["container"]["exitCode"], 137)
        self.assertGreater(time.monotonic() - began, 0.9)  # BATCH_LOCAL_STOP_SECONDS=1

    def test_cancel_reaches_only_what_has_not_started(self):
        small = make_queue(1)
        first, second = (submit(define("exec sleep 60"), jobQueue=small) for _ in range(2))
        in_state(first, "RUNNING")
        in_state(second, "RUNNABLE")
        for job in (first, second):
            client("batch").cancel_job(jobId=job, reason="changed my mind")
        self.assertEqual(ended(second)["statusReason"], "changed my mind")
        self.assertTrue(detail(second)["isCancelled"])
        self.assertEqual(detail(first)["status"], "RUNNING")
        client("batch").terminate_job(jobId=first, reason="end")
        ended(first)

    def test_terminating_an_array_ends_its_children(self):
        parent = submit(define("exec sleep 60"), arrayProperties={"size": 3}, jobQueue=make_queue(2))
        in_state(parent + ":1", "RUNNING")
        client("batch").terminate_job(jobId=parent, reason="enough")
        done = ended(parent)
        self.assertEqual((done["status"], done["statusReason"]), ("FAILED", "enough"))
        self.assertEqual(done["arrayProperties"]["statusSummary"]["FAILED"], 3)
        self.assertEqual(len(detail(parent + ":2")["attempts"]), 0)


class Dependencies(unittest.TestCase):
    def test_a_job_waits_for_another(self):
        first = submit(define("sleep 0.3"))
        second = submit(define("true"), dependsOn=[{"jobId": first}])
        self.assertEqual(detail(second)["status"], "PENDING")
        self.assertGreaterEqual(ended(second)["startedAt"], ended(first)["stoppedAt"])

    def test_a_failure_fails_what_depends_on_it(self):
        first = submit(define("sleep 0.3; exit 1"))
        second = submit(define("true"), dependsOn=[{"jobId": first}])
        third = submit(define("true"), arrayProperties={"size": 2}, dependsOn=[{"jobId": second, "type": "SEQUENTIAL"}])
        self.assertEqual(ended(second)["statusReason"], "Dependent Job failed")
        self.assertEqual(ended(third)["status"], "FAILED")

    def test_a_sequential_array_runs_one_by_one(self):
        parent = ended(submit(define("sleep 0.1"), arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}]))
        self.assertEqual(parent["status"], "SUCCEEDED")
        times = [detail(f"{parent['jobId']}:{i}") for i in range(3)]
        self.assertLessEqual(times[0]["stoppedAt"], times[1]["startedAt"])
        self.assertLessEqual(times[1]["stoppedAt"], times[2]["startedAt"])

    def test_a_long_chain_that_fails_needs_no_stack(self):
        parent = submit(define("exit 1"), arrayProperties={"size": 3000}, dependsOn=[{"type": "SEQUENTIAL"}])
        self.assertEqual(ended(parent, 30)["arrayProperties"]["statusSummary"]["FAILED"], 3000)

    def test_n_to_n(self):
        first = submit(define('test "$AWS_BATCH_JOB_ARRAY_INDEX" = 0 || sleep 0.5'), arrayProperties={"size": 2})
        second = submit(define("true"), arrayProperties={"size": 2}, dependsOn=[{"jobId": first, "type": "N_TO_N"}])
        self.assertEqual(ended(second + ":0")["status"], "SUCCEEDED")
        self.assertNotEqual(detail(first)["status"], "SUCCEEDED")
        self.assertEqual(ended(second)["status"], "SUCCEEDED")


class Refusals(unittest.TestCase):
    def refused(self, sentence, call, **request):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            getattr(client("batch"), call)(**request)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ClientException")
        self.assertIn(sentence, caught.exception.response["Error"]["Message"])

    def test_what_is_not_there_or_not_allowed(self):
        definition, good = define("true"), {"jobName": "x", "jobQueue": queue()}
        for sentence, call, request in (
            ("JobQueue nowhere not found", "submit_job", good | {"jobQueue": "nowhere", "jobDefinition": definition}),
            ("JobDefinition nothing not found", "submit_job", good | {"jobDefinition": "nothing"}),
            ("valid pattern", "submit_job", good | {"jobName": "../x", "jobDefinition": definition}),
            ("allowed are 2 to 10,000", "submit_job",
             good | {"jobDefinition": definition, "arrayProperties": {"size": 1}}),
            ("names with AWS_BATCH", "submit_job", good | {"jobDefinition": definition, "containerOverrides": {
                "environment": [{"name": "AWS_BATCH_X", "value": "1"}]}}),
            ("needs attempts beside it", "submit_job", good | {"jobDefinition": definition, "retryStrategy": {
                "evaluateOnExit": [{"onReason": "*", "action": "EXIT"}]}}),
            ("one * at its end", "submit_job", good | {"jobDefinition": definition, "retryStrategy": {
                "attempts": 2, "evaluateOnExit": [{"onReason": "a*b", "action": "EXIT"}]}}),
            ("larger than 30,720 bytes", "submit_job", good | {"jobDefinition": definition, "parameters": {
                "a": "b" * 31000}}),
            ("Job 123 does not exist", "terminate_job", {"jobId": "123", "reason": "x"}),
            ("must be DISABLED first", "delete_job_queue", {"jobQueue": queue()}),
            ("not part of this emulator", "list_scheduling_policies", {}),
        ):
            with self.subTest(sentence):
                self.refused(sentence, call, **request)

    def test_a_deregistered_revision_runs_no_more(self):
        definition = define("true")
        client("batch").deregister_job_definition(jobDefinition=definition)
        self.refused("INACTIVE", "submit_job", jobName="x", jobQueue=queue(), jobDefinition=definition)

    def test_a_disabled_queue_takes_no_jobs(self):
        disabled = make_queue(1)
        client("batch").update_job_queue(jobQueue=disabled, state="DISABLED")
        self.refused("DISABLED", "submit_job", jobName="x", jobQueue=disabled, jobDefinition=define("true"))


class Listing(unittest.TestCase):
    def test_filters_and_pages(self):
        own, definition = make_queue(4), define("true")
        batch = client("batch")
        for name in ("alpha-1", "alpha-2", "alpha-3", "beta-1"):
            ended(batch.submit_job(jobName=name, jobQueue=own, jobDefinition=definition)["jobId"])

        def names(**request):
            return [job["jobName"] for job in batch.list_jobs(jobQueue=own, **request)["jobSummaryList"]]
        self.assertEqual(names(), [])  # RUNNING is the default
        self.assertEqual(names(jobStatus="SUCCEEDED"), ["beta-1", "alpha-3", "alpha-2", "alpha-1"])
        self.assertEqual(names(filters=[{"name": "JOB_NAME", "values": ["ALPHA*"]}]), ["alpha-3", "alpha-2", "alpha-1"])
        page = batch.list_jobs(jobQueue=own, jobStatus="SUCCEEDED", maxResults=3)
        self.assertEqual(len(page["jobSummaryList"]), 3)
        self.assertEqual(names(jobStatus="SUCCEEDED", maxResults=3, nextToken=page["nextToken"]), ["alpha-1"])


class Queues(unittest.TestCase):
    def test_vcpus_bound_what_runs(self):
        own, definition = make_queue(2), define("exec sleep 60")
        jobs = [submit(definition, jobQueue=own) for _ in range(3)]
        in_state(jobs[1], "RUNNING")
        time.sleep(0.2)
        self.assertEqual(detail(jobs[2])["status"], "RUNNABLE")
        environment = client("batch").describe_job_queues(jobQueues=[own])["jobQueues"][0][
            "computeEnvironmentOrder"][0]["computeEnvironment"]
        client("batch").update_compute_environment(computeEnvironment=environment, computeResources={"maxvCpus": 3})
        in_state(jobs[2], "RUNNING")
        client("batch").update_job_queue(jobQueue=own, state="DISABLED")
        client("batch").delete_job_queue(jobQueue=own)
        for job in jobs:
            self.assertEqual(ended(job)["status"], "FAILED")
        client("batch").update_compute_environment(computeEnvironment=environment, state="DISABLED")
        client("batch").delete_compute_environment(computeEnvironment=environment)
        self.assertEqual(client("batch").describe_compute_environments(
            computeEnvironments=[environment])["computeEnvironments"], [])
