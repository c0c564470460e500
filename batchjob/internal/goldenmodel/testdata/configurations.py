"""Writes golden models of configurations that the golden folder's first twelve do not have, in
the same layout, with Hugging Face's library:

    pip install -r ../../../../tests/bench/backbones/requirements.txt   # torch 2.7.1, transformers 4.56.2
    python configurations.py ../../../../tests/golden/models [NAME ...]

The models are smaller than the first ones, read random ids, and have neither a folder base nor
all gradients.
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

LENGTHS, LONGEST, VOCABULARY, CLASSES = (12, 1, 25, 40), 40, 60, 3
SIZES = {
    "hidden_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 40,
    "vocab_size": VOCABULARY, "max_position_embeddings": 48, "initializer_range": 0.2,
}
DEBERTA = {"model_type": "deberta-v2", "relative_attention": True, "position_biased_input": False, "type_vocab_size": 0}
CONFIGURATIONS = {
    "bert-relative-key": {"model_type": "bert", "position_embedding_type": "relative_key", "hidden_act": "relu", "num_attention_heads": 3},
    "roberta-relative-key-query": {"model_type": "roberta", "position_embedding_type": "relative_key_query", "pad_token_id": 1},
    "albert-relative-key-query": {"model_type": "albert", "position_embedding_type": "relative_key_query", "embedding_size": 16,
                                  "num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 1},
    "convbert-few-heads": {"model_type": "convbert", "embedding_size": 24, "head_ratio": 8, "conv_kernel_size": 5, "num_groups": 4, "pad_token_id": 1},
    "deberta-v2-c2p": {**DEBERTA, "pos_att_type": "c2p", "share_att_key": False, "position_buckets": 16, "max_relative_positions": 32, "norm_rel_ebd": "layer_norm"},
    "deberta-v2-absolute": {"model_type": "deberta-v2", "relative_attention": False, "type_vocab_size": 2},
    "deberta-v2-short": {**DEBERTA, "pos_att_type": "p2c|c2p", "share_att_key": True, "max_relative_positions": 10, "hidden_act": "gelu_new"},
    "distilbert-sinusoidal": {"model_type": "distilbert", "sinusoidal_pos_embds": True, "activation": "relu", "hidden_dim": 40},
    "xlnet-clamp": {"model_type": "xlnet", "clamp_len": 15, "ff_activation": "relu", "d_inner": 40},
}
POOLINGS = ("cls", "mean", "max", "attention")
LOSSES = {"plain": (False, 0.0), "weights": (True, 0.0), "smooth": (False, 0.1), "both": (True, 0.1)}


def config_of(settings):
    """The configuration, with the sizes under the model type's own names."""
    config = transformers.AutoConfig.for_model(settings["model_type"])
    own = {config.attribute_map.get(key, key): value for key, value in SIZES.items()}
    if settings["model_type"] == "xlnet":
        del own["max_position_embeddings"]
    return transformers.AutoConfig.for_model(**{**own, **settings}, num_labels=CLASSES)


def rows_of(config, side, generator):
    ids = torch.full((len(LENGTHS), LONGEST), config.pad_token_id or 0)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for r, n in enumerate(LENGTHS):
        at = slice(0, n) if side == "right" else slice(LONGEST - n, LONGEST)
        ids[r, at], mask[r, at] = torch.randint(8, VOCABULARY, (n,), generator=generator), 1
        if n == 25 and getattr(config, "type_vocab_size", 2) != 1:
            types[r, at][10:] = 1
    return ids, mask, types


def pooled(kind, states, mask, vector, ends):
    present = mask.unsqueeze(-1).float()
    if kind == "cls":
        return states[torch.arange(len(mask)), [int(row.nonzero().max()) for row in mask]] if ends else states[:, 0]
    if kind == "mean":
        return (states * present).sum(1) / present.sum(1)
    if kind == "max":
        return states.masked_fill(present == 0, float("-inf")).max(1).values
    weights = (states @ vector).masked_fill(mask == 0, float("-inf")).softmax(-1)
    return (states * weights.unsqueeze(-1)).sum(1)


