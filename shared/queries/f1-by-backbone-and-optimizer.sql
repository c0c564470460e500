-- What each backbone reaches with each optimizer, by search stage.
SELECT
  stage AS stage, "model.name" AS model_name, "optim.name" AS optimizer, count(*) AS trials,
  max(f1_macro) AS best_f1_macro, round(avg(f1_macro), 6) AS mean_f1_macro,
  min(ece) AS best_ece, round(avg(ece), 6) AS mean_ece
FROM trials
WHERE study = '{study}' AND stage IN ('A', 'B') AND state <> 'FAILED' AND f1_macro IS NOT NULL
GROUP BY stage, "model.name", "optim.name"
ORDER BY stage, best_f1_macro DESC, model_name, optimizer
