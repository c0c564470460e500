// A library in the place of NVIDIA's: it knows GPUs 0 to 9 and one UUID, and GPU n is busy
// for 40 + n percent of the time. GPU 9 is lost. SUPERMAX_TEST_DRIVER makes it fail to start.
#include <stdlib.h>
#include <string.h>

static int started;

int nvmlInit_v2(void) { return getenv("SUPERMAX_TEST_DRIVER") ? 9 : (started++, 0); }
int nvmlShutdown(void) { return started-- > 0 ? 0 : 1; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, void **device) {
  if (!started || i > 9) return 2;
  *device = (char *)0 + 40 + i;
  return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  if (!started || strcmp(uuid, "GPU-12ab")) return 6;
  *device = (char *)0 + 99;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, unsigned int *percent) {
  if (!started || (long)device == 49) return 15;
  percent[0] = (unsigned int)(long)device;
  percent[1] = 7;
  return 0;
}
const char *nvmlErrorString(int code) {
  switch (code) {
  case 2: return "Invalid Argument";
  case 6: return "Not Found";
  case 9: return "Driver Not Loaded";
  case 15: return "GPU is lost";
  }
  return "Unknown Error";
}
