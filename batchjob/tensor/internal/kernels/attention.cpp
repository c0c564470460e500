// Attention within the rows of a batch without padding, on the CPU.
#include "drop.h"
#include "product.h"

#include <cmath>
#include <vector>

namespace supermax {
namespace {

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

} // namespace
} // namespace supermax

using namespace supermax;

extern "C" sm_tensor sm_attention(sm_tensor q, sm_tensor k, sm_tensor v, const int64_t *starts, int rows, int heads, sm_drop d) {
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
