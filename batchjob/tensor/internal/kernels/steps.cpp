// The steps between a network's matrix products: dropout, residual with LayerNorm, GELU. They use
// as many threads as the library does: one in a slot by default, since more slots use more cores
// better.
#include "drop.h"

namespace supermax {
namespace {

struct Dropout : torch::autograd::Function<Dropout> {
  static Tensor apply_to(const Tensor &x, const Drop &d) {
    Tensor y = at::empty_like(x);
    int64_t columns = x.size(1);
    const float *from = in(x);
    float *to = out(y);
    at::parallel_for(0, x.size(0), grain(columns), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) selected->dropout(from + i * columns, to + i * columns, columns, d.key(i), d.threshold(), d.scale());
    });
    return y;
  }
  static Tensor forward(AutogradContext *c, const Tensor &x, const Drop &d) {
    d.save(c);
    c->save_for_backward({d.keys});
    return apply_to(x.contiguous(), d);
  }
  static variable_list backward(AutogradContext *c, variable_list g) {
    Drop d(c->get_saved_variables()[0], c);
    return {apply_to(g[0].contiguous(), d), Tensor()};
  }
};

// LayerNorm(dropout(x) + residual) * weight + bias over the last dimension.
struct AddNorm : torch::autograd::Function<AddNorm> {
  static Tensor forward(AutogradContext *c, const Tensor &x_, const Tensor &residual_, const Tensor &weight, const Tensor &bias, double eps, const Drop &d) {
    Tensor x = x_.contiguous(), residual = residual_.contiguous();
    int64_t rows = x.size(0), n = x.size(1);
    Tensor y = at::empty_like(x), z = at::empty_like(x), inverse = at::empty({rows}, x.options());
    const float *xp = in(x), *rp = in(residual), *wp = in(weight), *bp = in(bias);
    float *zp = out(z), *yp = out(y), *ip = out(inverse);
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        ip[i] = selected->add_norm(xp + i * n, rp + i * n, wp, bp, zp + i * n, yp + i * n, n, (float)eps, d.key(i), d.threshold(), d.scale());
    });
    d.save(c);
    c->save_for_backward({z, inverse, weight, d.keys});
    return y;
  }
  static variable_list backward(AutogradContext *c, variable_list g) {
    auto saved = c->get_saved_variables();
    const Tensor &z = saved[0], &inverse = saved[1], &weight = saved[2];
    Drop d(saved[3], c);
    Tensor dy = g[0].contiguous(), dresidual = at::empty_like(z), dx = d.p == 0 ? dresidual : at::empty_like(z);
    int64_t rows = z.size(0), n = z.size(1);
    Tensor dweight = at::zeros({n}, z.options()), dbias = at::zeros({n}, z.options());
    const float *gp = in(dy), *zp = in(z), *ip = in(inverse), *wp = in(weight);
    float *xp = out(dx), *rp = out(dresidual), *dwp = out(dweight), *dbp = out(dbias);
    for (int64_t i = 0; i < rows; i++)
      selected->add_norm_backward(gp + i * n, zp + i * n, ip[i], wp, xp + i * n, rp + i * n, dwp, dbp, n, d.key(i), d.threshold(), d.scale());
    return {dx, dresidual, dweight, dbias, Tensor(), Tensor()};
  }
};

struct Gelu : torch::autograd::Function<Gelu> {
  static Tensor forward(AutogradContext *c, const Tensor &x_) {
    Tensor x = x_.contiguous(), y = at::empty_like(x);
    const float *xp = in(x);
    float *yp = out(y);
    at::parallel_for(0, x.numel(), grain(1), [&](int64_t begin, int64_t end) { selected->gelu(xp + begin, yp + begin, end - begin); });
    c->save_for_backward({x});
    return y;
  }
  static variable_list backward(AutogradContext *c, variable_list g) {
    Tensor x = c->get_saved_variables()[0], dy = g[0].contiguous(), dx = at::empty_like(x);
    const float *xp = in(x), *gp = in(dy);
    float *dp = out(dx);
    at::parallel_for(0, x.numel(), grain(1), [&](int64_t begin, int64_t end) { selected->gelu_backward(xp + begin, gp + begin, dp + begin, end - begin); });
    return {dx};
  }
};

} // namespace
} // namespace supermax

using namespace supermax;

extern "C" {

sm_tensor sm_dropout(sm_tensor x, sm_drop d) {
  return made([&] {
    check_matrix(tensor(x), "dropout's input");
    return Dropout::apply(tensor(x), Drop(d, tensor(x).size(0)));
  });
}

sm_tensor sm_add_norm(sm_tensor x, sm_tensor residual, sm_tensor weight, sm_tensor bias, double eps, sm_drop d) {
  return made([&] {
    check_matrix(tensor(x), "LayerNorm's input");
    check_matrix(tensor(residual), "LayerNorm's residual");
    TORCH_CHECK(tensor(x).sizes() == tensor(residual).sizes(), "LayerNorm of ", tensor(x).sizes(), " with residual ", tensor(residual).sizes());
    int64_t n = tensor(x).size(1);
    for (const Tensor &t : {tensor(weight), tensor(bias)}) TORCH_CHECK(t.is_contiguous() && t.scalar_type() == at::kFloat && t.sizes() == at::IntArrayRef(&n, 1), "LayerNorm of ", n, " columns with a parameter of ", t.sizes());
    return AddNorm::apply(tensor(x), tensor(residual), tensor(weight), tensor(bias), eps, Drop(d, tensor(x).size(0)));
  });
}

sm_tensor sm_gelu(sm_tensor x) {
  return made([&] {
    TORCH_CHECK(tensor(x).device().is_cpu() && tensor(x).scalar_type() == at::kFloat, "gelu of ", tensor(x).toString());
    return Gelu::apply(tensor(x));
  });
}

sm_tensor sm_gelu_library(sm_tensor x, int tanh) {
  return made([&] { return at::gelu(tensor(x), tanh ? "tanh" : "none"); });
}

} // extern "C"
