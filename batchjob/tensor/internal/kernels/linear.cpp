// x * weight^T + bias, the step that takes most of a transformer's time.
#include "product.h"

namespace supermax {
namespace {

struct Linear : torch::autograd::Function<Linear> {
  static Tensor forward(AutogradContext *c, const Tensor &x_, const Tensor &weight, const std::optional<Tensor> &bias) {
    Tensor x = x_.contiguous();
    int64_t rows = x.size(0), n = weight.size(0);
    Tensor y = at::empty({rows, n}, x.options());
    if (bias) {
      float *yp = out(y);
      const float *bp = in(*bias);
      at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) std::copy(bp, bp + n, yp + i * n);
      });
    }
    product(x, weight.t(), y, bias.has_value(), false);
    c->saved_data["bias"] = bias.has_value();
    c->save_for_backward({x, weight});
    return y;
  }
  static variable_list backward(AutogradContext *c, variable_list g) {
    auto saved = c->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    Tensor dy = g[0].contiguous(), dx, dweight, dbias;
    if (c->needs_input_grad(0)) product(dy, weight, dx = at::empty_like(x), false, false);
    if (c->needs_input_grad(1)) product(dy.t(), x, dweight = at::empty_like(weight), false, true);
    if (c->saved_data["bias"].toBool() && c->needs_input_grad(2)) dbias = dy.sum(0);
    return {dx, dweight, dbias};
  }
};

} // namespace
} // namespace supermax

using namespace supermax;

extern "C" sm_tensor sm_linear(sm_tensor x_, sm_tensor weight_, sm_tensor bias_) {
  return made([&] {
    const Tensor &x = tensor(x_), &weight = tensor(weight_);
    std::optional<Tensor> bias;
    if (bias_) bias = tensor(bias_);
    auto fits = [](const Tensor &t, int64_t dim) { return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.dim() == dim && t.numel() > 0; };
    if (!fits(x, 2) || !fits(weight, 2) || !weight.is_contiguous() || x.size(1) != weight.size(1) || (bias && (!fits(*bias, 1) || !bias->is_contiguous() || bias->size(0) != weight.size(0))))
      return at::linear(x, weight, bias); // or its error
    // The gradients' products are as large as this one, with the same size that changes.
    return onednn_gains(x.size(0), weight.numel()) ? Linear::apply(x, weight, bias) : at::linear(x, weight, bias);
  });
}
