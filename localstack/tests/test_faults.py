"""Faults: that they happen, are counted, and are what AWS's clients would see."""

import json
import pathlib
import sys
import time
import unittest
import urllib.error

import botocore.exceptions

from .support import admin, client, define, detail, ended, function, in_state, name, submit, until


class Faults(unittest.TestCase):
    def tearDown(self):
        admin("DELETE", "faults")

    def plan(self, *rules, seed=7):
        return admin("POST", "faults", {"seed": seed, "rules": list(rules)})

    def counts(self):
        return [(rule["seen"], rule["injected"]) for rule in admin("GET", "faults")["rules"]]

    def error(self, call, **request):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**request)
        return caught.exception.response["Error"]["Code"], caught.exception.response["ResponseMetadata"]["HTTPStatusCode"]

    def test_a_share_of_a_functions_calls(self):
        made, other = (function("def handle(event):\n    return 'ok'") for _ in range(2))
        invoke = client("lambda").invoke

        def outcomes():
            self.plan({"service": "lambda", "fault": "before", "share": 0.5, "names": [made]})
            return [invoke(FunctionName=made, Payload=b"{}").get("FunctionError", "none") for _ in range(20)]
        first = outcomes()
        self.assertEqual(set(first), {"none", "Unhandled"})
        self.assertEqual(self.counts(), [(20, first.count("Unhandled"))])
        self.assertEqual(admin("GET", "faults")["injected"], {"lambda.before": first.count("Unhandled")})
        self.assertEqual(outcomes(), first)  # the same seed, the same dice
        self.assertNotIn("FunctionError", invoke(FunctionName=other, Payload=b"{}"))
        self.assertEqual(self.counts()[0][0], 20)

    def test_a_function_that_fails_after_it_ran(self):
        bucket = name("bucket")
        client("s3").create_bucket(Bucket=bucket)
        made = function(f"""
import urllib.request
def handle(event):
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/{bucket}/done", method="PUT"))
""")
        self.plan({"service": "lambda", "fault": "after", "share": 1, "names": [made]})
        answer = client("lambda").invoke(FunctionName=made, Payload=b"{}")
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(json.loads(answer["Payload"].read())["errorType"], "Runtime.ExitError")
        client("s3").head_object(Bucket=bucket, Key="done")

    def test_dynamodb(self):
        table = name("table")
        dynamodb = client("dynamodb")
        dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST",
                              KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])

        def put(key):
            return {"call": dynamodb.put_item, "TableName": table, "Item": {"pk": {"S": key}}}

        def there(key):
            return "Item" in dynamodb.get_item(TableName=table, Key={"pk": {"S": key}})
        rule = {"service": "dynamodb", "share": 1, "names": [table], "operations": ["PutItem"]}
        for fault, code, kept in (("throughput", "ProvisionedThroughputExceededException", False),
                                  ("throttling", "ThrottlingException", False),
                                  ("before", "InternalServerError", False), ("after", "InternalServerError", True)):
            with self.subTest(fault):
                self.plan({**rule, "fault": fault})
                self.assertEqual(self.error(**put(fault))[0], code)
                self.assertEqual(there(fault), kept)
                self.assertEqual(self.counts(), [(1, 1)])
        self.plan({**rule, "fault": "delay", "seconds": 0.3})
        began = time.monotonic()
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "late"}})
        self.assertGreater(time.monotonic() - began, 0.3)

    def test_s3(self):
        bucket, s3 = name("bucket"), client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 100_000)
        rule = {"service": "s3", "share": 1, "names": [bucket]}
        self.plan({**rule, "fault": "slow-down", "operations": ["GET"]})
        self.assertEqual(self.error(s3.get_object, Bucket=bucket, Key="k"), ("SlowDown", 503))
        self.plan({**rule, "fault": "after", "operations": ["PUT"]})
        self.assertEqual(self.error(s3.put_object, Bucket=bucket, Key="new", Body=b"y"), ("InternalError", 500))
        admin("DELETE", "faults")
        s3.head_object(Bucket=bucket, Key="new")
        self.plan({**rule, "fault": "slow", "seconds": 0.4, "operations": ["GET"]})
        began = time.monotonic()
        self.assertEqual(len(s3.get_object(Bucket=bucket, Key="k")["Body"].read()), 100_000)
        self.assertGreater(time.monotonic() - began, 0.4)
        self.plan({**rule, "fault": "truncate", "operations": ["GET"]})
        with self.assertRaises((botocore.exceptions.IncompleteReadError, botocore.exceptions.ResponseStreamingError)):
            s3.get_object(Bucket=bucket, Key="k")["Body"].read()
        self.assertEqual(self.counts(), [(1, 1)])

    def test_a_wrong_plan_changes_nothing(self):
        self.plan({"service": "s3", "fault": "slow-down", "share": 0, "names": ["kept"]})
        for plan, sentence in (
            ({"rules": [{"service": "sqs", "fault": "before", "share": 1}]}, "rules[0]: service is 'sqs'"),
            ({"rules": [{"service": "s3", "fault": "explode", "share": 1}]}, "rules[0]: fault of s3 is 'explode'"),
            ({"rules": [{"service": "s3", "fault": "before", "share": 2}]}, "rules[0]: share is 2"),
            ({"rules": [{"service": "s3", "fault": "before"}]}, "a rule has service, fault, share"),
            ({"seeds": 1, "rules": []}, "a plan is"),
        ):
            with self.subTest(sentence), self.assertRaises(urllib.error.HTTPError) as caught:
                admin("POST", "faults", plan)
            self.assertIn(sentence, json.load(caught.exception)["message"])
        self.assertEqual(admin("GET", "faults")["rules"][0]["names"], ["kept"])


