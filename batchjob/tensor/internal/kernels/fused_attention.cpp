// Attention of packed rows by the library's fused kernel for a GPU (Rabe and Staats 2021; Lefaudeux
// et al., xFormers, 2022), which reads where each row begins: no padding, no matrix of scores.
#include "support.h"

#include <ATen/Context.h>

#include <mutex>

using namespace supermax;

// The kernel draws its dropout from the device's generator. It is set anew for each call, so that
// the masks depend on seed and rows alone: an attention that is computed again, by a checkpoint
// or in a resumed run, drops the same.
extern "C" sm_tensor sm_fused_attention(sm_tensor q_, sm_tensor k_, sm_tensor v_, sm_tensor starts_, int64_t longest, int heads, uint64_t seed, double p) {
  return made([&] {
    const Tensor &q = tensor(q_), &starts = tensor(starts_);
    TORCH_CHECK(q.dim() == 2 && heads > 0 && q.size(1) % heads == 0, "attention of ", q.sizes(), " with ", heads, " heads");
    auto by_heads = [&](sm_tensor t) { return tensor(t).contiguous().view({1, q.size(0), heads, q.size(1) / heads}); };
    if (p > 0) {
      at::Generator generator = at::globalContext().defaultGenerator(q.device());
      std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(seed);
    }
    const int no_mask = 0;
    const bool for_backward = true;
    auto attended = at::_efficient_attention_forward(by_heads(q_), by_heads(k_), by_heads(v_), std::nullopt, starts, starts, longest, longest, p, no_mask, for_backward);
    return std::get<0>(attended).reshape(q.sizes());
  });
}