class Case:
    def __init__(self, settings, seed):
        self.generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self.config = config_of(settings)
        self.model = transformers.AutoModelForSequenceClassification.from_config(self.config, attn_implementation="eager").eval()
        for name, p in self.model.named_parameters():
            if p.dim() == 1:
                p.data = 0.2 * self.normal(*p.shape) + float(name.lower().endswith(("layernorm.weight", "layer_norm.weight")))
        self.encoder = getattr(self.model, self.model.base_model_prefix)
        self.start = {n: p.detach().clone() for n, p in self.encoder.named_parameters()}
        self.xlnet = settings["model_type"] == "xlnet"
        self.reads_types = settings["model_type"] not in ("roberta", "distilbert") and getattr(self.config, "type_vocab_size", 2) != 0
        self.head = {"head.weight": 0.3 * self.normal(CLASSES, 24), "head.bias": 0.1 * self.normal(CLASSES), "attn_pool.weight": 0.3 * self.normal(24)}
        self.labels, self.class_weights = torch.tensor([0, 2, 1, 2]), torch.tensor([0.5, 1.0, 2.0])

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def reset(self):
        for name, p in self.encoder.named_parameters():
            p.data.copy_(self.start[name])

    def side(self, side):
        """The tensors and the numbers of one side of padding."""
        self.reset()
        ids, mask, types = rows_of(self.config, side, self.generator)
        self.inputs = {"input_ids": ids, "attention_mask": mask}
        if self.reads_types:
            self.inputs["token_type_ids"] = types
        tensors = {**self.inputs, **self.head, "labels": self.labels, "class_weights": self.class_weights}
        if not self.reads_types:
            tensors["token_type_ids_unused"] = types
        with torch.no_grad():
            out = self.encoder(**self.inputs, output_hidden_states=True)
            tensors["seqcls_logits"] = self.model(**self.inputs).logits
        tensors["last_hidden_state"] = out.last_hidden_state
        for i, states in enumerate(out.hidden_states):
            tensors[f"hidden_states.{i}"] = states
        if getattr(out, "pooler_output", None) is not None:
            tensors["pooler_output"] = out.pooler_output
        pools = {kind: self.pool(kind, tensors) for kind in POOLINGS}
        return {k: v.contiguous().clone() for k, v in tensors.items()}, {"pools": pools}

    def pool(self, kind, tensors):
        """The numbers of one pooling."""
        self.reset()
        params = dict(self.encoder.named_parameters())
        for name, value in self.head.items():
            if kind == "attention" or name != "attn_pool.weight":
                params[name] = torch.nn.Parameter(value.clone())
        vector = params.get("attn_pool.weight")

        def forward():
            states = self.encoder(**self.inputs).last_hidden_state
            x = pooled(kind, states, self.inputs["attention_mask"], vector, self.xlnet)
            return x, x @ params["head.weight"].t() + params["head.bias"]

        def loss(logits, variant):
            weighted, smoothing = LOSSES[variant]
            return F.cross_entropy(logits, self.labels, self.class_weights if weighted else None, label_smoothing=smoothing)

        with torch.no_grad():
            tensors[f"{kind}.pooled"], tensors[f"{kind}.logits"] = forward()
            numbers = {"losses": {variant: loss(tensors[f"{kind}.logits"], variant).item() for variant in LOSSES}}
        for variant in ("plain", "both"):
            for p in params.values():
                p.grad = None
            loss(forward()[1], variant).backward()
            grads = {n: p.grad for n, p in params.items() if p.grad is not None}
            numbers[f"grad_norm_{variant}"] = {n: g.norm().item() for n, g in grads.items()}
            if variant == "both" and kind in ("cls", "attention"):
                for name in list(grads)[:: max(1, len(grads) // 6)]:
                    tensors[f"{kind}.grad.{name}"] = grads[name].clone()
        numbers["no_grad"] = [n for n in params if n not in grads]
        before = {n: p.detach().clone() for n, p in params.items()}
        optimizer, losses = torch.optim.AdamW(params.values(), lr=1e-3, weight_decay=0.01), []
        for _ in range(3):
            optimizer.zero_grad()
            value = loss(forward()[1], "both")
            losses.append(value.item())
            value.backward()
            optimizer.step()
        with torch.no_grad():
            tensors[f"{kind}.after3.logits"] = forward()[1]
            losses.append(loss(tensors[f"{kind}.after3.logits"], "both").item())
        numbers["adamw3"] = {
            "losses_before_each_step_and_after": losses,
            "param_norm": {n: p.norm().item() for n, p in params.items()},
            "delta_norm": {n: (p - before[n]).norm().item() for n, p in params.items()},
            "head.weight": params["head.weight"].detach().flatten().tolist(),
        }
        return numbers


def main(to, names):
    transformers.logging.set_verbosity_error()
    for seed, name in enumerate(CONFIGURATIONS):
        if names and name not in names:
            continue
        case, folder, sides = Case(CONFIGURATIONS[name], seed), Path(to) / name, {}
        folder.mkdir(parents=True, exist_ok=True)
        case.model.save_pretrained(folder)
        for side in ("right", "left") if case.xlnet else ("right",):
            tensors, sides[side] = case.side(side)
            save_file(tensors, folder / (f"golden_{side}.safetensors" if case.xlnet else "golden.safetensors"))
        (folder / "golden.json").write_text(json.dumps({"sides": sides}) + "\n")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
