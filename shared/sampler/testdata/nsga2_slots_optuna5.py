"""Makes nsga2_slots_optuna5.json: Optuna's NSGA-II on the golden functions with 16 and 64 slots.

That many trials run at any time; which of them finishes next is drawn at random. With one
slot it gives the medians of the golden quality_mo_optuna5.json.
usage: nsga2_slots_optuna5.py GOLDEN_HPO_FOLDER OUT.json   (Optuna 5.0.0, ten minutes)
"""
import json, os, random, sys, warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")
import numpy as np
import optuna
from optuna._hypervolume import compute_hypervolume

optuna.logging.set_verbosity(optuna.logging.ERROR)
golden, out = sys.argv[1], sys.argv[2]
# The functions of the golden program, without what it does with them.
source = open(golden + "/hpo_quality.py").read().split("def qs(a)")[0]
exec(source.replace("out, part = sys.argv[1], sys.argv[2]", ""))

AT, SEEDS = (200, 500, 1000), 10


def volumes(values, refs):
    for ref in refs:
        y, ref = np.array(values), np.array(ref, float)
        y = y[np.all(y < ref, axis=1)]
        yield float("%.6g" % compute_hypervolume(y, ref)) if len(y) else 0.0


results = {}
for slots in (16, 64):
    for name, (function, objectives, refs) in MO.items():
        raw = {n: [[] for _ in refs] for n in AT}
        for seed in range(SEEDS):
            order = random.Random(1000 + seed)
            sampler = optuna.samplers.NSGAIISampler(seed=seed)
            study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
            running, values, asked = [], [], 0
            while len(values) < AT[-1]:
                while len(running) < slots and asked < AT[-1]:
                    trial = study.ask()
                    running.append((trial, function(trial)))
                    asked += 1
                i = order.randrange(len(running))
                trial, value = running[i]
                running[i] = running[-1]
                running.pop()
                study.tell(trial, list(value))
                values.append(value)
                if len(values) in raw:
                    for j, volume in enumerate(volumes(values, refs)):
                        raw[len(values)][j].append(volume)
        results.setdefault(name, {})[str(slots)] = {"refs": refs, "raw": raw}
json.dump({"optuna": optuna.__version__, "program": "nsga2_slots_optuna5.py", "results": results}, open(out, "w"))
