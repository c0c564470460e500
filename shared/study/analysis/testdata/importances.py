"""Writes importances.json: the importances that Optuna 5.0.0 computes for random studies.

    python importances.py > importances.json      (optuna==5.0.0)

A case is one study: a space in this project's own JSON, its trials as points (a number a
parameter: a choice's index, a value, null while the parameter is off) with their values, and
the importances under several options. They are those of PedAnovaImportanceEvaluator, not
normalized; parameters that Optuna leaves out of its answer were never on.
"""

import json
import math
import random
import sys
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
assert optuna.__version__ == "5.0.0"


def num(name, low, high, **kw):
    return {"name": name, "kind": "float", "low": low, "high": high, **kw}


def whole(name, low, high, **kw):
    return {"name": name, "kind": "int", "low": low, "high": high, **kw}


def choice(name, *choices, **kw):
    return {"name": name, "kind": "categorical", "choices": list(choices), **kw}


SPACES = {
    "numeric": [num("x", -5.0, 10.0), num("y", 0.0, 1.0), num("z", -1e-3, 1e-3)],
    "log": [num("lr", 1e-6, 1e-1, log=True), num("decay", 1e-5, 1.0, log=True)],
    "int": [whole("few", 1, 4), whole("many", -30, 170), whole("fifty", 0, 49), whole("two", 7, 8)],
    "int log": [whole("units", 8, 512, log=True), whole("n", 1, 100000, log=True), whole("pair", 3, 4, log=True)],
    "step": [num("drop", 0.0, 0.5, step=0.05), num("fine", 0.0, 1.0, step=0.01), whole("length", 32, 512, step=32)],
    "categorical": [choice("a", "x", "y"), choice("b", *range(7)), choice("c", True, False), choice("one", "only")],
    "conditional": [
        choice("model", "svm", "tree", "net"),
        num("c", 1e-4, 1e3, log=True, when={"param": "model", "in": ["svm"]}, otherwise=1.0),
        whole("depth", 1, 20, when={"param": "model", "in": ["tree"]}, otherwise=1),
        whole("layers", 1, 4, when={"param": "model", "in": ["net"]}, otherwise=1),
        num("drop", 0.0, 0.5, step=0.05, when={"param": "layers", "above": 1}, otherwise=0.0),
        choice("split", "gini", "entropy", when={"param": "model", "in": ["tree", "svm"]}, otherwise="gini"),
        num("z", 0.0, 1.0),
    ],
}
SPACES["mixed"] = [
    dict(p, name=name.replace(" ", "_") + "." + p["name"])
    for name in ("numeric", "log", "int", "int log", "step", "categorical")
    for p in SPACES[name]
]


def distribution(p):
    if p["kind"] == "categorical":
        return CategoricalDistribution(p["choices"])
    if p["kind"] == "int":
        return IntDistribution(p["low"], p["high"], log=p.get("log", False), step=p.get("step", 1))
    return FloatDistribution(p["low"], p["high"], log=p.get("log", False), step=p.get("step"))


def draw(rng, p, sharp):
    """A number for p; with sharp, from a part of its range."""
    if p["kind"] == "categorical":
        return 0 if rng.random() < sharp else rng.randrange(len(p["choices"]))
    low, high = p["low"], p["high"]
    u = rng.random() ** (1 + 4 * sharp)
    x = math.exp(math.log(low) + u * (math.log(high) - math.log(low))) if p.get("log") else low + u * (high - low)
    if p["kind"] == "int":
        step = p.get("step", 1)
        return min(low + round((x - low) / step) * step, high)
    if "step" in p:
        return min(low + round((x - low) / p["step"]) * p["step"], high)
    return min(max(x, low), high)


def position(p, x):
    if p["kind"] == "categorical":
        return x / max(1, len(p["choices"]) - 1)
    if p.get("log"):
        return math.log(x / p["low"]) / math.log(p["high"] / p["low"])
    return (x - p["low"]) / (p["high"] - p["low"])


