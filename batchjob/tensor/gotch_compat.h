// Forced into every C++ file of the build (CGO_CXXFLAGS in the Makefile).
// gotch v0.9.1 calls three functions by their libtorch 2.1 signatures; later releases
// changed them. The declarations below stand in namespace torch, where gotch's calls find
// them before the ones that torch takes over from namespace at. Nothing here uses them.
#if defined(__cplusplus) && __has_include(<torch/torch.h>)
#include <torch/torch.h>
#include <stdexcept>
#include <tuple>
namespace torch {
template <class... A> at::Tensor _cslt_sparse_mm(A &&...) {
  throw std::runtime_error("_cslt_sparse_mm is unsupported");
}
template <class... A> std::tuple<at::Tensor, at::Tensor> _scaled_mm(A &&...) {
  throw std::runtime_error("_scaled_mm is unsupported");
}
template <class... A> std::tuple<at::Tensor, at::Tensor> _scaled_mm_out(A &&...) {
  throw std::runtime_error("_scaled_mm_out is unsupported");
}
} // namespace torch
#endif
