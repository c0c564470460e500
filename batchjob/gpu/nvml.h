// The five functions of NVML that a meter calls, found when the program runs. Signatures
// are those of NVIDIA's "NVML API Reference Guide": every result is an nvmlReturn_t, 0 for
// success; a device is a pointer of the library's own.
#include <dlfcn.h>

typedef struct {
  void *library;
  int (*init)(void);
  int (*shutdown)(void);
  int (*by_index)(unsigned int, void **);
  int (*by_uuid)(const char *, void **);
  int (*utilization)(void *, unsigned int *); // writes two: the GPU's and its memory's percentage
  const char *(*error)(int);
  void *device; // the one that is measured
} nvml;

// nvml_load fills n, and returns 0 or the name of what is missing.
static const char *nvml_load(nvml *n, const char *path) {
  n->library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!n->library) return path;
  const char *names[] = {"nvmlInit_v2", "nvmlShutdown", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByUUID",
                         "nvmlDeviceGetUtilizationRates", "nvmlErrorString"};
  void **to[] = {(void **)&n->init, (void **)&n->shutdown, (void **)&n->by_index, (void **)&n->by_uuid,
                 (void **)&n->utilization, (void **)&n->error};
  for (int i = 0; i < 6; i++) {
    *to[i] = dlsym(n->library, names[i]);
    if (!*to[i]) {
      dlclose(n->library);
      return names[i];
    }
  }
  return 0;
}

static int nvml_init(nvml *n) { return n->init(); }
static int nvml_shutdown(nvml *n) { return n->shutdown(); }
static int nvml_by_index(nvml *n, unsigned int i) { return n->by_index(i, &n->device); }
static int nvml_by_uuid(nvml *n, const char *uuid) { return n->by_uuid(uuid, &n->device); }
static int nvml_utilization(nvml *n, unsigned int percent[2]) { return n->utilization(n->device, percent); }
static const char *nvml_error(nvml *n, int code) { return n->error(code); }
static void nvml_unload(nvml *n) { dlclose(n->library); }
