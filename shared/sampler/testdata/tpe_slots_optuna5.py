"""Makes tpe_slots_optuna5.json: Optuna's TPE on the golden functions with 16 and 64 slots.

That many trials run at any time; which of them finishes next is drawn at random. With one
slot it gives the medians of the golden quality_so_optuna5.json.
usage: tpe_slots_optuna5.py GOLDEN_HPO_FOLDER OUT.json   (Optuna 5.0.0, ten minutes)
"""
import json, math, os, random, sys, warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")
import numpy as np
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
golden, out = sys.argv[1], sys.argv[2]
# The functions of the golden program, without what it does with them.
source = open(golden + "/hpo_quality.py").read().split("def qs(a)")[0]
exec(source.replace("out, part = sys.argv[1], sys.argv[2]", ""))

AT, SEEDS = (50, 100, 200), 20

results = {}
for name, function in SO.items():
    for slots in (16, 64):
        raw = {n: [] for n in AT}
        for seed in range(SEEDS):
            order = random.Random(1000 + seed)
            study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
            running, told, asked, best = [], 0, 0, math.inf
            while told < AT[-1]:
                while len(running) < slots and asked < AT[-1]:
                    trial = study.ask()
                    running.append((trial, function(trial)))
                    asked += 1
                i = order.randrange(len(running))
                trial, value = running[i]
                running[i] = running[-1]
                running.pop()
                study.tell(trial, value)
                told, best = told + 1, min(best, value)
                if told in raw:
                    raw[told].append(float("%.6g" % best))
        results.setdefault(name, {})[str(slots)] = {"raw": raw}
        print(name, slots, {n: float(np.median(v)) for n, v in raw.items()}, flush=True)
        json.dump({"optuna": optuna.__version__, "program": "tpe_slots_optuna5.py", "results": results}, open(out, "w"))