def trial(rng, params, objectives, rounded, sharp):
    """A random point and its values: some parameters matter, the later the less."""
    point, on = [], {}
    for p in params:
        when = p.get("when")
        if when:
            v = on.get(when["param"])
            if v is None or ("in" in when and v not in when["in"]) or ("above" in when and not v > when["above"]):
                point.append(None)
                continue
        x = draw(rng, p, sharp)
        point.append(x)
        on[p["name"]] = p["choices"][x] if p["kind"] == "categorical" else x
    values = []
    for k in range(objectives):
        v = rng.gauss(0, 0.1)
        for i, (p, x) in enumerate(zip(params, point)):
            best = (0.3 + 0.5 * k + 0.17 * i) % 1.0
            v += (0.8 if x is None else (position(p, x) - best) ** 2) / (1 + i)
        values.append(round(v, rounded) + 0.0 if rounded is not None else v)
    return point, on, values


OPTIONS = [{}, {"target": 0.25}, {"target": 0.05, "region": 0.5}, {"global": True}]


def case(name, space, n, directions, rounded=None, sharp=0.0, options=OPTIONS, objective=None):
    rng = random.Random(name)
    params = SPACES[space]
    dists = {p["name"]: distribution(p) for p in params}
    study = optuna.create_study(directions=directions)
    points, values = [], []
    for _ in range(n):
        point, on, v = trial(rng, params, len(directions), rounded, sharp)
        points.append(point)
        values.append(v)
        study.add_trial(create_trial(params=on, distributions={k: dists[k] for k in on}, values=v))
    importances = []
    for o in options:
        evaluator = PedAnovaImportanceEvaluator(
            target_quantile=o.get("target", 0.1),
            region_quantile=o.get("region", 1.0),
            evaluate_on_local=not o.get("global", False),
        )
        target = None
        if objective is not None:
            sign = -1 if directions[objective] == "maximize" else 1
            target = lambda t: sign * t.values[objective]
        importances.append({
            **o,
            "importances": get_param_importances(study, evaluator=evaluator, target=target, normalize=False),
        })
    out = {"name": name, "space": {"params": params}, "directions": directions, "points": points, "values": values}
    if objective is not None:
        out["objective"] = objective
    return {**out, "options": importances}


MIN, MAX = ["minimize"], ["maximize"]
CASES = [case(s, s, 150, MIN if i % 2 else MAX) for i, s in enumerate(SPACES)]
CASES += [case(f"{s}, sharp", s, 90, MAX, sharp=0.7) for s in SPACES]
CASES += [case(f"{n} trials", "conditional", n, MIN) for n in (1, 2, 3, 5, 9, 10, 11, 30)]
CASES += [
    case("ties", "mixed", 100, MIN, rounded=0),
    case("all equal", "conditional", 40, MAX, rounded=-3),
    case("two objectives", "conditional", 120, ["maximize", "minimize"]),
    case("two objectives, mixed", "mixed", 200, ["maximize", "minimize"]),
    case("two objectives, ties", "conditional", 120, ["minimize", "minimize"], rounded=1),
    case("two objectives, many ties", "conditional", 120, ["minimize", "maximize"], rounded=0),
    case("two objectives, few", "categorical", 6, ["minimize", "minimize"]),
    case("three objectives", "conditional", 100, ["maximize", "minimize", "minimize"]),
    case("three objectives, ties", "step", 100, ["minimize", "minimize", "minimize"], rounded=1),
    case("one of two", "conditional", 120, ["maximize", "minimize"], objective=0),
    case("other of two", "conditional", 120, ["maximize", "minimize"], objective=1),
    case("quantiles", "conditional", 30, MIN, options=[{"target": t / 10} for t in range(1, 10)]
         + [{"target": t / 10, "region": 0.9} for t in range(1, 9)]),
]


json.dump({"optuna": optuna.__version__, "cases": CASES}, sys.stdout, separators=(",", ":"))
sys.stdout.write("\n")
