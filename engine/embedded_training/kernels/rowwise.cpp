// What works on each row alone: norm, gated activation and loss, forward and backward.

#include "kernels.h"
#include "lanes.h"

#include <algorithm>
#include <cmath>

using namespace lanes;
using at::Tensor;

namespace {

int64_t checked(int64_t width) {
  TORCH_CHECK(width % kLanes == 0, "the width must be a multiple of 16, and is ", width);
  return width;
}

}  // namespace

std::tuple<Tensor, Tensor> normalize(const Tensor& x, double epsilon) {
  const int64_t width = checked(x.size(-1)), n_rows = x.numel() / width;
  const Tensor from = x.contiguous();
  Tensor y = at::empty_like(from), inverses = at::empty({n_rows}, x.options().dtype(at::kFloat));
  const BFloat16* in = data(from);
  BFloat16* out = y.data_ptr<BFloat16>();
  float* inverse_of = inverses.data_ptr<float>();
  for (int64_t row = 0; row < n_rows; ++row, in += width, out += width) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i += kLanes) sum = _mm512_fmadd_ps(load(in + i), load(in + i), sum);
    const float inverse =
        1 / std::sqrt(_mm512_reduce_add_ps(sum) / width + static_cast<float>(epsilon));
    inverse_of[row] = inverse;
    for (int64_t i = 0; i < width; i += kLanes)
      store(out + i, _mm512_mul_ps(load(in + i), _mm512_set1_ps(inverse)));
  }
  return {y, inverses};
}

Tensor normalize_backward(const Tensor& gradient, const Tensor& beside, const Tensor& y,
                          const Tensor& inverses) {
  const int64_t width = y.size(-1), n_rows = y.numel() / width;
  const Tensor given = gradient.contiguous(), along_x = beside.contiguous();
  TORCH_CHECK(along_x.sizes() == y.sizes(), "both gradients must be of the same sizes");
  Tensor dx = at::empty_like(y);
  const BFloat16 *dy = data(given), *out = data(y), *more = data(along_x);
  const float* inverse_of = inverses.const_data_ptr<float>();
  BFloat16* to = dx.data_ptr<BFloat16>();
  for (int64_t row = 0; row < n_rows; ++row, dy += width, out += width, more += width, to += width) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i += kLanes)
      sum = _mm512_fmadd_ps(load(dy + i), load(out + i), sum);
    const __m512 along = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / width);
    const __m512 inverse = _mm512_set1_ps(inverse_of[row]);
    for (int64_t i = 0; i < width; i += kLanes)
      store(to + i, _mm512_fmadd_ps(inverse, _mm512_fnmadd_ps(load(out + i), along, load(dy + i)),
                                    load(more + i)));
  }
  return dx;
}

Tensor swiglu(const Tensor& gate_up) {
  const int64_t width = checked(gate_up.size(-1) / 2), n_rows = gate_up.numel() / (2 * width);
  auto sizes = gate_up.sizes().vec();
  sizes.back() = width;
  const Tensor from = gate_up.contiguous();
  Tensor y = at::empty(sizes, gate_up.options());
  const BFloat16* in = data(from);
  BFloat16* out = y.data_ptr<BFloat16>();
  for (int64_t row = 0; row < n_rows; ++row, in += 2 * width, out += width)
    for (int64_t i = 0; i < width; i += kLanes) {
      const __m512 gate = load(in + i), up = load(in + width + i);
      store(out + i, _mm512_mul_ps(_mm512_mul_ps(gate, sigmoid(gate)), up));
    }
  return y;
}

Tensor swiglu_backward(const Tensor& gradient, const Tensor& gate_up) {
  const int64_t width = checked(gate_up.size(-1) / 2), n_rows = gate_up.numel() / (2 * width);
  const Tensor given = gradient.contiguous(), from = gate_up.contiguous();
  Tensor d_both = at::empty_like(from);
  const __m512 one = _mm512_set1_ps(1.0f);
  const BFloat16 *in = data(from), *d_out = data(given);
  BFloat16* to = d_both.data_ptr<BFloat16>();
  for (int64_t row = 0; row < n_rows; ++row, in += 2 * width, to += 2 * width, d_out += width)
    for (int64_t i = 0; i < width; i += kLanes) {
      const __m512 gate = load(in + i), up = load(in + width + i);
      const __m512 dy = load(d_out + i), opened = sigmoid(gate);
      // silu'(x) = s (1 + x (1 - s))
      const __m512 slope =
          _mm512_mul_ps(opened, _mm512_fmadd_ps(gate, _mm512_sub_ps(one, opened), one));
      store(to + i, _mm512_mul_ps(_mm512_mul_ps(dy, up), slope));
      store(to + width + i, _mm512_mul_ps(dy, _mm512_mul_ps(gate, opened)));
    }
  return d_both;
}

std::tuple<Tensor, Tensor> cross_entropy(const Tensor& logits, const Tensor& targets) {
  const int64_t n_rows = logits.size(0), width = checked(logits.size(1));
  TORCH_CHECK(logits.is_contiguous() && targets.is_contiguous() && targets.numel() == n_rows,
              "logits and targets must be contiguous, with a target for each row");
  const int64_t* target = targets.const_data_ptr<int64_t>();
  TORCH_CHECK(std::all_of(target, target + n_rows,
                          [width](int64_t each) { return each >= 0 && each < width; }),
              "each target must be a column of the logits");
  Tensor losses = at::empty({n_rows}, logits.options().dtype(at::kFloat));
  Tensor sums = at::empty_like(losses);
  const BFloat16* in = data(logits);
  for (int64_t row = 0; row < n_rows; ++row, in += width) {
    __m512 largest = load(in), sum = _mm512_setzero_ps();
    for (int64_t i = kLanes; i < width; i += kLanes) largest = _mm512_max_ps(largest, load(in + i));
    const float most = _mm512_reduce_max_ps(largest);
    for (int64_t i = 0; i < width; i += kLanes)
      sum = _mm512_add_ps(sum, exponential(_mm512_sub_ps(load(in + i), _mm512_set1_ps(most))));
    const float logsumexp = most + std::log(_mm512_reduce_add_ps(sum));
    sums.data_ptr<float>()[row] = logsumexp;
    losses.data_ptr<float>()[row] = logsumexp - in[target[row]];
  }
  return {losses, sums};
}

Tensor cross_entropy_backward(const Tensor& gradient, const Tensor& logits, const Tensor& targets,
                              const Tensor& sums) {
  const int64_t n_rows = logits.size(0), width = logits.size(1);
  const Tensor given = gradient.contiguous();
  Tensor d_logits = at::empty_like(logits);
  const BFloat16* in = data(logits);
  BFloat16* to = d_logits.data_ptr<BFloat16>();
  for (int64_t row = 0; row < n_rows; ++row, in += width, to += width) {
    const float logsumexp = sums.const_data_ptr<float>()[row];
    const float share = given.const_data_ptr<float>()[row];
    for (int64_t i = 0; i < width; i += kLanes) {
      const __m512 p = exponential(_mm512_sub_ps(load(in + i), _mm512_set1_ps(logsumexp)));
      store(to + i, _mm512_mul_ps(p, _mm512_set1_ps(share)));
    }
    const int64_t target = targets.const_data_ptr<int64_t>()[row];
    to[target] = (std::exp(in[target] - logsumexp) - 1) * share;
  }
  return d_logits;
}
