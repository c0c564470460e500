// Small CPU kernels where a training step of a small model spends its time, and the few
// library calls that gotch's libtch lacks. See kernels.h; the loops are in kernel_loops.h.
// They use as many threads as the library does: one in a slot by default, since more slots use
// more cores better.
#include "kernels.h"
#include "product.h"
#include "support.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <climits>
#include <cmath>
#include <vector>

using namespace supermax;

namespace {

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

const Loops *loops_of(int level) {
#if defined(__x86_64__)
  if (level == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::loops : nullptr;
#endif
  return level == 0 ? &generic::loops : nullptr;
}

const Loops *selected = loops_of(1) ? loops_of(1) : loops_of(0);

void check_matrix(const Tensor &t, const char *what) {
  TORCH_CHECK(t.device().is_cpu() && t.scalar_type() == at::kFloat && t.dim() == 2, what, " must be a float matrix on the CPU, not ", t.toString(), t.sizes());
}

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
  uint32_t key(int64_t row) const { return p == 0 ? 0 : generic::mix(list()[row] ^ seed); }
  // The key of one attention head's row.
  uint32_t key(int64_t row, int64_t head) const { return p == 0 ? 0 : generic::mix((list()[row] ^ seed) + (uint32_t)(head + 1) * 0x85EBCA6Bu); }
  const uint32_t *list() const { return reinterpret_cast<const uint32_t *>(keys.const_data_ptr<int32_t>()); }
};

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

// Scaled dot product attention of every row with itself: q, k, v and the result are
// [tokens, heads * size], row r is starts[r] to starts[r+1].
struct Attention : torch::autograd::Function<Attention> {
  // One head of one row.
  struct Part {
    int64_t at, length, head, offset; // first token, tokens, head, place in the probabilities
  };
  static std::vector<Part> parts(at::IntArrayRef starts, int64_t heads, int64_t *total) {
    std::vector<Part> list;
    int64_t offset = 0;
    for (size_t r = 0; r + 1 < starts.size(); r++) {
      int64_t length = starts[r + 1] - starts[r];
      for (int64_t h = 0; h < heads; h++, offset += length * length) list.push_back({starts[r], length, h, offset});
    }
    *total = offset;
    return list;
  }
  static int64_t longest(const std::vector<Part> &list) {
    int64_t most = 0;
    for (const Part &p : list) most = std::max(most, p.length);
    return most;
  }
  // Room for one head's dropped probabilities. It comes from the library's allocator
  // because that aligns: vectorised sums depend on alignment, runs must repeat bit by bit.
  static Tensor scratch(const Drop &d, const Tensor &like, int64_t most) { return at::empty({d.p > 0 ? most * most : 0}, like.options()); }
  static Tensor forward(AutogradContext *c, const Tensor &q_, const Tensor &k_, const Tensor &v_, at::IntArrayRef starts, int64_t heads, const Drop &d) {
    Tensor q = q_.contiguous(), k = k_.contiguous(), v = v_.contiguous();
    int64_t hidden = q.size(1), size = hidden / heads, total;
    std::vector<Part> list = parts(starts, heads, &total);
    int64_t most = longest(list);
    Tensor probabilities = at::empty({total}, q.options()), y = at::empty_like(q);
    const float *qp = in(q), *kp = in(k), *vp = in(v);
    float *pp = out(probabilities), *yp = out(y);
    at::parallel_for(0, (int64_t)list.size(), grain(most * most), [&](int64_t begin, int64_t end) {
      Tensor room = scratch(d, q, most);
      float *kept = out(room);
      for (int64_t which = begin; which < end; which++) {
        const Part &part = list[which];
        int64_t n = part.length, from = part.at * hidden + part.head * size;
        float *p = pp + part.offset;
        gemm(false, true, n, n, size, 1.f / std::sqrt((float)size), qp + from, hidden, kp + from, hidden, 0, p, n);
        for (int64_t i = 0; i < n; i++) {
          selected->softmax(p + i * n, n);
          if (d.p > 0) selected->dropout(p + i * n, kept + i * n, n, d.key(part.at + i, part.head), d.threshold(), d.scale());
        }
        gemm(false, false, n, size, n, 1, d.p > 0 ? kept : p, n, vp + from, hidden, 0, yp + from, hidden);
      }
    });
    d.save(c);
    c->saved_data["starts"] = starts.vec();
    c->saved_data["heads"] = heads;
    c->save_for_backward({q, k, v, probabilities, d.keys});
    return y;
  }
  static variable_list backward(AutogradContext *c, variable_list g) {
    auto saved = c->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &probabilities = saved[3];
    Drop d(saved[4], c);
    int64_t heads = c->saved_data["heads"].toInt(), hidden = q.size(1), size = hidden / heads, total;
    std::vector<int64_t> starts = c->saved_data["starts"].toIntVector();
    std::vector<Part> list = parts(starts, heads, &total);
    int64_t most = longest(list);
    Tensor dy = g[0].contiguous(), dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    float scale = 1.f / std::sqrt((float)size);
    const float *gp = in(dy), *qp = in(q), *kp = in(k), *vp = in(v), *pp = in(probabilities);
    float *dqp = out(dq), *dkp = out(dk), *dvp = out(dv);
    at::parallel_for(0, (int64_t)list.size(), grain(most * most), [&](int64_t begin, int64_t end) {
      Tensor room = scratch(d, q, most), scores = at::empty({most * most}, q.options());
      float *kept = out(room), *s = out(scores);
      for (int64_t which = begin; which < end; which++) {
        const Part &part = list[which];
        int64_t n = part.length, from = part.at * hidden + part.head * size;
        const float *p = pp + part.offset;
        gemm(false, true, n, n, size, 1, gp + from, hidden, vp + from, hidden, 0, s, n);
        for (int64_t i = 0; i < n; i++) {
          if (d.p > 0) {
            uint32_t key = d.key(part.at + i, part.head);
            selected->dropout(p + i * n, kept + i * n, n, key, d.threshold(), d.scale());
            selected->dropout(s + i * n, s + i * n, n, key, d.threshold(), d.scale());
          }
          selected->softmax_backward(p + i * n, s + i * n, n);
        }
        gemm(true, false, n, size, n, 1, d.p > 0 ? kept : p, n, gp + from, hidden, 0, dvp + from, hidden);
        gemm(false, false, n, size, n, scale, s, n, kp + from, hidden, 0, dqp + from, hidden);
        gemm(true, false, n, size, n, scale, s, n, qp + from, hidden, 0, dkp + from, hidden);
      }
    });
    return {dq, dk, dv, Tensor(), Tensor(), Tensor()};
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

extern "C" {

const char *sm_error(void) { return last_error.c_str(); }
int sm_error_is_memory(void) { return last_error_is_memory; }

int sm_loops_supported(int level) { return loops_of(level) != nullptr; }
int sm_loops_select(int level) {
  return done([&] {
    TORCH_CHECK(loops_of(level), "this processor lacks the instructions of level ", level);
    selected = loops_of(level);
  });
}

int sm_cuda_available(void) { return torch::cuda::is_available(); }

int sm_set_threads(int n) {
  return done([&] { at::set_num_threads(n); });
}

void sm_keep_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20); // the most that is allowed
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

void sm_trim_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

void sm_free(const sm_tensor *t, int n) {
  for (int i = 0; i < n; i++) delete static_cast<Tensor *>(t[i]);
}

int sm_write(sm_tensor t, const float *data, int64_t n) {
  return done([&] {
    torch::NoGradGuard no_grad;
    TORCH_CHECK(tensor(t).numel() == n, n, " values for ", tensor(t).numel(), " elements");
    tensor(t).copy_(at::from_blob(const_cast<float *>(data), tensor(t).sizes(), at::kFloat));
  });
}

int sm_read(sm_tensor t, float *data, int64_t n) {
  return done([&] {
    torch::NoGradGuard no_grad;
    TORCH_CHECK(tensor(t).numel() == n, n, " values of ", tensor(t).numel(), " elements");
    at::from_blob(data, tensor(t).sizes(), at::kFloat).copy_(tensor(t));
  });
}

int sm_backward(sm_tensor y, sm_tensor grad) {
  return done([&] { tensor(y).backward(grad ? tensor(grad) : Tensor()); });
}

int sm_grad(sm_tensor t, sm_tensor *grad) {
  return done([&] {
    if (tensor(t).grad().defined()) *grad = new Tensor(tensor(t).grad());
  });
}

int sm_clear_grads(const sm_tensor *t, int n) {
  return done([&] {
    for (int i = 0; i < n; i++) static_cast<Tensor *>(t[i])->mutable_grad().reset();
  });
}

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

sm_tensor sm_attention(sm_tensor q, sm_tensor k, sm_tensor v, const int64_t *starts, int rows, int heads, sm_drop d) {
  return made([&] {
    const Tensor &x = tensor(q);
    check_matrix(x, "attention's query");
    check_matrix(tensor(k), "attention's key");
    check_matrix(tensor(v), "attention's value");
    TORCH_CHECK(tensor(k).sizes() == x.sizes() && tensor(v).sizes() == x.sizes(), "attention of ", x.sizes(), ", ", tensor(k).sizes(), " and ", tensor(v).sizes());
    TORCH_CHECK(heads > 0 && x.size(1) % heads == 0, "attention with ", x.size(1), " columns and ", heads, " heads");
    TORCH_CHECK(rows > 0 && starts[0] == 0 && starts[rows] == x.size(0), "attention's rows do not cover its ", x.size(0), " tokens");
    for (int r = 0; r < rows; r++) TORCH_CHECK(starts[r] < starts[r + 1], "attention's row ", r, " is empty");
    return Attention::apply(x, tensor(k), tensor(v), at::IntArrayRef(starts, (size_t)rows + 1), (int64_t)heads, Drop(d, x.size(0)));
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

int sm_adamw(int library, const sm_tensor *p, const sm_tensor *m, const sm_tensor *v, const double *decay, int64_t *steps, int n, sm_adamw_options o, double *norm) {
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

} // extern "C"
