"""Batch's events, where EventBridge rules take them."""

import json
import unittest

from .support import client, define, ended, function, make_queue, name, submit, until


def sqs_rule(job_queue: str) -> str:
    """A queue that gets every event of a job queue's jobs; returns its URL."""
    sqs, made = client("sqs"), name("events")
    url = sqs.create_queue(QueueName=made)["QueueUrl"]
    client("events").put_rule(Name=made, EventPattern=json.dumps(
        {"source": ["aws.batch"], "detail-type": ["Batch Job State Change"], "detail": {"jobQueue": [job_queue]}}))
    client("events").put_targets(Rule=made, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:000000000000:{made}"}])
    return url


def received(url: str) -> list[dict]:
    messages = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


class Events(unittest.TestCase):
    def test_a_retried_job(self):
        own = make_queue(2)
        url = sqs_rule(own)
        job = submit(define('test "$AWS_BATCH_JOB_ATTEMPT" = 2', {"SUPERMAX_STUDY": "quickstart"},
                            retryStrategy={"attempts": 2}), jobQueue=own)
        events = []
        until(lambda: events.extend(received(url)) or (events and events[-1]["detail"]["status"] == "SUCCEEDED"))
        self.assertEqual([event["detail"]["status"] for event in events],
                         ["RUNNABLE", "STARTING", "RUNNING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"])
        first, again, last = events[0], events[3], events[-1]
        self.assertEqual((first["source"], first["detail-type"]), ("aws.batch", "Batch Job State Change"))
        self.assertEqual(first["resources"], [first["detail"]["jobArn"]])
        self.assertEqual(first["detail"]["attempts"], [])
        self.assertEqual([a["container"]["exitCode"] for a in again["detail"]["attempts"]], [1])
        self.assertEqual(again["detail"]["attempts"][0]["statusReason"], "Essential container in task exited")
        self.assertEqual(last["detail"]["container"]["exitCode"], 0)
        self.assertIn({"name": "SUPERMAX_STUDY", "value": "quickstart"}, last["detail"]["container"]["environment"])
        self.assertEqual(last["detail"]["jobId"], job)
        self.assertNotIn("isTerminated", last["detail"])

    def test_an_array(self):
        own = make_queue(2)
        url = sqs_rule(own)
        parent = submit(define("true"), arrayProperties={"size": 2}, jobQueue=own)
        events = []
        until(lambda: events.extend(received(url)) or any(
            e["detail"]["jobId"] == parent and e["detail"]["status"] == "SUCCEEDED" for e in events))
        of = {job: [e["detail"] for e in events if e["detail"]["jobId"] == job] for job in (parent, parent + ":1")}
        self.assertEqual([d["status"] for d in of[parent]], ["PENDING", "SUCCEEDED"])
        self.assertEqual(of[parent][-1]["arrayProperties"]["statusSummary"]["SUCCEEDED"], 2)
        self.assertEqual([d["status"] for d in of[parent + ":1"]], ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"])
        self.assertEqual(of[parent + ":1"][-1]["arrayProperties"], {"index": 1})

    def test_a_function_gets_the_event_of_a_terminated_job(self):
        bucket = name("bucket")
        client("s3").create_bucket(Bucket=bucket)
        handler = function(f"""
import os, urllib.request
def handle(event):
    url = os.environ["AWS_ENDPOINT_URL"] + "/{bucket}/" + event["detail"]["status"]
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=json.dumps(event).encode()))
""")
        own, rule = make_queue(1), name("rule")
        client("events").put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.batch"], "detail": {
            "jobQueue": [own], "status": ["RUNNING", "FAILED"]}}))
        client("events").put_targets(Rule=rule, Targets=[
            {"Id": "1", "Arn": f"arn:aws:lambda:us-east-1:000000000000:function:{handler}"}])
        job = submit(define("exec sleep 60"), jobQueue=own)
        until(lambda: "RUNNING" in keys(bucket))
        client("batch").terminate_job(jobId=job, reason="stopped by a person")
        ended(job)
        until(lambda: "FAILED" in keys(bucket))
        event = json.loads(client("s3").get_object(Bucket=bucket, Key="FAILED")["Body"].read())
        self.assertEqual(event["detail"]["statusReason"], "stopped by a person")
        self.assertEqual(event["detail"]["attempts"][0]["container"]["exitCode"], 143)


def keys(bucket: str) -> list[str]:
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
