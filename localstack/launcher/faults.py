"""Faults on demand, for chaos tests: which calls fail, how, and how many have.

A plan is a list of rules. Each call goes through the rules of its service in their order;
the first whose share's die falls decides. Dice are seeded per rule, so that a plan gives
the same sequence of decisions every time (which call meets which decision is the
clients' timing). Without a plan nothing is changed and nothing is counted.
"""

import dataclasses
import fnmatch
import random
import threading

# What a rule's fault may be, by service. before: the call has no effect; after: the call
# has its effect, and its answer is lost.
KINDS = {
    "lambda": ("before", "after", "delay"),
    "dynamodb": ("throughput", "throttling", "before", "after", "delay"),
    "s3": ("slow-down", "before", "after", "delay", "slow", "truncate"),
}


@dataclasses.dataclass
class Rule:
    """One line of a plan. `names` are patterns (*) of functions, tables or buckets, and
    `operations` of DynamoDB operations or HTTP methods; none means all. `seconds` is a
    delay's length, or how long a slow body takes."""

    service: str
    fault: str
    share: float
    names: list = dataclasses.field(default_factory=list)
    operations: list = dataclasses.field(default_factory=list)
    seconds: float = 1.0
    seen: int = 0  # calls that the rule was asked about
    injected: int = 0

    def __post_init__(self):
        if self.service not in KINDS:
            raise ValueError(f"service is {self.service!r}; allowed are {', '.join(KINDS)}")
        if self.fault not in KINDS[self.service]:
            raise ValueError(f"fault of {self.service} is {self.fault!r}; allowed are {', '.join(KINDS[self.service])}")
        for name, most in (("share", 1), ("seconds", 600)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ValueError(f"{name} is {value!r}; it must be a number from 0 to {most}")
        for name in ("names", "operations"):
            value = getattr(self, name)
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise ValueError(f"{name} is {value!r}; it must be a list of strings")

    def covers(self, name: str, operation: str) -> bool:
        return _any(self.names, name) and _any(self.operations, operation)


def _any(patterns, text):
    return not patterns or any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


class Faults:
    """The plan in force. Safe for concurrent use."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules: list[tuple[Rule, random.Random]] = []

    def load(self, plan: dict) -> dict:
        """Puts a plan in the place of the last and counts anew. ValueError says what is wrong
        with it; the last plan is kept then."""
        unknown = plan.keys() - {"seed", "rules"}
        if unknown or not isinstance(plan.get("rules", []), list):
            raise ValueError('a plan is {"seed": number, "rules": [...]}')
        rules = []
        fields = {field.name for field in dataclasses.fields(Rule)} - {"seen", "injected"}
        for number, given in enumerate(plan.get("rules", [])):
            place = f"rules[{number}]"
            if not isinstance(given, dict) or given.keys() - fields or {"service", "fault", "share"} - given.keys():
                raise ValueError(f"{place}: a rule has service, fault, share and perhaps names, operations, seconds")
            try:
                rules.append((Rule(**given), random.Random(f"{plan.get('seed', 0)}/{number}")))
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        with self._lock:
            self._rules = rules
        return self.state()

    def state(self) -> dict:
        """The rules with their counts, and the injected faults by service.fault."""
        with self._lock:
            injected: dict[str, int] = {}
            for rule, _ in self._rules:
                kind = f"{rule.service}.{rule.fault}"
                injected[kind] = injected.get(kind, 0) + rule.injected
            return {"rules": [dataclasses.asdict(rule) for rule, _ in self._rules], "injected": injected}

    def about(self, service: str) -> bool:
        """Whether any rule is about a service at all: the cheap question of every call."""
        return any(rule.service == service for rule, _ in self._rules)

    def choose(self, service: str, name: str, operation: str) -> Rule | None:
        """The rule that strikes this call, counted, or None."""
        with self._lock:
            for rule, dice in self._rules:
                if rule.service != service or not rule.covers(name, operation):
                    continue
                rule.seen += 1
                if dice.random() < rule.share:
                    rule.injected += 1
                    return rule
        return None
