"""Writes the state dicts of this folder with torch 1.12.1 (Python 3.10), and expected.json:
each tensor's type, shape and bytes as PyTorch itself sees them."""
import collections
import json
import pathlib

import torch

here = pathlib.Path(__file__).parent
torch.manual_seed(1)

types = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16,
         "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}
state = collections.OrderedDict()
for name, dtype in types.items():
    state[name] = (torch.randn(3, 5) * 50).abs().to(dtype)
base = torch.randn(4, 6)
state["transposed"] = base.t()
state["tied"] = base
state["slice"] = base[1:3, ::2]
state["column"] = base[:, 2]
state["scalar"] = torch.tensor(2.5)
state["empty"] = torch.zeros(0, 3)
state["channels_last"] = torch.randn(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
state["parameter"] = torch.nn.Parameter(torch.randn(2))
module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
with_metadata = module.state_dict()
with_metadata.update(state)

names = {}
for protocol in (2, 4):
    for zipped in (True, False):
        name = f"{'zip' if zipped else 'legacy'}-protocol{protocol}.bin"
        torch.save(with_metadata, here / name, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
torch.save(dict(state), here / "zip-dict.bin")

expected = []
for name, t in with_metadata.items():
    t = t.detach().contiguous()
    raw = bytes(t.view(torch.uint8).flatten().tolist()) if t.dim() and t.numel() and t.dtype is not torch.bool else (
        bytes(int(x) for x in t.flatten().tolist()) if t.dtype is torch.bool else t.numpy().tobytes())
    dtype = {"torch.float32": "F32", "torch.float64": "F64", "torch.float16": "F16", "torch.bfloat16": "BF16", "torch.int64": "I64",
             "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8", "torch.uint8": "U8", "torch.bool": "BOOL"}[str(t.dtype)]
    expected.append({"name": name, "dtype": dtype, "shape": list(t.shape), "bytes": raw.hex()})
(here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

# What must be refused.
class Evil:
    def __reduce__(self):
        import os
        return os.system, ("true",)
torch.save({"a": Evil()}, here / "evil-zip.bin")
torch.save({"a": Evil()}, here / "evil-legacy.bin", _use_new_zipfile_serialization=False)
torch.save(module, here / "module.bin")
torch.save({"state_dict": state, "epoch": 3}, here / "training.bin")
torch.jit.script(torch.nn.Linear(2, 2)).save(str(here / "torchscript.bin"))
