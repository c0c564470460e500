"""Updates of nested stacks.

ministack forgets the attributes of a nested stack's resource that did not change, so that
whatever asks for one of them (Fn::GetAtt) fails with the whole update.
"""

from ministack.services.cloudformation import _stacks, provisioners


def install() -> None:
    update = provisioners._update_resource

    def remembering(resource_type, physical_id, old, new, stack, logical_id=None, attributes=None):
        if attributes is None:  # it is a nested stack's: its former resources are still in place
            former = (_stacks.get(stack) or {}).get("_resources", {}).get(logical_id, {})
            attributes = former.get("Attributes")
        return update(resource_type, physical_id, old, new, stack, logical_id, attributes)

    provisioners._update_resource = remembering
