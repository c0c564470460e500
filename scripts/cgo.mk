# The one place where the C++ flags are set. Go's build cache keys gotch's four-minute
# compilation on them: never vary them from target to target.
TORCH := $(or $(LIBTORCH),$(CURDIR)/.deps/libtorch)
export CGO_ENABLED := 1
export CGO_CXXFLAGS := -include $(CURDIR)/batchjob/tensor/gotch_compat.h -I$(TORCH)/include -I$(TORCH)/include/torch/csrc/api/include -g0 -O1 -w
CGO_LDFLAGS := -L$(TORCH)/lib -L$(CURDIR)/.deps/stubs -Wl,-rpath,$(TORCH)/lib
ifeq ($(wildcard $(TORCH)/lib/libtorch_cuda.so),)
CGO_LDFLAGS += -L$(CURDIR)/.deps/stubs-cpu
else
CGO_LDFLAGS += -Wl,--no-as-needed -ltorch_cuda -lc10_cuda -Wl,--as-needed -Wl,--unresolved-symbols=ignore-in-shared-libs
endif
export CGO_LDFLAGS
