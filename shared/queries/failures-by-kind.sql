-- How many trials of each stage failed, and of what.
WITH all_trials AS (
  SELECT stage, state, failure_kind, attempts, cost_seconds, count(*) OVER (PARTITION BY stage) AS of_stage
  FROM trials
  WHERE study = '{study}'
)
SELECT
  stage AS stage, failure_kind AS failure_kind, count(*) AS failed,
  round(100.0e0 * count(*) / max(of_stage), 3) AS percent_of_stage,
  sum(attempts) AS attempts, round(sum(cost_seconds) / 3600.0, 6) AS slot_hours
FROM all_trials
WHERE state = 'FAILED'
GROUP BY stage, failure_kind
ORDER BY stage, failed DESC, failure_kind
