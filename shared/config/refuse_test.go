package config

import (
	"errors"
	"strings"
	"testing"
)

// Every bad study file gets one error with file, line, key, value and what is allowed. The
// text stands behind minimal, whose last line is 6, or replaces one of its lines.
func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct {
		old, text string // old: the part of minimal that text replaces; empty: text is appended
		want      string
	}{
		{"", "sedd: 3\n", "x.yaml:7: sedd: is not a key here; nearest: seed, name, agent"},
		{"", "stages: {d: {}}\n", "x.yaml:7: stages.d: is not a key here; allowed: a, b, c"},
		{"", "stages:\n  a:\n    trails: 3\n", "x.yaml:9: stages.a.trails: is not a key here; nearest: trials, rungs, limits"},
		{"", "stages: {a: {enqueue: 3}}\n", "x.yaml:7: stages.a.enqueue: is not a key here; nearest: "},
		{"version: 1\n", "", "x.yaml:1: version: is missing; allowed: 1"},
		{"version: 1", "version: 2", "x.yaml:1: version: 2 is not allowed; allowed: 1"},
		{"name: first\n", "", "x.yaml:1: name: is missing; allowed: lower-case letters, digits and hyphens, at most 63, the first a letter or digit"},
		{"first", "../up", `x.yaml:2: name: "../up" is not allowed; allowed: lower-case letters, digits and hyphens, at most 63, the first a letter or digit`},
		{"first", strings.Repeat("a", 64), "is not allowed; allowed: lower-case letters, digits and hyphens, at most 63"},
		{"first", strings.Repeat("é", 64), strings.Repeat("é", 40) + `…" is not allowed`},
		{"agent: criteria\n", "", "x.yaml:1: agent: is missing; allowed: criteria, evidence, share, joint"},
		{"agent: criteria", "agent: symptoms", `x.yaml:3: agent: "symptoms" is not allowed; allowed: criteria, evidence, share, joint`},
		{"", "seed: -1\n", "x.yaml:7: seed: -1 is not allowed; allowed: a whole number from 0"},
		{"", "seed: 1.5\n", "x.yaml:7: seed: 1.5 is not allowed; allowed: a whole number"},
		{"  dir: data\n", "", "x.yaml:4: corpus.dir: is missing; allowed: a folder"},
		{"dir: data", `dir: ""`, `x.yaml:5: corpus.dir: "" is not allowed; allowed: a folder`},
		{"dir: data", `dir: [a]`, "x.yaml:5: corpus.dir: a list is not allowed; allowed: a string"},
		{"redsm5", "csv", `x.yaml:6: corpus.layout: "csv" is not allowed; allowed: groundtruth, redsm5`},
		{"", "  criteria: [a, b, a]\n", `x.yaml:7: corpus.criteria: "a" is listed twice`},
		{"", "  criteria:\n    - a\n    - ''\n", `x.yaml:9: corpus.criteria: "" is not allowed; allowed: a criterion's id`},
		{"", "  criteria: sleep\n", `x.yaml:7: corpus.criteria: "sleep" is not allowed; allowed: a list`},
		{"", "  max_posts: -1\n", "x.yaml:7: corpus.max_posts: -1 is not allowed; allowed: a whole number from 0 to 2147483647"},
		{"", "models: [a]\n", "x.yaml:7: models: a list is not allowed; allowed: keys with values"},
		{"", "models:\n  a: 3\n  ../b: c\n", "x.yaml:9: models.../b: is not a backbone's name; allowed: letters, digits, dots, hyphens and underscores, with at most one slash inside"},
		{"", "models:\n  a:\n", "x.yaml:8: models.a: nothing is not allowed; allowed: a string"},
		{"", "training: {valid_fraction: 0}\n", "x.yaml:7: training.valid_fraction: 0 is not allowed; allowed: a number between 0 and 1"},
		{"", "training: {valid_fraction: 1.0}\n", "x.yaml:7: training.valid_fraction: 1 is not allowed; allowed: a number between 0 and 1"},
		{"", "training: {split_seed: 4294967296}\n", "x.yaml:7: training.split_seed: 4294967296 is not allowed; allowed: a whole number from 0 to 4294967295"},
		{"", "training: {class_weights: equal}\n", `x.yaml:7: training.class_weights: "equal" is not allowed; allowed: balanced, none`},
		{"", "stages:\n  a:\n    trials: 0\n", "x.yaml:9: stages.a.trials: 0 is not allowed; allowed: a whole number from 1 to 1000000"},
		{"", "stages: {a: {trials: many}}\n", `x.yaml:7: stages.a.trials: "many" is not allowed; allowed: a whole number`},
		{"", "stages: {b: {epochs: 0}}\n", "x.yaml:7: stages.b.epochs: 0 is not allowed; allowed: a whole number from 1 to 10000"},
		{"", "stages:\n  a:\n    epochs: 5\n    rungs:\n      min: 6\n", "x.yaml:11: stages.a.rungs.min: 6 is not allowed; allowed: a whole number from 1 to 5"},
		{"", "stages: {a: {epochs: 5, rungs: {max: 6}}}\n", "x.yaml:7: stages.a.rungs.max: 6 is not allowed; allowed: the stage's epochs, 5"},
		{"", "stages: {a: {epochs: 5, rungs: {max: 0}}}\n", "x.yaml:7: stages.a.rungs.max: 0 is not allowed; allowed: the stage's epochs, 5"},
		{"", "stages:\n  a:\n    epochs: 1\n", "x.yaml:8: stages.a.rungs.min: 2 is not allowed; allowed: a whole number from 1 to 1"}, // the default
		{"", "stages: {a: {rungs: {factor: 1}}}\n", "x.yaml:7: stages.a.rungs.factor: 1 is not allowed; allowed: a whole number from 2 to 1000"},
		{"", "stages: {a: {seeds: []}}\n", "x.yaml:7: stages.a.seeds: has 0 seeds; allowed: 1 to 1000"},
		{"", "stages:\n  a:\n    seeds:\n      - 1\n      - 1\n", "x.yaml:11: stages.a.seeds: 1 is listed twice"},
		{"", "stages: {a: {seeds: [-1]}}\n", "x.yaml:7: stages.a.seeds: -1 is not allowed; allowed: a whole number from 0 to 4294967295"},
		{"", "stages: {a: {seeds: [x]}}\n", `x.yaml:7: stages.a.seeds: "x" is not allowed; allowed: a whole number`},
		{"", "stages: {a: {patience: -1}}\n", "x.yaml:7: stages.a.patience: -1 is not allowed; allowed: a whole number from 0 to 10000"},
		{"", "stages: {b: {sampler: annealing}}\n", `x.yaml:7: stages.b.sampler: "annealing" is not allowed; allowed: tpe, nsga2, random, quasi-random, grid`},
		{"", "stages: {b: {sampler: grid}}\n", `x.yaml:7: stages.b.sampler: is not allowed over this space: sampler "grid" needs a step for optim.lr, optim.weight_decay`},
		{"", "stages: {b: {export: 0}}\n", "x.yaml:7: stages.b.export: 0 is not allowed; allowed: a whole number from 1 to 1000000"},
		{"", "stages: {b: {trials: 12, enqueue: 13}}\n", "x.yaml:7: stages.b.enqueue: 13 is not allowed; allowed: a whole number from 0 to 12"},
		{"", "stages: {c: {candidates: 0}}\n", "x.yaml:7: stages.c.candidates: 0 is not allowed; allowed: a whole number from 1 to stage B's trials, 1500"},
		{"", "stages: {b: {trials: 2}, c: {candidates: 3}}\n", "x.yaml:7: stages.c.candidates: 3 is not allowed; allowed: a whole number from 1 to stage B's trials, 2"},
		{"", "stages: {c: {folds: 1}}\n", "x.yaml:7: stages.c.folds: 1 is not allowed; allowed: a whole number from 2 to 100"},
		{"", "stages: {c: {seeds: [2, 2]}}\n", "x.yaml:7: stages.c.seeds: 2 is listed twice"},
		{"", "stages: {c: {fold_seed: -1}}\n", "x.yaml:7: stages.c.fold_seed: -1 is not allowed; allowed: a whole number from 0 to 4294967295"},
		{"", "stages: {c: {epochs: 0}}\n", "x.yaml:7: stages.c.epochs: 0 is not allowed; allowed: a whole number from 1 to 10000"},
		{"", "stages: {c: {patience: -2}}\n", "x.yaml:7: stages.c.patience: -2 is not allowed; allowed: a whole number from 0 to 10000"},
		{"", "stages: {a: {objective: loss}}\n", `x.yaml:7: stages.a.objective: "loss" is not allowed; allowed: f1_macro, f1_per_dollar`},
		{"", "stages: {a: {objective: f1_per_dollar}}\n", "x.yaml:7: stages.a.objective: f1_per_dollar is not allowed; allowed: f1_macro, as price_per_hour is 0 or missing"},
		{"", "stages: {b: {objective: f1_macro}}\n", "x.yaml:7: stages.b.objective: is not a key here; nearest: "},
		{"", "stages: {b: {limits: {ece: 0}}}\n", "x.yaml:7: stages.b.limits.ece: 0 is not allowed; allowed: a number above 0, or no such key"},
		{"", "stages: {b: {limits: {ecc: 1}}}\n", "x.yaml:7: stages.b.limits.ecc: is not a key here; allowed: ece, seconds_per_epoch, peak_memory_gb"},
		{"", "stages: {b: {limits: {peak_memory_gb: -4}}}\n", "x.yaml:7: stages.b.limits.peak_memory_gb: -4 is not allowed; allowed: a number above 0"},
		{"", "stages: {a: {cost_weight: -1}}\n", "x.yaml:7: stages.a.cost_weight: -1 is not allowed; allowed: a number from 0"},
		{"", "stages:\n  b:\n    cost_weight: 1\n", "x.yaml:9: stages.b.cost_weight: 1 is not allowed; allowed: 0 with any other sampler than tpe"},
		{"", "stages: {a: {scheduler: halving}}\n", `x.yaml:7: stages.a.scheduler.kind: "halving" is not allowed; allowed: asha, asha-stopping, hyperband, median, percentile, none`},
		{"", "stages:\n  b:\n    scheduler: median\n", "x.yaml:9: stages.b.scheduler.kind: median is not allowed; allowed: asha, asha-stopping, hyperband, none with two objectives"},
		{"", "stages: {a: {scheduler: {}}}\n", "x.yaml:7: stages.a.scheduler.kind: is missing; allowed: asha, asha-stopping, hyperband, median, percentile, none"},
		{"", "stages: {a: {scheduler: [asha]}}\n", "x.yaml:7: stages.a.scheduler: a list is not allowed; allowed: a string"},
		{"", "stages: {a: {scheduler: {kind: asha, eta: 3}}}\n", "x.yaml:7: stages.a.scheduler.eta: is not a key here; "},
		{"", "stages:\n  a:\n    scheduler:\n      kind: asha\n      percentile: 20\n", "x.yaml:11: stages.a.scheduler.percentile: 20 is not allowed; allowed: with kind percentile; this is asha"},
		{"", "stages: {a: {scheduler: {kind: percentile, percentile: 120}}}\n", "x.yaml:7: stages.a.scheduler.percentile: 120 is not allowed; allowed: 0 to 100"},
		{"", "stages: {a: {scheduler: {kind: asha, min_early_stopping_rate: 3}}}\n", "x.yaml:7: stages.a.scheduler.min_early_stopping_rate: 3 is not allowed; allowed: 0 to 2, as the first rung would come after the last of 20 epochs"},
		{"", "stages: {a: {scheduler: {kind: median, interval_epochs: 0}}}\n", "x.yaml:7: stages.a.scheduler.interval_epochs: 0 is not allowed; allowed: a whole number from 1, or no such key"},
		{"", "stages: {a: {scheduler: {kind: hyperband, bootstrap: -1}}}\n", "x.yaml:7: stages.a.scheduler.bootstrap: -1 is not allowed; allowed: 0 to 2147483647"},
		{"", "stages: {a: {budget: {epochs: 0}}}\n", "x.yaml:7: stages.a.budget.epochs: 0 is not allowed; allowed: a whole number from 1, or no such key"},
		{"", "stages: {a: {budget: {epochs: 5}}}\n", "x.yaml:7: stages.a.budget.epochs: 5 is not allowed; allowed: a whole number from 6, which a trial takes to its first rung with all seeds"},
		{"", "stages: {a: {budget: {gpu_hours: 0}}}\n", "x.yaml:7: stages.a.budget.gpu_hours: 0 is not allowed; allowed: a number above 0, or no such key"},
		{"", "stages: {a: {budget: {dollars: 5}}}\n", "x.yaml:7: stages.a.budget.dollars: 5 is not allowed; allowed: no such key, as price_per_hour is 0 or missing"},
		{"", "stages: {a: {budget: {hours: 5}}}\n", "x.yaml:7: stages.a.budget.hours: is not a key here; allowed: epochs, gpu_hours, dollars"},
		{"", "stages: {c: {budget: {epochs: 5}}}\n", "x.yaml:7: stages.c.budget: is not a key here; "},
		{"", "lease_seconds: 0\n", "x.yaml:7: lease_seconds: 0 is not allowed; allowed: seconds from 1 to 86400"},
		{"", "price_per_hour: -0.5\n", "x.yaml:7: price_per_hour: -0.5 is not allowed; allowed: a number from 0"},

		{"", "constraints:\n  optim.name:\n    - adamw\n    - sgd\n", `x.yaml:10: constraints.optim.name: "sgd" is not allowed; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit`},
		{"", "constraints: {optim.name: []}\n", "x.yaml:7: constraints.optim.name: leaves no value; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit"},
		{"", "constraints: {optim.name: [adam, adam]}\n", `x.yaml:7: constraints.optim.name: "adam" is listed twice`},
		{"", "constraints: {optim.name: [[adam]]}\n", "x.yaml:7: constraints.optim.name: a list is not allowed; allowed: one value"},
		{"", "constraints:\n  optim.name:\n", "x.yaml:8: constraints.optim.name: nothing is not allowed; allowed: one value"},
		{"", "constraints: {optim.nam: adamw}\n", "x.yaml:7: constraints.optim.nam: is not a parameter; nearest: optim.name, optim.lr, model.name"},
		{"", "constraints: {optim: {name: adamw}}\n", "x.yaml:7: constraints.optim.name: is not a key here; allowed: low, high"},
		{"", "constraints: {optim.lr: {}}\n", "x.yaml:7: constraints.optim.lr: is empty; allowed: low, high or both"},
		{"", "constraints:\n  optim.lr:\n    low: 1e-7\n", "x.yaml:9: constraints.optim.lr.low: 1e-07 is not allowed; allowed: a number from 1e-06 to 0.003"},
		{"", "constraints: {optim.lr: {low: small}}\n", `x.yaml:7: constraints.optim.lr.low: "small" is not allowed; allowed: a number`},
		{"", "constraints: {optim.lr: {low: 1e-3, high: 1e-4}}\n", "x.yaml:7: constraints.optim.lr: low 0.001, high 0.0001 leaves no value; allowed: a number from 1e-06 to 0.003"},
		{"", "constraints: {optim.lr: [1e-3]}\n", "x.yaml:7: constraints.optim.lr: wants {low, high} or one value; allowed: a number from 1e-06 to 0.003"},
		{"", "constraints: {tok.max_length: {low: 130, high: 180}}\n", "x.yaml:7: constraints.tok.max_length: low 130, high 180 leaves no value; allowed: a whole number from 128 to 512 in steps of 64"},
		{"", "constraints: {train.amp: 1}\n", "x.yaml:7: constraints.train.amp: 1 is not allowed; allowed: true, false"},
		{"", "models: {tiny: t}\nconstraints: {model.name: [tiny, tony]}\n", `x.yaml:8: constraints.model.name: "tony" is not allowed; allowed: bert-base-uncased, `},
		{"", "constraints: 3\n", "x.yaml:7: constraints: 3 is not allowed; allowed: keys with values"},
		{"", "version: 1\n", `x.yaml:7: is not YAML: mapping key "version" already defined at [1:1]`},
	} {
		text := minimal + tc.text
		if tc.old != "" {
			if !strings.Contains(minimal, tc.old) {
				t.Fatalf("minimal has no %q", tc.old)
			}
			text = strings.Replace(minimal, tc.old, tc.text, 1)
		}
		s, err := Parse("x.yaml", []byte(text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %+v, %v; want an *Error", tc.text, s, err)
			continue
		}
		if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q\ngot  %v\nwant %s", tc.text, err, tc.want)
		}
	}
}
