"""CloudWatch's embedded metric format: log lines that carry metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json

from ministack.services import cloudwatch


def record(lines: list[str]) -> None:
    """Puts the metrics that stand in the lines into CloudWatch of the current request's
    account and region. A line that is none of this format is only a log line."""
    for line in lines:
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line[line.index("{"):])
            directives = document["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):
            continue
        for directive in directives:
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: str(document[name]) for name in names if name in document}
                for metric in directive.get("Metrics", []):
                    values = document.get(metric["Name"])
                    for value in values if isinstance(values, list) else [values]:
                        if isinstance(value, (int, float)):
                            cloudwatch.record_metric(directive["Namespace"], metric["Name"], value,
                                                     metric.get("Unit", "None"), dimensions)
