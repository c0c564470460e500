// Dropout as a function of keys: see sm_drop in kernels.h.
#pragma once
#include "loops.h"

namespace supermax {

// A dropout as the autograd functions keep it between forward and backward.
struct Drop {
  Tensor keys; // undefined without dropout
  uint32_t seed = 0;
  double p = 0;

  Drop(sm_drop d, int64_t rows) : seed(d.seed), p(d.p) {
    TORCH_CHECK(p >= 0 && p < 1, "dropout probability ", p, " is not in [0, 1)");
    if (p == 0) return;
    TORCH_CHECK(d.keys != nullptr, "dropout without keys");
    keys = tensor(d.keys);
    TORCH_CHECK(keys.scalar_type() == at::kInt && keys.device().is_cpu() && keys.is_contiguous() && keys.numel() == rows, "dropout needs ", rows, " keys of 32 bits");
  }
  Drop(const Tensor &keys, AutogradContext *c) : keys(keys), seed((uint32_t)c->saved_data["seed"].toInt()), p(c->saved_data["p"].toDouble()) {}

  void save(AutogradContext *c) const {
    c->saved_data["seed"] = (int64_t)seed;
    c->saved_data["p"] = p;
  }
  uint32_t threshold() const { return (uint32_t)(p * 4294967296.0); }
  float scale() const { return (float)(1 / (1 - p)); }
  uint32_t key(int64_t row) const { return p == 0 ? 0 : mixed(list()[row] ^ seed); }
  // The key of one attention head's row.
  uint32_t key(int64_t row, int64_t head) const { return p == 0 ? 0 : mixed((list()[row] ^ seed) + (uint32_t)(head + 1) * 0x85EBCA6Bu); }
  const uint32_t *list() const { return reinterpret_cast<const uint32_t *>(keys.const_data_ptr<int32_t>()); }
};

} // namespace supermax
