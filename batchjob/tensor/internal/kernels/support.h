// What the C++ files of this package share: tensors by handle, and exceptions that become
// the calling thread's error.
#pragma once
#include "kernels.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <string>

namespace supermax {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

inline thread_local std::string last_error;
inline thread_local bool last_error_is_memory;

// Runs f; an exception becomes this thread's error and the result `failed`.
template <class R, class F> R guarded(R failed, F f) {
  last_error_is_memory = false;
  try {
    return f();
  } catch (const c10::OutOfMemoryError &e) {
    last_error_is_memory = true;
    last_error = e.what_without_backtrace();
  } catch (const c10::Error &e) {
    last_error = e.what_without_backtrace();
    last_error_is_memory = last_error.find("can't allocate memory") != std::string::npos;
  } catch (const std::bad_alloc &e) {
    last_error_is_memory = true;
    last_error = "out of memory";
  } catch (const std::exception &e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return failed;
}

template <class F> sm_tensor made(F f) {
  return guarded<sm_tensor>(nullptr, [&]() -> sm_tensor { return new Tensor(f()); });
}

template <class F> int done(F f) {
  return guarded<int>(1, [&] { f(); return 0; });
}

// How many items, of so many elements each, are worth a thread.
inline int64_t grain(int64_t elements) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, elements)); }

inline const Tensor &tensor(sm_tensor t) { return *static_cast<Tensor *>(t); }

inline const float *in(const Tensor &t) { return t.const_data_ptr<float>(); }
inline float *out(const Tensor &t) { return t.mutable_data_ptr<float>(); }

inline void check_matrix(const Tensor &t, const char *what) {
  TORCH_CHECK(t.device().is_cpu() && t.scalar_type() == at::kFloat && t.dim() == 2, what, " must be a float matrix on the CPU, not ", t.toString(), t.sizes());
}

} // namespace supermax
