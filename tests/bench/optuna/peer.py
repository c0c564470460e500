"""Measures Optuna for tests/bench/optuna: peer.py GOLDEN MEASUREMENT [ARGUMENT...].

Prints one JSON value. GOLDEN is the folder of hpo_quality.py and hpo_speed.py, whose
functions are searched. Times are in seconds: "wall" and "cpu", the latter of this process.
"""
import ast
import json
import math
import os
import resource
import sys
import tempfile
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def definitions(path, stop):
    """The functions and constants of a program, up to the first statement that holds stop."""
    with open(path) as file:
        source = file.read()
    names = {"np": np, "math": math}
    kept = []
    for node in ast.parse(source).body:
        text = ast.get_source_segment(source, node)
        if stop in text:
            break
        if isinstance(node, ast.FunctionDef) or isinstance(node, ast.Assign) and "sys.argv" not in text and "optuna" not in text:
            kept.append(node)
    exec(compile(ast.Module(kept, []), path, "exec"), names)
    return names


def functions(golden):
    """Every function by name: what it takes is a trial, what it returns a list of values."""
    quality = definitions(os.path.join(golden, "hpo_quality.py"), "def qs")
    speed = definitions(os.path.join(golden, "hpo_speed.py"), "S=optuna.samplers")["suggest"]
    found = {name: (lambda t, f=f: [f(t)]) for name, f in quality["SO"].items()}
    found |= {name: (lambda t, f=f: list(f(t))) for name, (f, _, _) in quality["MO"].items()}
    found["speed20"] = lambda t: [speed(t)]
    found["speed20bi"] = lambda t: (lambda v: [v, math.sin(v)])(speed(t))
    return found


def sampler(name, seed):
    made = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler}[name]
    return made(seed=seed)


def new_study(name, seed, objectives):
    return optuna.create_study(sampler=sampler(name, seed), directions=["minimize"] * objectives)


def objectives_of(f):
    return len(f(optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()))


def one(study, f):
    """Asks for a trial and tells it; returns the seconds until its parameters were known, and all."""
    began = time.perf_counter()
    trial = study.ask()
    values = f(trial)
    known = time.perf_counter()
    study.tell(trial, values)
    return known - began, time.perf_counter() - began


def speed(f, name, trials):
    """Asks and tells that many trials, one after the other."""
    study = new_study(name, 0, objectives_of(f))
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(trials):
        one(study, f)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def random_trials(f, trials):
    """Finished trials at random points."""
    objectives = objectives_of(f)
    source = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), directions=["minimize"] * objectives)
    for _ in range(trials):
        one(source, f)
    return source.get_trials(deepcopy=False), objectives


def filled(f, name, trials):
    """A study of that many finished trials at random points."""
    known, objectives = random_trials(f, trials)
    study = new_study(name, 0, objectives)
    study.add_trials(known)
    return study


def late(f, name, trials, times):
    """What a trial takes after that many others: the seconds of each ask, and of each with its tell."""
    study = filled(f, name, trials)
    both = [one(study, f) for _ in range(times)]
    return {"ask": [a for a, _ in both], "trial": [b for _, b in both]}


def memory(f, name, trials):
    """The most memory that the process held with that many trials and an ask, in bytes."""
    study = filled(f, name, trials)
    one(study, f)
    return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def restore(f, trials, times):
    """What it takes to load a study of that many trials from its journal, and its size."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "journal")
        known, objectives = random_trials(f, trials)
        study = optuna.create_study(study_name="s", storage=JournalStorage(JournalFileBackend(path)), directions=["minimize"] * objectives)
        study.add_trials(known)
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            loaded = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(path)))
            if len(loaded.get_trials(deepcopy=False)) != trials:
                sys.exit("the journal lost trials")
            taken.append(time.perf_counter() - began)
        return {"wall": taken, "bytes": os.path.getsize(path)}


def quality(f, name, slots, trials, seeds):
    """The values of every trial in the order in which they were told, by seed. So many slots
    each have a trial running all the time; the oldest is told first."""
    objectives = objectives_of(f)
    found = []
    for seed in range(seeds):
        study = new_study(name, seed, objectives)
        running, told = [], []
        for n in range(trials):
            while len(running) < min(slots, trials - n):
                trial = study.ask()
                running.append((trial, f(trial)))
            trial, values = running.pop(0)
            study.tell(trial, values)
            told.append(values)
        found.append(told)
    return found


def main():
    golden, what, name, *rest = sys.argv[1:]
    f = functions(golden)[name]
    measured = {"speed": speed, "late": late, "memory": memory, "restore": restore, "quality": quality}[what]
    json.dump(measured(f, *[int(a) if a.isdigit() else a for a in rest]), sys.stdout)


main()
