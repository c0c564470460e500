"""What becomes of an attempt that has ended.

https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
"""

import dataclasses

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
NOT_STARTED = "Task failed to start"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How an attempt ended: the container's exit code (None if it never ran or its host
    was lost), the container's reason and the attempt's status reason."""

    exit_code: int | None
    status_reason: str = EXITED
    reason: str = ""


def again(outcome: Outcome, strategy: dict, attempts_made: int) -> bool:
    """Whether a failed attempt is followed by another. The first rule of evaluateOnExit
    that matches in every part decides; without a match the job is retried. An attempt
    that ran out of time is never retried."""
    if outcome.status_reason == TIMED_OUT or attempts_made >= strategy.get("attempts", 1):
        return False
    for rule in strategy.get("evaluateOnExit") or []:
        code = "" if outcome.exit_code is None else str(outcome.exit_code)
        if (_matches(rule.get("onExitCode"), code) and _matches(rule.get("onReason"), outcome.reason)
                and _matches(rule.get("onStatusReason"), outcome.status_reason)):
            return rule["action"].upper() == "RETRY"
    return True


def _matches(pattern, text: str) -> bool:
    """A missing pattern matches all; a * may stand at the end only; case counts."""
    if pattern is None:
        return True
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
