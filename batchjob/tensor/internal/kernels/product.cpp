// libtorch brings two libraries of matrix products: MKL, which is its BLAS, and oneDNN. On
// processors of AMD MKL leaves AVX-512 alone and is half as fast; on others they are equal.
// libtorch itself uses oneDNN for 16-bit numbers only, but what it calls for them takes floats
// too and is exported.
#include "product.h"

#include <array>

// The BLAS; its C++ front is not exported.
extern "C" void sgemm_(const char *, const char *, const int *, const int *, const int *, const float *, const float *, const int *, const float *, const int *, const float *, float *, const int *);

namespace at::native {
// result = beta * result + alpha * a * b by oneDNN. Weak, as it is not part of libtorch's
// interface: another version may lack it.
__attribute__((weak)) void mkldnn_matmul(const Tensor &a, const Tensor &b, const Tensor &result, float beta, float alpha);
} // namespace at::native

namespace supermax {

namespace {

// Whether oneDNN's products are there and this processor is one that they are made for.
bool onednn_works() {
  if (!at::native::mkldnn_matmul || !at::hasMKLDNN()) return false;
  try {
    Tensor a = at::ones({2, 2}), c = at::zeros({2, 2});
    at::native::mkldnn_matmul(a, a, c, 0, 1);
    return true;
  } catch (const c10::Error &) {
    return false;
  }
}

// A call of oneDNN costs 14 us more than one of the BLAS, which smaller products do not win back.
constexpr int64_t worth_a_call = 1 << 21;
// oneDNN compiles a function for each size, once: 0.2 to 0.5 ms. Where that is much beside the
// product, the dimension that changes is cut to whole blocks, and the BLAS does the rest.
constexpr int64_t worth_compiling = 1 << 28, block = 32;

int64_t whole_blocks(int64_t changing, int64_t others) { return changing * others < worth_compiling ? changing / block * block : changing; }

void blas(const Tensor &a, const Tensor &b, const Tensor &c, bool add) {
  bool ta = a.stride(1) != 1, tb = b.stride(1) != 1;
  gemm(ta, tb, c.size(0), c.size(1), a.size(1), 1, in(a), a.stride(ta ? 1 : 0), in(b), b.stride(tb ? 1 : 0), add ? 1.f : 0.f, out(c), c.stride(0));
}

} // namespace

void gemm(bool ta, bool tb, int64_t m_, int64_t n_, int64_t k_, float alpha, const float *a, int64_t lda_, const float *b, int64_t ldb_, float beta, float *c, int64_t ldc_) {
  const char ca = ta ? 'T' : 'N', cb = tb ? 'T' : 'N';
  const int m = (int)m_, n = (int)n_, k = (int)k_, lda = (int)std::max<int64_t>(1, lda_), ldb = (int)std::max<int64_t>(1, ldb_), ldc = (int)ldc_;
  sgemm_(&cb, &ca, &n, &m, &k, &alpha, b, &ldb, a, &lda, &beta, c, &ldc);
}

bool onednn_gains(int64_t changing, int64_t others) {
  static const bool works = onednn_works();
  return works && whole_blocks(changing, others) * others >= worth_a_call;
}

void product(const Tensor &a, const Tensor &b, const Tensor &c, bool add, bool sums) {
  int changing = sums ? 1 : 0; // the dimension of a
  int64_t all = a.size(changing), whole = whole_blocks(all, c.numel() * a.size(1) / all);
  auto part = [&](int64_t from, int64_t n) { return std::array<Tensor, 3>{a.narrow(changing, from, n), sums ? b.narrow(0, from, n) : b, sums ? c : c.narrow(0, from, n)}; };
  auto first = part(0, whole);
  at::native::mkldnn_matmul(first[0], first[1], first[2], add ? 1.f : 0.f, 1.f);
  if (whole == all) return;
  auto rest = part(whole, all - whole);
  blas(rest[0], rest[1], rest[2], add || sums);
}

} // namespace supermax
