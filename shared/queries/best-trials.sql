-- The 20 best trials of each search stage, by the value of their last rung.
WITH ranked AS (
  SELECT
    stage, trial, state, rung, epochs, f1_macro, ece, cost_seconds,
    "model.name" AS model_name, "tok.max_length" AS max_length, "head.pooling" AS pooling,
    "optim.name" AS optimizer, "optim.lr" AS learning_rate, "train.batch_size" AS batch_size,
    row_number() OVER (PARTITION BY stage ORDER BY f1_macro DESC, ece ASC, trial ASC) AS place
  FROM trials
  WHERE study = '{study}' AND stage IN ('A', 'B') AND state <> 'FAILED' AND f1_macro IS NOT NULL
)
SELECT
  stage AS stage, place AS place, trial AS trial, state AS state, rung AS rung, epochs AS epochs,
  f1_macro AS f1_macro, ece AS ece, cost_seconds AS cost_seconds,
  model_name AS model_name, max_length AS max_length, pooling AS pooling,
  optimizer AS optimizer, learning_rate AS learning_rate, batch_size AS batch_size
FROM ranked
WHERE place <= 20
ORDER BY stage, place
