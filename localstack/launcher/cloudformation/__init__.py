"""CloudFormation resource types that ministack lacks, put into its table of handlers.

A handler's functions get properties with every reference resolved, and return the physical
id (what Ref gives) and the attributes (what Fn::GetAtt gives).
"""

from ministack.services.cloudformation import provisioners

from ..batch.api import Batch
from . import athena, batch, budgets, updates


def install(service: Batch) -> None:
    added = batch.handlers(service) | athena.handlers() | budgets.handlers()
    known = added.keys() & provisioners._RESOURCE_HANDLERS.keys()
    if known:
        raise RuntimeError(f"ministack has learnt {', '.join(sorted(known))}: remove the launcher's own")
    provisioners._RESOURCE_HANDLERS.update(added)
    updates.install()
