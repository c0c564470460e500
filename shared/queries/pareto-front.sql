-- Stage B's trials that no other one beats in F1-macro and ECE at once.
WITH reached AS (
  SELECT
    trial, rung, epochs, f1_macro, ece, cost_seconds,
    "model.name" AS model_name, "tok.max_length" AS max_length, "head.pooling" AS pooling,
    "optim.name" AS optimizer, "optim.lr" AS learning_rate, "train.batch_size" AS batch_size
  FROM trials
  WHERE study = '{study}' AND stage = 'B' AND state <> 'FAILED' AND f1_macro IS NOT NULL
)
SELECT
  t.trial AS trial, t.rung AS rung, t.epochs AS epochs, t.f1_macro AS f1_macro, t.ece AS ece,
  t.cost_seconds AS cost_seconds, t.model_name AS model_name, t.max_length AS max_length,
  t.pooling AS pooling, t.optimizer AS optimizer, t.learning_rate AS learning_rate,
  t.batch_size AS batch_size
FROM reached t
WHERE NOT EXISTS (
  SELECT 1
  FROM reached o
  WHERE o.f1_macro >= t.f1_macro AND o.ece <= t.ece AND (o.f1_macro > t.f1_macro OR o.ece < t.ece)
)
ORDER BY f1_macro DESC, ece ASC, trial ASC
