// Fused forward and backward passes for training on a CPU with AMX, in bfloat16.
//
// PyTorch's own operations read and write every intermediate value of attention, of the norms and of
// the gated activation several times; here each of them stays in the cache of the core. The small
// matrix products are PyTorch's `brgemm`, which uses the tiles of AMX.
//
// Attention takes queries, keys and values as one tensor, (batch, tokens, heads + 2 kv heads, width).
// Query heads that share a key head are rows of one matrix, ordered by position. A matrix that
// `brgemm` multiplies from the right has its rows interleaved in pairs ("VNNI").

#include <ATen/cpu/vec/vec.h>
#include <ATen/native/CPUBlas.h>
#include <immintrin.h>
#include <torch/extension.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace {

using at::BFloat16;
using at::Tensor;
using Vec = at::vec::Vectorized<float>;

constexpr int64_t kLanes = 16;
constexpr int64_t kBlock = 32;     // positions of one block of queries or keys
constexpr int64_t kMaxTokens = 2048;

__m512 load(const BFloat16* from) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

__m256i rounded(__m512 x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

void store(BFloat16* to, __m512 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x));
}

// Stores the pairs (even[i], odd[i]): two rows of a right-hand matrix.
void store_pairs(BFloat16* to, __m512 even, __m512 odd) {
  const __m512i low = _mm512_cvtepu16_epi32(rounded(even));
  const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(odd)), 16);
  _mm512_storeu_si512(to, _mm512_or_si512(low, high));
}

__m512 exponential(__m512 x) { return Vec(x).exp_u20(); }

__m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0f);
  return _mm512_div_ps(one, _mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

void multiply(int64_t rows, int64_t columns, int64_t inner, const BFloat16* a, int64_t lda,
              const BFloat16* b, int64_t ldb, float* c, int64_t ldc, bool add) {
  at::native::cpublas::brgemm(rows, columns, inner, lda, ldb, ldc, add, a, b, c);
}

// The sizes of one call, and where one head's rows are in the fused tensors.
struct Layout {
  int64_t n_tokens, n_heads, n_kv_heads, width;

  int64_t n_shared() const { return n_heads / n_kv_heads; }
  int64_t padded() const { return (n_tokens + kBlock - 1) / kBlock * kBlock; }
  int64_t n_rows() const { return padded() * n_shared(); }
  // The distance between rows of matrices with a column for each key, or for each query row. There
  // are few of them, for `brgemm` compiles each; and none is a power of two, for the cache's sake.
  int64_t key_stride() const { return (padded() + 255) / 256 * 256 + kLanes; }
  int64_t row_stride() const { return (n_rows() + 255) / 256 * 256 + kLanes; }
  int64_t fused() const { return (n_heads + 2 * n_kv_heads) * width; }
  int64_t query(int64_t kv_head, int64_t row) const {
    return row / n_shared() * fused() + (kv_head * n_shared() + row % n_shared()) * width;
  }
  int64_t key(int64_t kv_head, int64_t token) const {
    return token * fused() + (n_heads + kv_head) * width;
  }
  int64_t value(int64_t kv_head, int64_t token) const {
    return token * fused() + (n_heads + n_kv_heads + kv_head) * width;
  }
  int64_t output(int64_t kv_head, int64_t row) const {
    return row / n_shared() * n_heads * width + (kv_head * n_shared() + row % n_shared()) * width;
  }
};

// Memory that is written before it is read.
template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t size) : memory_(new T[size]) {}
  T* data() const { return memory_.get(); }
  T& operator[](int64_t place) const { return memory_[place]; }

 private:
  std::unique_ptr<T[]> memory_;
};

// Rotates pairs of neighbouring channels; `turns` are the cosines of all pairs, then the sines.
void rotate(const BFloat16* from, const float* turns, float scale, int64_t width, BFloat16* to) {
  for (int64_t i = 0; i < width / 2; i += kLanes) {
    const __m512 cosine = _mm512_mul_ps(_mm512_loadu_ps(turns + i), _mm512_set1_ps(scale));
    const __m512 sine = _mm512_mul_ps(_mm512_loadu_ps(turns + width / 2 + i), _mm512_set1_ps(scale));
    const __m512i pairs = _mm512_loadu_si512(from + 2 * i);
    const __m512 x = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    const __m512 y = _mm512_castsi512_ps(_mm512_and_epi32(pairs, _mm512_set1_epi32(0xffff0000)));
    store_pairs(to + 2 * i, _mm512_fmsub_ps(x, cosine, _mm512_mul_ps(y, sine)),
                _mm512_fmadd_ps(x, sine, _mm512_mul_ps(y, cosine)));
  }
}

