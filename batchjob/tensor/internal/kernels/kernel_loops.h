// The inner loops of loops.cpp. This file is included once for every instruction set,
// in a namespace of its own, with that set's target pragma: so it has no include guard,
// includes nothing, and uses no template that another translation unit could share.

static inline uint32_t mix(uint32_t x) { // lowbias32, Chris Wellons, public domain
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

static inline uint32_t element(uint32_t row, uint32_t column) { return mix(row + column * 0x9E3779B9u); }

// e^x to 2 units in the last place (Cephes' expf); NaN stays NaN.
static inline float exp_(float x) {
  x = x < -87.f ? -87.f : x;
  x = x > 88.f ? 88.f : x;
  const float shift = 12582912.f; // 1.5 * 2^23: adding it rounds to an integer
  float n = (x * 1.44269504f + shift) - shift;
  float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.f;
  int32_t bits = ((int32_t)n + 127) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, 4);
  return y * scale;
}

// y = x with the dropped elements zero and the others scaled.
static void dropout(const float *x, float *y, int64_t n, uint32_t row, uint32_t threshold, float scale) {
#pragma omp simd
  for (int64_t j = 0; j < n; j++) y[j] = element(row, (uint32_t)j) >= threshold ? x[j] * scale : 0.f;
}

// One row of LayerNorm(dropout(x) + residual); z gets the normalised row. Returns
// 1/standard deviation.
static float add_norm(const float *x, const float *residual, const float *weight, const float *bias, float *z, float *y, int64_t n, float eps, uint32_t row, uint32_t threshold, float scale) {
  float sum = 0, squares = 0;
  if (threshold == 0) {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; j++) sum += z[j] = x[j] + residual[j];
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; j++) sum += z[j] = (element(row, (uint32_t)j) >= threshold ? x[j] * scale : 0.f) + residual[j];
  }
  float mean = sum / (float)n;
#pragma omp simd reduction(+ : squares)
  for (int64_t j = 0; j < n; j++) squares += (z[j] - mean) * (z[j] - mean);
  float r = 1.f / __builtin_sqrtf(squares / (float)n + eps);
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    z[j] = (z[j] - mean) * r;
    y[j] = z[j] * weight[j] + bias[j];
  }
  return r;
}

// add_norm's gradient for one row: dx, dresidual, and the sums of dweight and dbias.
static void add_norm_backward(const float *dy, const float *z, float r, const float *weight, float *dx, float *dresidual, float *dweight, float *dbias, int64_t n, uint32_t row, uint32_t threshold, float scale) {
  float mean = 0, along = 0;
#pragma omp simd reduction(+ : mean, along)
  for (int64_t j = 0; j < n; j++) {
    float t = dy[j] * weight[j];
    mean += t;
    along += t * z[j];
    dweight[j] += dy[j] * z[j];
    dbias[j] += dy[j];
  }
  mean /= (float)n;
  along /= (float)n;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) dresidual[j] = (dy[j] * weight[j] - mean - z[j] * along) * r;
  if (threshold != 0) dropout(dresidual, dx, n, row, threshold, scale);
}

// In place softmax of one row.
static void softmax(float *x, int64_t n) {
  float top = x[0], sum = 0;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < n; j++) top = x[j] > top ? x[j] : top;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; j++) sum += x[j] = exp_(x[j] - top);
  float scale = 1.f / sum;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) x[j] *= scale;
}

// d = p * (d - sum(d * p)): softmax's gradient for one row, in place.
static void softmax_backward(const float *p, float *d, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; j++) sum += d[j] * p[j];
#pragma omp simd
  for (int64_t j = 0; j < n; j++) d[j] = (d[j] - sum) * p[j];
}

// The normal distribution's lower tail at -|x| (Abramowitz and Stegun 7.1.26, absolute
// error 7.5e-8), given e^(-x^2/2).
static inline float tail(float x, float bell) {
  float t = 1.f / (1.f + 0.3275911f * 0.70710678f * __builtin_fabsf(x));
  return 0.5f * bell * t * ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f);
}

static void gelu(const float *x, float *y, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    float q = tail(x[j], exp_(-0.5f * x[j] * x[j]));
    y[j] = x[j] * (x[j] < 0.f ? q : 1.f - q);
  }
}

static void gelu_backward(const float *x, const float *dy, float *dx, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    float bell = exp_(-0.5f * x[j] * x[j]), q = tail(x[j], bell);
    dx[j] = dy[j] * ((x[j] < 0.f ? q : 1.f - q) + x[j] * 0.39894228f * bell);
  }
}

static double squares(const float *x, int64_t n) {
  double total = 0;
  for (int64_t from = 0; from < n; from += 4096) {
    int64_t to = from + 4096 < n ? from + 4096 : n;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = from; j < to; j++) sum += x[j] * x[j];
    total += sum;
  }
  return total;
}

// In place square roots. GCC vectorises no sqrtf without the file-wide -ffast-math.
static void roots(float *x, int64_t n) {
  int64_t j = 0;
#if defined(__SSE2__)
  for (; j + 4 <= n; j += 4) _mm_storeu_ps(x + j, _mm_sqrt_ps(_mm_loadu_ps(x + j)));
#endif
  for (; j < n; j++) x[j] = __builtin_sqrtf(x[j]);
}

// AdamW (Loshchilov and Hutter 2019) on one parameter: keep is 1 - lr * decay, rate is
// lr / (1 - beta1^t), toroot is 1 / sqrt(1 - beta2^t), new1 and new2 are 1 - beta1 and
// 1 - beta2, clip scales the gradient.
static void adamw(float *p, const float *g, float *m, float *v, int64_t n, float clip, float keep, float rate, float toroot, float new1, float beta2, float new2, float eps) {
  enum { block = 256 };
  float root[block];
  for (int64_t from = 0; from < n; from += block, p += block, g += block, m += block, v += block) {
    int64_t k = n - from < block ? n - from : block;
#pragma omp simd
    for (int64_t j = 0; j < k; j++) {
      float d = g[j] * clip;
      m[j] += (d - m[j]) * new1;
      root[j] = v[j] = v[j] * beta2 + d * d * new2;
    }
    roots(root, k);
#pragma omp simd
    for (int64_t j = 0; j < k; j++) p[j] = p[j] * keep - rate * m[j] / (root[j] * toroot + eps);
  }
}

static const Loops loops = {dropout, add_norm, add_norm_backward, softmax, softmax_backward, gelu, gelu_backward, squares, adamw};
