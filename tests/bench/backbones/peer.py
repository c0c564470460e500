"""Measures a Hugging Face classifier for tests/bench/backbones.

Reads one JSON object from standard input: a config, batches of rows of token ids, which
attention, how many threads and rounds. Prints a JSON list with the seconds of each forward and
backward pass (training mode, dropout on, no optimizer) after the first round.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import transformers

request = json.load(sys.stdin)
torch.set_num_threads(request["threads"])
torch.manual_seed(0)
transformers.logging.set_verbosity_error()
config = transformers.AutoConfig.for_model(**request["config"], num_labels=2)
model = transformers.AutoModelForSequenceClassification.from_config(config, attn_implementation=request["attention"])
model.train()

batches = []
for rows in request["batches"]:
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    batches.append((ids, mask, torch.arange(len(rows)) % 2))

seconds = []
for round_number in range(request["rounds"]):
    for ids, mask, labels in batches:
        began = time.perf_counter()
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        took = time.perf_counter() - began
        model.zero_grad(set_to_none=True)
        if round_number > 0:
            seconds.append(took)
json.dump(seconds, sys.stdout)