// The way back for a gradient; `stride` is the distance between its channels.
void rotate_back(const float* from, int64_t stride, const float* turns, float scale, int64_t width,
                 BFloat16* to) {
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i places =
      _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(2 * stride)));
  for (int64_t i = 0; i < width / 2; i += kLanes) {
    const __m512 cosine = _mm512_mul_ps(_mm512_loadu_ps(turns + i), _mm512_set1_ps(scale));
    const __m512 sine = _mm512_mul_ps(_mm512_loadu_ps(turns + width / 2 + i), _mm512_set1_ps(scale));
    const __m512 x = _mm512_i32gather_ps(places, from + 2 * i * stride, 4);
    const __m512 y = _mm512_i32gather_ps(places, from + (2 * i + 1) * stride, 4);
    store_pairs(to + 2 * i, _mm512_fmadd_ps(x, cosine, _mm512_mul_ps(y, sine)),
                _mm512_fmsub_ps(y, cosine, _mm512_mul_ps(x, sine)));
  }
}

// Returns the rows of a matrix, (rows, width), as the right-hand matrix of a product over rows.
void interleave_rows(const BFloat16* from, int64_t n_rows, int64_t width, BFloat16* to) {
  for (int64_t row = 0; row < n_rows; row += 2)
    for (int64_t i = 0; i < width; i += kLanes)
      store_pairs(to + row * width + 2 * i, load(from + row * width + i),
                  load(from + (row + 1) * width + i));
}

// The same of the transposed matrix, with `stride` columns.
void interleave_columns(const BFloat16* from, int64_t n_rows, int64_t width, int64_t stride,
                        BFloat16* to) {
  const auto* pairs = reinterpret_cast<const uint32_t*>(from);
  auto* out = reinterpret_cast<uint32_t*>(to);
  for (int64_t row = 0; row < n_rows; ++row)
    for (int64_t i = 0; i < width / 2; ++i) out[i * stride + row] = pairs[row * width / 2 + i];
}

struct Head {
  std::vector<BFloat16> q, k, v;  // rotated, padded with zeros; queries scaled

  Head(const Layout& at, const BFloat16* fused, const float* turns, int64_t kv_head)
      : q(at.n_rows() * at.width), k(at.padded() * at.width), v(at.padded() * at.width) {
    const float scale = 1 / std::sqrt(static_cast<float>(at.width));
    const int64_t width = at.width;
    for (int64_t row = 0; row < at.n_tokens * at.n_shared(); ++row)
      rotate(fused + at.query(kv_head, row), turns + row / at.n_shared() * width, scale, width,
             q.data() + row * width);
    for (int64_t token = 0; token < at.n_tokens; ++token) {
      rotate(fused + at.key(kv_head, token), turns + token * width, 1, width,
             k.data() + token * width);
      std::copy_n(fused + at.value(kv_head, token), width, v.data() + token * width);
    }
  }
};

// Turns the first n_seen scores of a row into exponentials and the others into zeros.
// Returns the logarithm of their sum; `total` is the sum itself.
float exponentiate(float* scores, int64_t n_seen, int64_t n_columns, BFloat16* to, float& total) {
  for (int64_t i = n_seen; i < n_columns; ++i) scores[i] = -INFINITY;
  __m512 largest = _mm512_set1_ps(-INFINITY);
  for (int64_t i = 0; i < n_columns; i += kLanes)
    largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + i));
  const float most = _mm512_reduce_max_ps(largest);
  const __m512 offset = _mm512_set1_ps(most);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n_columns; i += kLanes) {
    const __m512 p = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + i), offset));
    sum = _mm512_add_ps(sum, p);
    store(to + i, p);
  }
  total = _mm512_reduce_add_ps(sum);
  return most + std::log(total);
}

