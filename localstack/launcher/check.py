"""python -m launcher.check TEMPLATE.json …: lists the resource types that neither ministack
nor the launcher can make, before a deployment finds them one by one."""

import json
import sys


def unsupported(template: dict) -> list[str]:
    """The types of a template that no handler exists for."""
    from ministack.services.cloudformation import provisioners

    from .cloudformation import athena, batch, budgets
    known = (provisioners._RESOURCE_HANDLERS.keys() | batch.TYPES.keys() | athena.handlers().keys()
             | budgets.handlers().keys())
    types = {resource["Type"] for resource in template.get("Resources", {}).values()}
    return sorted(kind for kind in types if kind not in known and not kind.startswith("Custom::"))


def main(paths: list[str]) -> int:
    found = False
    for path in paths:
        with open(path) as file:
            for kind in unsupported(json.load(file)):
                found = True
                print(f"{path}: {kind}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
