// Matrix products on the CPU, by the fastest of what libtorch brings.
#pragma once
#include "support.h"

namespace supermax {

// C = alpha * op(A) * op(B), row-major, C is m by n. This is the BLAS.
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

// Whether product may be called, and is faster than the BLAS: changing is the size that changes from batch to batch,
// others is the product of the two other sizes.
bool onednn_gains(int64_t changing, int64_t others);

// c = a * b, or c += a * b, of float matrices that are contiguous or transposed. The size of one
// of the product's dimensions changes from batch to batch: c's rows, or with sums those that are
// summed over. onednn_gains must have said so of these sizes, and no gradient may be recorded.
void product(const Tensor &a, const Tensor &b, const Tensor &c, bool add, bool sums);

} // namespace supermax
