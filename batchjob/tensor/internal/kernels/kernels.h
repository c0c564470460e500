// The C face of this package's C++ files: what gotch's libtch lacks, on the same torch::Tensor
// pointers. A function that makes a tensor returns NULL on an error, the others return
// non-zero; sm_error then tells this thread's message. Nothing here is freed by the
// callee: tensors that are returned belong to the caller.
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef void *sm_tensor;

// Which masks a dropout draws: element (row n, column j) is kept when
// mix(mix(keys[n] ^ seed) + j * 0x9E3779B9) >= p * 2^32. p is 0 for no dropout, and then
// keys may be NULL.
typedef struct {
  sm_tensor keys; // int32 [rows], one a token
  uint32_t seed;  // of seed, step and site
  double p;
} sm_drop;

const char *sm_error(void);
int sm_error_is_memory(void);

int sm_loops_supported(int level); // 0 generic, 1 AVX2
int sm_loops_select(int level);    // for the whole process; before any tensor work

int sm_cuda_available(void);
int sm_set_threads(int n);
void sm_keep_memory(void); // for the whole process: what is freed is kept for the next tensor
void sm_trim_memory(void); // gives back what is kept
void sm_free(const sm_tensor *t, int n);
int sm_write(sm_tensor t, const float *data, int64_t n);
int sm_read(sm_tensor t, float *data, int64_t n);
int sm_backward(sm_tensor y, sm_tensor grad); // grad is that of y, NULL for a scalar's 1
int sm_grad(sm_tensor t, sm_tensor *grad); // *grad stays NULL where there is none
int sm_clear_grads(const sm_tensor *t, int n);

sm_tensor sm_linear(sm_tensor x, sm_tensor weight, sm_tensor bias); // bias may be NULL
sm_tensor sm_dropout(sm_tensor x, sm_drop d);
sm_tensor sm_add_norm(sm_tensor x, sm_tensor residual, sm_tensor weight, sm_tensor bias, double eps, sm_drop d);
sm_tensor sm_attention(sm_tensor q, sm_tensor k, sm_tensor v, const int64_t *starts, int rows, int heads, sm_drop d);
// On a GPU alone: starts is int32 [rows + 1] there, the heads' size is a multiple of 4, and seed
// says what is dropped with probability p.
sm_tensor sm_fused_attention(sm_tensor q, sm_tensor k, sm_tensor v, sm_tensor starts, int64_t longest, int heads, uint64_t seed, double p);
sm_tensor sm_gelu(sm_tensor x);
sm_tensor sm_gelu_library(sm_tensor x, int tanh);

typedef struct {
  double lr, beta1, beta2, eps, max_norm; // max_norm 0: no clipping
} sm_adamw_options;

// One step over n parameters; steps and the tensors are updated in place, those without a
// gradient stay as they are. *norm is the gradients' L2 norm before clipping; when it is
// not finite nothing is changed.
int sm_adamw(int library, const sm_tensor *p, const sm_tensor *m, const sm_tensor *v, const double *decay, int64_t *steps, int n, sm_adamw_options o, double *norm);

#ifdef __cplusplus
}
#endif
