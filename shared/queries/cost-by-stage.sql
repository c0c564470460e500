-- What each stage cost: the hours and money of its epochs, and of all its slots' work.
-- A metrics row is one seed's epoch. An epoch that two attempts wrote (the first one's
-- trainer died before its report was accepted) counts once, with the later attempt. Slot
-- hours come from the trials: failed attempts, checkpoints and loading are in them.
WITH written AS (
  SELECT
    stage, trial, seed, epoch, seconds, cost,
    row_number() OVER (PARTITION BY stage, trial, rung, seed, epoch ORDER BY attempt DESC) AS newest
  FROM metrics
  WHERE study = '{study}'
),
trained AS (
  SELECT
    stage, count(DISTINCT trial) AS trials, count(CASE WHEN epoch > 0 THEN 1 END) AS epochs,
    sum(seconds) AS seconds, sum(cost) AS cost
  FROM written
  WHERE newest = 1
  GROUP BY stage
),
told AS (
  SELECT stage, sum(cost_seconds) AS seconds, sum(cost) AS cost
  FROM trials
  WHERE study = '{study}'
  GROUP BY stage
)
SELECT
  e.stage AS stage, e.trials AS trials, e.epochs AS epochs,
  round(e.seconds / 3600.0, 6) AS epoch_hours, round(e.cost, 6) AS epoch_cost,
  round(s.seconds / 3600.0, 6) AS slot_hours, round(s.cost, 6) AS slot_cost
FROM trained e
LEFT JOIN told s ON s.stage = e.stage
ORDER BY stage
