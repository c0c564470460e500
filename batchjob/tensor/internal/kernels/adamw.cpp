// One step of AdamW over all parameters, by our loops or by the library's operations.
#include "loops.h"

#include <cmath>
#include <vector>

namespace supermax {
namespace {

// The parameters of one step that have a gradient.
struct Group {
  std::vector<Tensor> p, g, m, v;
  std::vector<double> keep, rate, root; // see adamw in kernel_loops.h
};

Group collect(const sm_tensor *p, const sm_tensor *m, const sm_tensor *v, const double *decay, const int64_t *steps, int n, const sm_adamw_options &o) {
  Group group;
  for (int i = 0; i < n; i++) {
    Tensor g = tensor(p[i]).grad();
    if (!g.defined()) continue;
    double t = (double)(steps[i] + 1);
    group.p.push_back(tensor(p[i]));
    group.g.push_back(g.contiguous());
    group.m.push_back(tensor(m[i]));
    group.v.push_back(tensor(v[i]));
    group.keep.push_back(1 - o.lr * decay[i]);
    group.rate.push_back(o.lr / (1 - std::pow(o.beta1, t)));
    group.root.push_back(std::sqrt(1 - std::pow(o.beta2, t)));
  }
  return group;
}

double clip_of(double norm, double most) { return most > 0 ? std::min(1.0, most / (norm + 1e-6)) : 1.0; }

void adamw_kernels(Group &a, const sm_adamw_options &o, double *norm) {
  double total = 0;
  for (const Tensor &g : a.g) total += selected->squares(in(g), g.numel());
  *norm = std::sqrt(total);
  if (!std::isfinite(*norm)) return;
  float clip = (float)clip_of(*norm, o.max_norm);
  for (size_t i = 0; i < a.p.size(); i++)
    selected->adamw(out(a.p[i]), in(a.g[i]), out(a.m[i]), out(a.v[i]), a.p[i].numel(), clip, (float)a.keep[i], (float)a.rate[i], (float)(1 / a.root[i]), (float)(1 - o.beta1), (float)o.beta2, (float)(1 - o.beta2), (float)o.eps);
}

std::vector<at::Scalar> scalars(const std::vector<double> &v, double factor) {
  std::vector<at::Scalar> s;
  for (double x : v) s.emplace_back(x * factor);
  return s;
}

void adamw_library(Group &a, const sm_adamw_options &o, double *norm) {
  *norm = 0;
  if (a.p.empty()) return;
  *norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(a.g, 2))).item<double>();
  if (!std::isfinite(*norm)) return;
  double clip = clip_of(*norm, o.max_norm);
  if (clip < 1) a.g = at::_foreach_mul(a.g, clip);
  at::_foreach_mul_(a.p, scalars(a.keep, 1));
  at::_foreach_lerp_(a.m, a.g, 1 - o.beta1);
  at::_foreach_mul_(a.v, o.beta2);
  at::_foreach_addcmul_(a.v, a.g, a.g, 1 - o.beta2);
  auto root = at::_foreach_sqrt(a.v);
  at::_foreach_div_(root, scalars(a.root, 1));
  at::_foreach_add_(root, o.eps);
  at::_foreach_addcdiv_(a.p, a.m, root, scalars(a.rate, -1));
}

} // namespace
} // namespace supermax

using namespace supermax;

extern "C" int sm_adamw(int library, const sm_tensor *p, const sm_tensor *m, const sm_tensor *v, const double *decay, int64_t *steps, int n, sm_adamw_options o, double *norm) {
  return done([&] {
    torch::NoGradGuard no_grad;
    Group group = collect(p, m, v, decay, steps, n, o);
    if (library)
      adamw_library(group, o, norm);
    else
      adamw_kernels(group, o, norm);
    if (!std::isfinite(*norm)) return;
    for (int i = 0; i < n; i++) steps[i] += tensor(p[i]).grad().defined();
  });
}
