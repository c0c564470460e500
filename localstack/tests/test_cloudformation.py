"""Stacks with Batch's resources: create, update, delete, and what a template may not say."""

import json
import unittest

from launcher import check

from .support import client, name, until


def template(**changes) -> dict:
    resources = {
        "Environment": {"Type": "AWS::Batch::ComputeEnvironment", "Properties": {
            "Type": "MANAGED", "ReplaceComputeEnvironment": False,
            "UpdatePolicy": {"TerminateJobsOnUpdate": False, "JobExecutionTimeoutMinutes": "60"},
            "ComputeResources": {
                "Type": "SPOT", "MinvCpus": 0, "MaxvCpus": changes.get("vcpus", 8), "InstanceTypes": ["g5.xlarge"],
                "Subnets": ["subnet-1"], "InstanceRole": "role", "UpdateToLatestImageVersion": True,
                "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": 3}}}},
        "Queue": {"Type": "AWS::Batch::JobQueue", "Properties": {
            "Priority": changes.get("priority", "1"),
            "ComputeEnvironmentOrder": [{"Order": 1, "ComputeEnvironment": {"Ref": "Environment"}}],
            "JobStateTimeLimitActions": [{"State": "RUNNABLE", "Action": "CANCEL", "MaxTimeSeconds": 600,
                                          "Reason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"}]}},
        "Definition": {"Type": "AWS::Batch::JobDefinition", "Properties": {
            "Type": "container", "Timeout": {"AttemptDurationSeconds": 60}, "Parameters": {"Kept": "As it is"},
            "RetryStrategy": {"Attempts": 2, "EvaluateOnExit": [{"OnStatusReason": "Host EC2*", "Action": "RETRY"}]},
            "ContainerProperties": {"Image": "i", "Command": ["true"], **changes.get("container", {}), "Environment": [
                {"Name": "STUDY", "Value": changes.get("study", "a")}],
                "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "64"}]}}},
    }
    outputs = {"Environment": {"Ref": "Environment"}, "Queue": {"Fn::GetAtt": ["Queue", "JobQueueArn"]},
               "Definition": {"Ref": "Definition"}}
    return {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}


class Stack:
    def __init__(self, body: dict):
        self.name = name("stack")
        client("cloudformation").create_stack(StackName=self.name, TemplateBody=json.dumps(body))
        self.settled()

    def update(self, body: dict) -> str:
        client("cloudformation").update_stack(StackName=self.name, TemplateBody=json.dumps(body))
        return self.settled()

    def settled(self) -> str:
        def status():
            found = client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
            self.outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
            return not found["StackStatus"].endswith("IN_PROGRESS") and found["StackStatus"]
        self.status = until(status)
        return self.status

    def delete(self):
        client("cloudformation").delete_stack(StackName=self.name)
        until(lambda: all(s["StackName"] != self.name or s["StackStatus"] == "DELETE_COMPLETE"
                          for s in client("cloudformation").list_stacks()["StackSummaries"]))

    def reasons(self) -> str:
        events = client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return " | ".join(event.get("ResourceStatusReason", "") for event in events)


class BatchResources(unittest.TestCase):
    def test_the_life_of_a_stack(self):
        batch = client("batch")
        stack = Stack(template())
        self.assertEqual(stack.status, "CREATE_COMPLETE", stack.reasons())
        first = stack.outputs["Definition"]
        self.assertTrue(first.endswith(":1"), first)
        definition = batch.describe_job_definitions(jobDefinitions=[first])["jobDefinitions"][0]
        self.assertEqual(definition["parameters"], {"Kept": "As it is"})
        self.assertEqual(definition["retryStrategy"]["evaluateOnExit"],
                         [{"onStatusReason": "Host EC2*", "action": "RETRY"}])
        environment = self.environment(stack)
        self.assertEqual(environment["computeResources"]["launchTemplate"]["version"], "3")
        self.assertEqual(environment["updatePolicy"]["jobExecutionTimeoutMinutes"], 60)
        queue = batch.describe_job_queues(jobQueues=[stack.outputs["Queue"]])["jobQueues"][0]
        self.assertEqual(queue["computeEnvironmentOrder"],
                         [{"order": 1, "computeEnvironment": stack.outputs["Environment"]}])

        job = batch.submit_job(jobName="x", jobQueue=stack.outputs["Queue"], jobDefinition=first)["jobId"]
        until(lambda: batch.describe_jobs(jobs=[job])["jobs"][0]["status"] == "SUCCEEDED")

        self.assertEqual(stack.update(template(study="b", priority=5, vcpus=16)), "UPDATE_COMPLETE", stack.reasons())
        second = stack.outputs["Definition"]
        self.assertEqual(second, first[:-1] + "2")
        states = {d["revision"]: d["status"] for d in batch.describe_job_definitions(
            jobDefinitionName=definition["jobDefinitionName"])["jobDefinitions"]}
        self.assertEqual(states, {1: "INACTIVE", 2: "ACTIVE"})
        self.assertEqual(self.environment(stack)["computeEnvironmentArn"], environment["computeEnvironmentArn"])
        self.assertEqual(self.environment(stack)["computeResources"]["maxvCpus"], 16)
        queue = batch.describe_job_queues(jobQueues=[stack.outputs["Queue"]])["jobQueues"][0]
        self.assertEqual(queue["priority"], 5)

        stack.delete()
        self.assertEqual(batch.describe_job_queues(jobQueues=[stack.outputs["Queue"]])["jobQueues"], [])
        self.assertEqual(batch.describe_compute_environments(
            computeEnvironments=[stack.outputs["Environment"]])["computeEnvironments"], [])
        self.assertEqual(batch.describe_job_definitions(
            jobDefinitions=[second], status="ACTIVE")["jobDefinitions"], [])

    def environment(self, stack):
        return client("batch").describe_compute_environments(
            computeEnvironments=[stack.outputs["Environment"]])["computeEnvironments"][0]

    def test_an_unknown_property_fails_the_stack(self):
        stack = Stack(template(container={"Imgae": "typo"}))
        self.assertIn("ROLLBACK", stack.status)
        self.assertIn("unsupported property ContainerProperties.Imgae", stack.reasons())
        stack.delete()

    def test_a_failed_update_rolls_back(self):
        stack = Stack(template())
        before = stack.outputs["Definition"]
        body = template(study="b")
        body["Resources"]["Queue"]["Properties"]["Priority"] = "high"
        self.assertIn("ROLLBACK_COMPLETE", stack.update(body))
        active = client("batch").describe_job_definitions(
            jobDefinitionName=before.rsplit("/", 1)[1].split(":")[0], status="ACTIVE")["jobDefinitions"]
        self.assertEqual([d["containerProperties"]["environment"][0]["value"] for d in active], ["a"])
        stack.delete()


class NamedQueries(unittest.TestCase):
    def test_a_saved_query(self):
        def body(sql):
            return {"Resources": {
                "Group": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": group}},
                "Query": {"Type": "AWS::Athena::NamedQuery", "Properties": {
                    "Name": "best", "Database": "db", "QueryString": sql, "WorkGroup": {"Ref": "Group"}}}},
                "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Query", "NamedQueryId"]}}}}
        athena, group = client("athena"), name("group")
        stack = Stack(body("SELECT 1 AS one"))
        first = stack.outputs["Id"]
        self.assertEqual(athena.get_named_query(NamedQueryId=first)["NamedQuery"]["QueryString"], "SELECT 1 AS one")
        stack.update(body("SELECT 2 AS two"))
        self.assertEqual(athena.list_named_queries(WorkGroup=group)["NamedQueryIds"], [stack.outputs["Id"]])
        self.assertNotEqual(stack.outputs["Id"], first)
        stack.delete()
        self.assertEqual(athena.list_named_queries(WorkGroup=group)["NamedQueryIds"], [])


