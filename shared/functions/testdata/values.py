"""Computes values.json: the functions of tests/golden/hpo at random points.

    python3 values.py ../../../tests/golden/hpo > values.json     (needs numpy)

It takes the definitions out of hpo_quality.py and hpo_speed.py without running those
programs, and calls each function with a trial that draws at random and notes every
distribution that it is asked for. Names are written in lower case, as our spaces want them.
"""
import ast
import json
import math
import sys

import numpy as np

rng = np.random.default_rng(5)


class Trial:
    def __init__(self):
        self.params, self.asked = {}, {}

    def note(self, name, value, **asked):
        self.params[name.lower()] = value
        self.asked[name.lower()] = asked
        return value

    def suggest_float(self, name, low, high, step=None, log=False):
        if step:
            value = round(low + step * int(rng.integers(0, round((high - low) / step) + 1)), 12)
        elif log:
            value = math.exp(rng.uniform(math.log(low), math.log(high)))
        else:
            value = float(rng.uniform(low, high))
        return self.note(name, value, kind="float", low=low, high=high, step=step or 0, log=log)

    def suggest_int(self, name, low, high, step=1, log=False):
        value = low + step * int(rng.integers(0, (high - low) // step + 1))
        return self.note(name, value, kind="int", low=low, high=high, step=step, log=log)

    def suggest_categorical(self, name, choices):
        return self.note(name, choices[rng.integers(len(choices))], kind="categorical", choices=list(choices))


def definitions(path, stop):
    """The functions and constants of a program, up to the first statement that holds stop."""
    source = open(path).read()
    kept = []
    for node in ast.parse(source).body:
        text = ast.get_source_segment(source, node)
        if stop in text:
            break
        if isinstance(node, ast.FunctionDef) or isinstance(node, ast.Assign) and "sys.argv" not in text and "optuna" not in text:
            kept.append(node)
    names = {"np": np, "math": math}
    exec(compile(ast.Module(kept, []), path, "exec"), names)
    return names


quality = definitions(sys.argv[1] + "/hpo_quality.py", "def qs")
speed = definitions(sys.argv[1] + "/hpo_speed.py", "S=optuna.samplers")
functions = {name: (lambda f: lambda t: [f(t)])(f) for name, f in quality["SO"].items()}
functions |= {name: (lambda f: lambda t: list(f(t)))(f) for name, (f, _, _) in quality["MO"].items()}
functions["speed20"] = lambda t: [speed["suggest"](t)]
functions["speed20bi"] = lambda t: (lambda v: [v, float(np.sin(v))])(speed["suggest"](t))

out = {}
for name, f in functions.items():
    params, points = {}, []
    for _ in range(200 if name == "conditional" else 20):
        trial = Trial()
        values = f(trial)
        params |= trial.asked
        points.append({"params": trial.params, "values": values})
    refs = quality["MO"][name][2] if name in quality["MO"] else None
    out[name] = {"params": params, "refs": refs, "points": points[:40]}
json.dump(out, sys.stdout, separators=(",", ":"), sort_keys=True)
print()
