// The inner loops of kernel_loops.h, for the best instruction set that the processor has.
#pragma once
#include "support.h"

namespace supermax {

struct Loops {
  void (*dropout)(const float *, float *, int64_t, uint32_t, uint32_t, float);
  float (*add_norm)(const float *, const float *, const float *, const float *, float *, float *, int64_t, float, uint32_t, uint32_t, float);
  void (*add_norm_backward)(const float *, const float *, float, const float *, float *, float *, float *, float *, int64_t, uint32_t, uint32_t, float);
  void (*softmax)(float *, int64_t);
  void (*softmax_backward)(const float *, float *, int64_t);
  void (*gelu)(const float *, float *, int64_t);
  void (*gelu_backward)(const float *, const float *, float *, int64_t);
  double (*squares)(const float *, int64_t);
  void (*adamw)(float *, const float *, float *, float *, int64_t, float, float, float, float, float, float, float, float);
};

// The loops that are used; only tests change them, while nothing else computes.
extern const Loops *selected;

// The hash of a row's key, as the loops have it.
uint32_t mixed(uint32_t key);

} // namespace supermax
