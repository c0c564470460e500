// The library's calls that gotch's libtch lacks, or has with faults.
#include "support.h"

#include <torch/cuda.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <climits>

using namespace supermax;

extern "C" {

const char *sm_error(void) { return last_error.c_str(); }
int sm_error_is_memory(void) { return last_error_is_memory; }

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

} // extern "C"