class Budgets(unittest.TestCase):
    def test_a_budget_that_mails(self):
        def body(amount, threshold=80):
            return {"Resources": {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": {
                "Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": amount, "Unit": "USD"}},
                "NotificationsWithSubscribers": [{
                    "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
                                     "Threshold": threshold},
                    "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.org"}]}]}}},
                "Outputs": {"Name": {"Value": {"Ref": "Budget"}}}}

        def amount():
            return client("budgets").describe_budget(AccountId="000000000000", BudgetName=stack.outputs["Name"])[
                "Budget"]["BudgetLimit"]["Amount"]
        stack = Stack(body(10))
        self.assertEqual(stack.status, "CREATE_COMPLETE", stack.reasons())
        first = stack.outputs["Name"]
        self.assertEqual(float(amount()), 10)
        self.assertEqual(stack.update(body(20)), "UPDATE_COMPLETE", stack.reasons())
        self.assertEqual((float(amount()), stack.outputs["Name"]), (20, first))
        self.assertEqual(stack.update(body(20, threshold=50)), "UPDATE_COMPLETE", stack.reasons())
        self.assertNotEqual(stack.outputs["Name"], first)
        names = [b["BudgetName"] for b in client("budgets").describe_budgets(AccountId="000000000000")["Budgets"]]
        self.assertEqual(names, [stack.outputs["Name"]])
        stack.delete()
        self.assertEqual(client("budgets").describe_budgets(AccountId="000000000000").get("Budgets"), [])


class Check(unittest.TestCase):
    def test_it_names_what_no_handler_makes(self):
        body = {"Resources": {"A": {"Type": "AWS::Batch::JobQueue"}, "B": {"Type": "AWS::No::Such"},
                              "C": {"Type": "AWS::S3::Bucket"}, "D": {"Type": "Custom::Thing"}}}
        self.assertEqual(check.unsupported(body), ["AWS::No::Such"])


class NestedStacks(unittest.TestCase):
    def test_an_update_keeps_what_others_ask_of_unchanged_resources(self):
        s3, bucket = client("s3"), name("templates").lower()
        s3.create_bucket(Bucket=bucket)

        def body(retention):
            child = {"Resources": {
                "Kept": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
                "Changed": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": retention}}},
                "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Kept", "Arn"]}}}}
            s3.put_object(Bucket=bucket, Key=f"{retention}.json", Body=json.dumps(child))
            return {"Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {
                "TemplateURL": f"https://s3.us-east-1.amazonaws.com/{bucket}/{retention}.json"}}},
                "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}}}
        stack = Stack(body(7))
        arn = stack.outputs["Arn"]
        self.assertTrue(arn.startswith("arn:aws:logs:"), arn)
        self.assertEqual(stack.update(body(30)), "UPDATE_COMPLETE", stack.reasons())
        self.assertEqual(stack.outputs["Arn"], arn)
        stack.delete()
