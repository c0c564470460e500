"""What the launcher changes in ministack for speed: the answers stay the same."""

import json
import time
import unittest

from .support import client, function, name, until


class Functions(unittest.TestCase):
    def test_all_lines_are_in_the_log_without_a_wait(self):
        made = function("def handle(event):\n    [print('line', i, flush=True) for i in range(event['n'])]\n    return 1")
        invoke = client("lambda").invoke
        invoke(FunctionName=made, Payload=b'{"n": 0}')
        times = []
        for count in (0, 1, 200):
            began = time.monotonic()
            invoke(FunctionName=made, Payload=json.dumps({"n": count}))
            times.append(time.monotonic() - began)
        self.assertLess(min(times), 0.04)  # ministack's own: 0.09
        group = "/aws/lambda/" + made

        def lines():
            events = client("logs").filter_log_events(logGroupName=group)["events"]
            return [e["message"] for e in events if e["message"].startswith("line")]
        self.assertEqual(len(until(lambda: len(found := lines()) >= 201 and found)), 201)

    def test_metrics_in_a_functions_log_are_metrics(self):
        made, study = function("def handle(event):\n    print(json.dumps(event), flush=True)"), name("study")
        document = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
            {"Namespace": "Supermax", "Dimensions": [["Study"]], "Metrics": [{"Name": "Trials", "Unit": "Count"}]}]},
            "Study": study, "Trials": 3}
        for _ in range(2):
            client("lambda").invoke(FunctionName=made, Payload=json.dumps(document))
        now = time.time()
        found = client("cloudwatch").get_metric_statistics(
            Namespace="Supermax", MetricName="Trials", Dimensions=[{"Name": "Study", "Value": study}],
            StartTime=now - 60, EndTime=now + 60, Period=300, Statistics=["Sum"])["Datapoints"]
        self.assertEqual(sum(point["Sum"] for point in found), 6)


class Queries(unittest.TestCase):
    """Each query against the same one written so that the launcher does not narrow it."""

    @classmethod
    def setUpClass(cls):
        cls.table = name("table")
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName=cls.table, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")])
        keys = [f"E#{i:04d}" for i in range(0, 60, 2)] + ["S#1", "S#2", "é", "\U0001f600", "z"]
        for key in keys:
            dynamodb.batch_write_item(RequestItems={cls.table: [
                {"PutRequest": {"Item": {"pk": {"S": partition}, "sk": {"S": key}}}} for partition in ("a", "b")]})

    def pages(self, condition, values, **more):
        """All pages of a query: their keys and whether each has a successor."""
        request = {"TableName": self.table, "KeyConditionExpression": condition,
                   "ExpressionAttributeValues": {k: {"S": v} for k, v in values.items()}, **more}
        pages = []
        while True:
            answer = client("dynamodb").query(**request)
            pages.append(([item["sk"]["S"] for item in answer["Items"]], answer.get("LastEvaluatedKey")))
            if "LastEvaluatedKey" not in answer:
                return pages
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def test_narrowed_answers_are_the_same(self):
        for bound, values in (("sk >= :x", {":x": "E#0021"}), ("sk > :x", {":x": "E#0022"}), ("sk < :x", {":x": "E#0005"}),
                              ("sk <= :x", {":x": "é"}), ("sk = :x", {":x": "S#1"}), ("begins_with(sk, :x)", {":x": "S#"}),
                              ("sk BETWEEN :x AND :y", {":x": "E#0010", ":y": "S#1"}), ("sk >= :x", {":x": "zz"})):
            for more in ({}, {"Limit": 4}, {"ScanIndexForward": False}, {"ScanIndexForward": False, "Limit": 3}):
                with self.subTest(bound, **more):
                    values = {":p": "a", **values}
                    # The order of the two conditions is free in AWS; only the usual one is narrowed.
                    plain = self.pages(f"{bound} AND pk = :p", values, **more)
                    self.assertEqual(self.pages(f"pk = :p AND {bound}", values, **more), plain)