class Processes(unittest.TestCase):
    def test_kill(self):
        job = submit(define("exec sleep 60"))
        in_state(job, "RUNNING")
        # Other tests of this run have ended; theirs cannot be struck.
        struck = admin("POST", "kill", {"count": 1, "signal": "KILL"})["processes"]
        self.assertEqual([(p["jobId"], p["attempt"]) for p in struck], [(job, 1)])
        self.assertEqual(ended(job)["container"]["exitCode"], 137)
        self.assertEqual(admin("POST", "kill", {})["processes"], [])
        with self.assertRaises(urllib.error.HTTPError):
            admin("POST", "kill", {"signal": "NONE"})

    def test_a_spot_notice_reaches_the_instance_that_goes(self):
        script = """
import base64, os, time, urllib.parse, urllib.request
url = urllib.parse.urlsplit(os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"])
basic = {"Authorization": "Basic " + base64.b64encode((url.username + ":").encode()).decode()}
def get(path):
    request = urllib.request.Request(f"http://{url.hostname}:{url.port}/latest/meta-data/" + path, headers=basic)
    try:
        return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)
print(get("instance-id") == url.username, get("placement/region"), get("spot/instance-action"), flush=True)
while "terminate" not in get("spot/instance-action"):
    time.sleep(0.05)
print("notice", flush=True)
time.sleep(60)
"""
        job = submit(define("unused"), containerOverrides={"command": [sys.executable, "-c", script]})
        in_state(job, "RUNNING")
        log = admin("GET", "processes")["processes"][0]["log"]
        until(lambda: "404" in pathlib.Path(log).read_text())
        struck = admin("POST", "interrupt", {"count": 1, "seconds": 1})["processes"]
        done = ended(job)
        self.assertEqual(done["statusReason"], f"Host EC2 (instance {struck[0]['instance']}) terminated.")
        self.assertEqual(pathlib.Path(log).read_text().splitlines(), ["True us-east-1 404", "notice"])
        self.assertEqual(detail(job)["attempts"][0].get("container", {}).get("exitCode"), None)
