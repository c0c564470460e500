"""AWS::Batch::ComputeEnvironment, JobQueue and JobDefinition.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Batch.html
"""

from ministack.services.cloudformation import provisioners

from ..batch import model
from ..batch.api import Batch
from ..batch.errors import NotFound
from .properties import to_request

# Changed in place even when ReplaceComputeEnvironment is true; all else makes a new environment.
_SCALING = ("MinvCpus", "MaxvCpus", "DesiredvCpus")


def handlers(service: Batch) -> dict:
    return {name: kind(service).handler() for name, kind in TYPES.items()}


class _Resource:
    """A named resource whose physical id is its ARN."""

    create_operation = name = arn = ""

    def __init__(self, service: Batch):
        self._call = service.call

    def handler(self) -> dict:
        return {"create": self.create, "update": self.update, "update_with_logical_id": True, "delete": self._gone}

    def _gone(self, arn, properties):
        """What is gone already is deleted: the engine also deletes what replace has deleted."""
        try:
            self.delete(arn)
        except NotFound:
            pass

    def request(self, operation: str, properties: dict) -> dict:
        return to_request(model.service().operation_model(operation).input_shape, properties)

    def create(self, logical_id, properties, stack):
        given = dict(properties)
        given.setdefault(self.name, provisioners._physical_name(stack, logical_id))
        answer = self._call(self.create_operation, self.request(self.create_operation, given))
        return self.made(answer)

    def made(self, answer):
        arn = answer[self.arn]
        return arn, {self.arn[:1].upper() + self.arn[1:]: arn}

    def replace(self, arn, old, new, stack, logical_id):
        """The new resource first, then the old one's deletion, under another generated name.
        A name that the template gives cannot be taken twice."""
        if new.get(self.name) and new.get(self.name) == old.get(self.name):
            raise ValueError("CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                             f"Rename {new[self.name]} and update the stack again.")
        made = provisioners._seeded_create(self.create, logical_id, new, stack)
        provisioners._delete_predecessor(self._gone, arn, old)
        return made


class ComputeEnvironment(_Resource):
    create_operation, name, arn = "CreateComputeEnvironment", "ComputeEnvironmentName", "computeEnvironmentArn"

    def request(self, operation, properties):
        # Of the resource only, not of the call that makes it.
        given = {name: value for name, value in properties.items()
                 if name not in ("ReplaceComputeEnvironment", "UpdatePolicy")}
        if operation == "CreateComputeEnvironment" and "ComputeResources" in given:
            given["ComputeResources"] = {name: value for name, value in given["ComputeResources"].items()
                                         if name != "UpdateToLatestImageVersion"}
        return super().request(operation, given)

    def create(self, logical_id, properties, stack):
        arn, attributes = super().create(logical_id, properties, stack)
        if "UpdatePolicy" in properties:
            self._update(arn, {"UpdatePolicy": properties["UpdatePolicy"]})
        return arn, attributes

    def update(self, arn, old, new, stack, logical_id):
        if self._replaced(old, new):
            return self.replace(arn, old, new, stack, logical_id)
        resources = {name: value for name, value in new.get("ComputeResources", {}).items()
                     if value != old.get("ComputeResources", {}).get(name)}
        change = {name: new[name] for name in ("State", "ServiceRole", "UpdatePolicy")
                  if name in new and new[name] != old.get(name)}
        self._update(arn, change | ({"ComputeResources": resources} if resources else {}))
        return self.made({self.arn: arn})

    def _update(self, arn, change):
        shape = model.service().operation_model("UpdateComputeEnvironment").input_shape
        self._call("UpdateComputeEnvironment", {"computeEnvironment": arn, **to_request(shape, change)})

    def _replaced(self, old, new):
        if any(old.get(name) != new.get(name) for name in ("Type", self.name, "EksConfiguration")):
            return True
        if str(new.get("ReplaceComputeEnvironment", True)).lower() == "false":
            return False
        before, after = old.get("ComputeResources", {}), new.get("ComputeResources", {})
        return any(before.get(name) != after.get(name) for name in before.keys() | after.keys() if name not in _SCALING)

    def delete(self, arn):
        self._call("UpdateComputeEnvironment", {"computeEnvironment": arn, "state": "DISABLED"})
        self._call("DeleteComputeEnvironment", {"computeEnvironment": arn})


class JobQueue(_Resource):
    create_operation, name, arn = "CreateJobQueue", "JobQueueName", "jobQueueArn"

    def update(self, arn, old, new, stack, logical_id):
        if any(old.get(name) != new.get(name) for name in (self.name, "JobQueueType")):
            return self.replace(arn, old, new, stack, logical_id)
        shape = model.service().operation_model("UpdateJobQueue").input_shape
        change = to_request(shape, {name: value for name, value in new.items() if name not in (self.name, "Tags")})
        self._call("UpdateJobQueue", {**change, "jobQueue": arn})
        return self.made({self.arn: arn})

    def delete(self, arn):
        self._call("UpdateJobQueue", {"jobQueue": arn, "state": "DISABLED"})
        self._call("DeleteJobQueue", {"jobQueue": arn})


class JobDefinition(_Resource):
    create_operation, name, arn = "RegisterJobDefinition", "JobDefinitionName", "jobDefinitionArn"

    def request(self, operation, properties):
        return super().request(operation, {name: value for name, value in properties.items()
                                           if name != "ResourceRetentionPolicy"})

    def update(self, arn, old, new, stack, logical_id):
        """A new revision; the old one is deregistered unless the template says not to."""
        if new.get(self.name) != old.get(self.name):
            return self.replace(arn, old, new, stack, logical_id)
        given = {**new, self.name: arn.rsplit("/", 1)[1].split(":")[0]}
        made = self.made(self._call(self.create_operation, self.request(self.create_operation, given)))
        if not (new.get("ResourceRetentionPolicy") or {}).get("SkipDeregisterOnUpdate"):
            provisioners._delete_predecessor(self._gone, arn, old)
        return made

    def delete(self, arn):
        self._call("DeregisterJobDefinition", {"jobDefinition": arn})


TYPES = {"AWS::Batch::ComputeEnvironment": ComputeEnvironment, "AWS::Batch::JobQueue": JobQueue,
         "AWS::Batch::JobDefinition": JobDefinition}