void attend_head(const Layout& at, const BFloat16* fused, const float* turns, int64_t kv_head,
                 BFloat16* output, float* logsumexp) {
  const int64_t width = at.width, n_shared = at.n_shared(), n_block = kBlock * n_shared;
  const int64_t stride = at.key_stride();
  const Head head(at, fused, turns, kv_head);
  const Buffer<BFloat16> keys(width * stride), values(at.padded() * width), p(n_block * stride);
  const Buffer<float> scores(n_block * stride), gathered(n_block * width);
  interleave_columns(head.k.data(), at.padded(), width, stride, keys.data());
  interleave_rows(head.v.data(), at.padded(), width, values.data());
  for (int64_t start = 0; start < at.padded(); start += kBlock) {
    const int64_t end = start + kBlock, first = start * n_shared;
    const int64_t last = std::min(first + n_block, at.n_tokens * n_shared);
    multiply(n_block, end, width, head.q.data() + first * width, width, keys.data(), stride,
             scores.data(), stride, false);
    std::vector<float> totals(n_block, 1.0f);
    for (int64_t row = first; row < last; ++row)
      logsumexp[row] = exponentiate(scores.data() + (row - first) * stride, row / n_shared + 1, end,
                                    p.data() + (row - first) * stride, totals[row - first]);
    multiply(n_block, width, end, p.data(), stride, values.data(), width, gathered.data(), width,
             false);
    for (int64_t row = first; row < last; ++row) {
      const __m512 share = _mm512_set1_ps(1 / totals[row - first]);
      for (int64_t i = 0; i < width; i += kLanes)
        store(output + at.output(kv_head, row) + i,
              _mm512_mul_ps(share, _mm512_loadu_ps(gathered.data() + (row - first) * width + i)));
    }
  }
}

// What the backward pass of a head needs to know of its output.
struct OutputGradient {
  std::vector<BFloat16> d_output;
  std::vector<float> along, logsumexp;  // the product with the output itself; per row

  OutputGradient(const Layout& at, const BFloat16* gradient, const BFloat16* output,
                 const float* sums, int64_t kv_head)
      : d_output(at.n_rows() * at.width), along(at.n_rows()), logsumexp(at.n_rows()) {
    for (int64_t row = 0; row < at.n_tokens * at.n_shared(); ++row) {
      const int64_t place = at.output(kv_head, row);
      __m512 sum = _mm512_setzero_ps();
      for (int64_t i = 0; i < at.width; i += kLanes)
        sum = _mm512_fmadd_ps(load(gradient + place + i), load(output + place + i), sum);
      along[row] = _mm512_reduce_add_ps(sum);
      logsumexp[row] = sums[row];
      std::copy_n(gradient + place, at.width, d_output.data() + row * at.width);
    }
  }
};

