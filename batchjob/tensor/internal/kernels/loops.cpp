// kernel_loops.h compiled once for each instruction set.
#include "loops.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <cmath>

namespace supermax {

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")
namespace generic {
#include "kernel_loops.h"
}
#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
namespace avx2 {
#include "kernel_loops.h"
}
#endif
#pragma GCC pop_options

namespace {

const Loops *loops_of(int level) {
#if defined(__x86_64__)
  if (level == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::loops : nullptr;
#endif
  return level == 0 ? &generic::loops : nullptr;
}

} // namespace

const Loops *selected = loops_of(1) ? loops_of(1) : loops_of(0);

uint32_t mixed(uint32_t key) { return generic::mix(key); }

} // namespace supermax

using namespace supermax;

extern "C" {

int sm_loops_supported(int level) { return loops_of(level) != nullptr; }
int sm_loops_select(int level) {
  return done([&] {
    TORCH_CHECK(loops_of(level), "this processor lacks the instructions of level ", level);
    selected = loops_of(level);
  });
}

} // extern "C"