void attend_head_backward(const Layout& at, const BFloat16* fused, const float* turns,
                          int64_t kv_head, const OutputGradient& given, BFloat16* d_fused) {
  const int64_t width = at.width, n_shared = at.n_shared(), n_rows = at.n_rows();
  const int64_t stride = at.row_stride(), key_stride = at.key_stride();
  const Head head(at, fused, turns, kv_head);
  const BFloat16 *q = head.q.data(), *k = head.k.data(), *v = head.v.data();
  const Buffer<BFloat16> queries_across(width * stride), gradients_across(width * stride);
  const Buffer<BFloat16> queries(n_rows * width), gradients(n_rows * width);
  const Buffer<BFloat16> keys_across(width * key_stride);
  interleave_columns(q, n_rows, width, stride, queries_across.data());
  interleave_columns(given.d_output.data(), n_rows, width, stride, gradients_across.data());
  interleave_rows(q, n_rows, width, queries.data());
  interleave_rows(given.d_output.data(), n_rows, width, gradients.data());
  for (int64_t token = 0; token < at.padded(); ++token)
    for (int64_t i = 0; i < width; ++i) keys_across[i * key_stride + token] = k[token * width + i];

  // Rows of these are keys, columns are queries: of one block of keys, all queries that see it.
  const Buffer<float> scores(kBlock * stride), d_p(kBlock * stride);
  const Buffer<BFloat16> p(kBlock * stride), d_scores(kBlock * stride);
  const Buffer<BFloat16> d_scores_paired(kBlock * stride);
  const Buffer<float> dk(kBlock * width), dv(kBlock * width);
  std::vector<float> dq_across(width * stride);
  for (int64_t start = 0; start < at.padded(); start += kBlock) {
    const int64_t first = start * n_shared, n_columns = n_rows - first;
    multiply(kBlock, n_columns, width, k + start * width, width, queries_across.data() + 2 * first,
             stride, scores.data(), stride, false);
    multiply(kBlock, n_columns, width, v + start * width, width,
             gradients_across.data() + 2 * first, stride, d_p.data(), stride, false);
    for (int64_t key = 0; key < kBlock; key += 2) {
      for (int64_t i = 0; i < n_columns; i += kLanes) {
        const __m512 sums = _mm512_loadu_ps(given.logsumexp.data() + first + i);
        const __m512 along = _mm512_loadu_ps(given.along.data() + first + i);
        __m512 both[2];
        for (int64_t odd = 0; odd < 2; ++odd) {
          const int64_t place = (key + odd) * stride + i;
          // Queries before the key do not see it.
          const int64_t hidden = std::clamp<int64_t>((key + odd) * n_shared - i, 0, kLanes);
          const __mmask16 seen = static_cast<__mmask16>(0xffffu << hidden);
          const __m512 each = _mm512_maskz_mov_ps(
              seen, exponential(_mm512_sub_ps(_mm512_loadu_ps(scores.data() + place), sums)));
          store(p.data() + place, each);
          both[odd] = _mm512_maskz_mul_ps(
              seen, each, _mm512_sub_ps(_mm512_loadu_ps(d_p.data() + place), along));
          store(d_scores.data() + place, both[odd]);
        }
        store_pairs(d_scores_paired.data() + key * stride + 2 * i, both[0], both[1]);
      }
    }
    multiply(kBlock, width, n_columns, p.data(), stride, gradients.data() + first * width, width,
             dv.data(), width, false);
    multiply(kBlock, width, n_columns, d_scores.data(), stride, queries.data() + first * width,
             width, dk.data(), width, false);
    multiply(width, n_columns, kBlock, keys_across.data() + start, key_stride,
             d_scores_paired.data(), stride, dq_across.data() + first, stride, true);
    for (int64_t token = start; token < std::min(start + kBlock, at.n_tokens); ++token) {
      rotate_back(dk.data() + (token - start) * width, 1, turns + token * width, 1, width,
                  d_fused + at.key(kv_head, token));
      for (int64_t i = 0; i < width; i += kLanes)
        store(d_fused + at.value(kv_head, token) + i,
              _mm512_loadu_ps(dv.data() + (token - start) * width + i));
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  for (int64_t row = 0; row < at.n_tokens * n_shared; ++row)
    rotate_back(dq_across.data() + row, stride, turns + row / n_shared * width, scale, width,
                d_fused + at.query(kv_head, row));
}

Layout layout_of(const Tensor& qkv, int64_t n_heads, int64_t n_kv_heads) {
  TORCH_CHECK(qkv.dim() == 3 && qkv.scalar_type() == at::kBFloat16 && qkv.is_contiguous());
  const Layout at{qkv.size(1), n_heads, n_kv_heads, qkv.size(2) / (n_heads + 2 * n_kv_heads)};
  TORCH_CHECK(at.n_tokens <= kMaxTokens && at.width % (2 * kLanes) == 0);
  return at;
}

const BFloat16* data(const Tensor& x) { return x.const_data_ptr<BFloat16>(); }

// Returns what each position gathers, (batch, tokens, heads * width), and the logsumexp of its
// scores. `turns` is (tokens, width): the cosines of all pairs of channels, then the sines.
std::tuple<Tensor, Tensor> attention(const Tensor& qkv, const Tensor& turns, int64_t n_heads,
                                     int64_t n_kv_heads) {
  const Layout at = layout_of(qkv, n_heads, n_kv_heads);
  const int64_t n_rows = at.n_tokens * at.n_shared();
  Tensor output = at::empty({qkv.size(0), at.n_tokens, n_heads * at.width}, qkv.options());
  Tensor sums = at::empty({qkv.size(0), n_kv_heads, n_rows}, qkv.options().dtype(at::kFloat));
  for (int64_t batch = 0; batch < qkv.size(0); ++batch)
    for (int64_t head = 0; head < n_kv_heads; ++head)
      attend_head(at, data(qkv) + batch * at.n_tokens * at.fused(), turns.const_data_ptr<float>(),
                  head, output.data_ptr<BFloat16>() + batch * output.stride(0),
                  sums.data_ptr<float>() + batch * sums.stride(0) + head * n_rows);
  at::native::cpublas::brgemm_release();
  return {output, sums};
}

Tensor attention_backward(const Tensor& gradient, const Tensor& qkv, const Tensor& output,
                          const Tensor& sums, const Tensor& turns, int64_t n_heads,
                          int64_t n_kv_heads) {
  const Layout at = layout_of(qkv, n_heads, n_kv_heads);
  const Tensor given = gradient.contiguous();
  Tensor d_qkv = at::empty_like(qkv);
  for (int64_t batch = 0; batch < qkv.size(0); ++batch)
    for (int64_t head = 0; head < n_kv_heads; ++head) {
      const int64_t place = batch * at.n_tokens * at.fused(), out = batch * output.stride(0);
      const OutputGradient of_head(
          at, data(given) + out, data(output) + out,
          sums.const_data_ptr<float>() + batch * sums.stride(0) + head * sums.stride(1), head);
      attend_head_backward(at, data(qkv) + place, turns.const_data_ptr<float>(), head, of_head,
                           d_qkv.data_ptr<BFloat16>() + place);
    }
  at::native::cpublas::brgemm_release();
  return d_qkv;
}

// Returns the rows divided by their root mean square, and the divisors' inverses.
std::tuple<Tensor, Tensor> normalize(const Tensor& x, double epsilon) {
  const int64_t width = x.size(-1), n_rows = x.numel() / width;
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

Tensor normalize_backward(const Tensor& gradient, const Tensor& y, const Tensor& inverses) {
  const int64_t width = y.size(-1), n_rows = y.numel() / width;
  const Tensor given = gradient.contiguous();
  Tensor dx = at::empty_like(y);
  const BFloat16 *dy = data(given), *out = data(y);
  const float* inverse_of = inverses.const_data_ptr<float>();
  BFloat16* to = dx.data_ptr<BFloat16>();
  for (int64_t row = 0; row < n_rows; ++row, dy += width, out += width, to += width) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i += kLanes)
      sum = _mm512_fmadd_ps(load(dy + i), load(out + i), sum);
    const __m512 along = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / width);
    const __m512 inverse = _mm512_set1_ps(inverse_of[row]);
    for (int64_t i = 0; i < width; i += kLanes)
      store(to + i, _mm512_mul_ps(inverse, _mm512_fnmadd_ps(load(out + i), along, load(dy + i))));
  }
  return dx;
}

// Returns silu(gate) * up, where gate and up are the halves of the last axis.
Tensor swiglu(const Tensor& gate_up) {
  const int64_t width = gate_up.size(-1) / 2, n_rows = gate_up.numel() / (2 * width);
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
  const int64_t width = gate_up.size(-1) / 2, n_rows = gate_up.numel() / (2 * width);
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

// Returns the negative logarithm of each target's probability, and the logsumexp of each row.
std::tuple<Tensor, Tensor> cross_entropy(const Tensor& logits, const Tensor& targets) {
  const int64_t n_rows = logits.size(0), width = logits.size(1);
  TORCH_CHECK(logits.is_contiguous() && width % kLanes == 0);
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
    losses.data_ptr<float>()[row] = logsumexp - in[targets.const_data_ptr<int64_t>()[row]];
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

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("attention", &attention);
  module.def("attention_backward", &attention_backward);
  module.def("normalize", &normalize);
  module.def("normalize_backward", &normalize_backward);
  module.def("swiglu", &swiglu);
  module.def("swiglu_backward", &swiglu_backward);
  module.def("cross_entropy", &cross_entropy);
  module.def("cross_entropy_backward", &cross_entropy_backward);
}
