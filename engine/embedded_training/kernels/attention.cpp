// Rotary, grouped, causal attention, forward and backward.
//
// Queries, keys and values come as one tensor, (batch, tokens, (heads + 2 kv heads) * width). Query
// heads that share a key head are rows of one matrix, ordered by position. A matrix that `brgemm`
// multiplies from the right has its rows interleaved in pairs ("VNNI"). One thread does it all, for
// training has a worker for each core.

#include "kernels.h"
#include "lanes.h"

#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#ifndef CPUBLAS_BRGEMM_BF16BF16F32
#error "this PyTorch has no brgemm for bfloat16; install torch 2.9 or newer"
#endif

namespace {

using namespace lanes;
using at::Tensor;

constexpr int64_t kBlock = 32;  // positions of one block of queries or keys

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
  for (int64_t row = 0; row < n_rows; ++row)
    for (int64_t i = 0; i < width; i += 2)
      std::memcpy(to + i * stride + 2 * row, from + row * width + i, 2 * sizeof(BFloat16));
}

constexpr int64_t kAhead = 24;  // rows that are fetched before they are needed

void prefetch(const BFloat16* from, int64_t width) {
  for (int64_t i = 0; i < width; i += 32) _mm_prefetch(from + i, _MM_HINT_T0);
}

// Queries, keys and values that share a key head.
struct Head {
  std::vector<BFloat16> q, k, v;  // rotated, padded with zeros; queries scaled

  Head(const Layout& layout, const BFloat16* fused, const float* turns, int64_t kv_head)
      : q(layout.n_rows() * layout.width), k(layout.padded() * layout.width), v(layout.padded() * layout.width) {
    const float scale = 1 / std::sqrt(static_cast<float>(layout.width));
    const int64_t width = layout.width;
    for (int64_t row = 0; row < layout.n_tokens * layout.n_shared(); ++row) {
      prefetch(fused + layout.query(kv_head, row + kAhead), width);
      rotate(fused + layout.query(kv_head, row), turns + row / layout.n_shared() * width, scale, width,
             q.data() + row * width);
    }
    for (int64_t token = 0; token < layout.n_tokens; ++token) {
      prefetch(fused + layout.key(kv_head, token + kAhead), width);
      prefetch(fused + layout.value(kv_head, token + kAhead), width);
      rotate(fused + layout.key(kv_head, token), turns + token * width, 1, width,
             k.data() + token * width);
      std::copy_n(fused + layout.value(kv_head, token), width, v.data() + token * width);
    }
  }
};

// Turns the first n_seen scores of a row into exponentials and the others into zeros. Returns the
// sum of the exponentials and the logsumexp of the scores.
std::pair<float, float> exponentiate(float* scores, int64_t n_seen, int64_t n_columns,
                                     BFloat16* to) {
  std::fill(scores + n_seen, scores + n_columns, -INFINITY);
  __m512 largest = _mm512_set1_ps(-INFINITY);
  for (int64_t i = 0; i < n_columns; i += kLanes)
    largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + i));
  const float most = _mm512_reduce_max_ps(largest);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n_columns; i += kLanes) {
    const __m512 p = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + i), _mm512_set1_ps(most)));
    sum = _mm512_add_ps(sum, p);
    store(to + i, p);
  }
  const float total = _mm512_reduce_add_ps(sum);
  return {total, most + std::log(total)};
}

void attend_head(const Layout& layout, const BFloat16* fused, const float* turns, int64_t kv_head,
                 BFloat16* output, float* logsumexp) {
  const int64_t width = layout.width, n_shared = layout.n_shared(), n_block = kBlock * n_shared;
  const int64_t stride = layout.key_stride();
  const Head head(layout, fused, turns, kv_head);
  const Buffer<BFloat16> keys(width * stride), values(layout.padded() * width), p(n_block * stride);
  const Buffer<float> scores(n_block * stride), gathered(n_block * width), totals(n_block);
  interleave_columns(head.k.data(), layout.padded(), width, stride, keys.data());
  interleave_rows(head.v.data(), layout.padded(), width, values.data());
  for (int64_t start = 0; start < layout.padded(); start += kBlock) {
    const int64_t end = start + kBlock, first = start * n_shared;
    const int64_t last = std::min(first + n_block, layout.n_tokens * n_shared);
    multiply(n_block, end, width, head.q.data() + first * width, width, keys.data(), stride,
             scores.data(), stride, false);
    for (int64_t row = first; row < last; ++row) {
      const int64_t place = (row - first) * stride;
      std::tie(totals[row - first], logsumexp[row]) =
          exponentiate(scores.data() + place, row / n_shared + 1, end, p.data() + place);
    }
    multiply(n_block, width, end, p.data(), stride, values.data(), width, gathered.data(), width,
             false);
    for (int64_t row = first; row < last; ++row) {
      const __m512 share = _mm512_set1_ps(1 / totals[row - first]);
      for (int64_t i = 0; i < width; i += kLanes)
        store(output + layout.output(kv_head, row) + i,
              _mm512_mul_ps(share, _mm512_loadu_ps(gathered.data() + (row - first) * width + i)));
    }
  }
}

// What the backward pass of a head needs to know of its output.
struct OutputGradient {
  std::vector<BFloat16> d_output;
  std::vector<float> along, logsumexp;  // the product with the output itself; per row

  OutputGradient(const Layout& layout, const BFloat16* gradient, const BFloat16* output,
                 const float* sums, int64_t kv_head)
      : d_output(layout.n_rows() * layout.width), along(layout.n_rows()), logsumexp(layout.n_rows()) {
    for (int64_t row = 0; row < layout.n_tokens * layout.n_shared(); ++row) {
      const int64_t place = layout.output(kv_head, row);
      __m512 sum = _mm512_setzero_ps();
      for (int64_t i = 0; i < layout.width; i += kLanes)
        sum = _mm512_fmadd_ps(load(gradient + place + i), load(output + place + i), sum);
      along[row] = _mm512_reduce_add_ps(sum);
      logsumexp[row] = sums[row];
      std::copy_n(gradient + place, layout.width, d_output.data() + row * layout.width);
    }
  }
};

// Of one block of keys (rows), for all queries that see any of them (columns): the probabilities,
// the gradient of the scores, and the same with its rows in pairs.
struct KeyBlock {
  int64_t stride, n_shared;
  Buffer<BFloat16> p, d_scores, d_scores_paired;

  explicit KeyBlock(const Layout& layout)
      : stride(layout.row_stride()), n_shared(layout.n_shared()), p(kBlock * stride),
        d_scores(kBlock * stride), d_scores_paired(kBlock * stride) {}

  void compute(const float* scores, const float* d_p, const float* logsumexp, const float* along,
               int64_t n_columns) const {
    for (int64_t key = 0; key < kBlock; key += 2)
      for (int64_t i = 0; i < n_columns; i += kLanes) {
        __m512 both[2];
        for (int64_t odd = 0; odd < 2; ++odd) {
          const int64_t place = (key + odd) * stride + i;
          // Queries before the key do not see it.
          const int64_t hidden = std::clamp<int64_t>((key + odd) * n_shared - i, 0, kLanes);
          const __mmask16 seen = static_cast<__mmask16>(0xffffu << hidden);
          const __m512 score = _mm512_loadu_ps(scores + place);
          const __m512 each = _mm512_maskz_mov_ps(
              seen, exponential(_mm512_sub_ps(score, _mm512_loadu_ps(logsumexp + i))));
          store(p.data() + place, each);
          const __m512 d_each = _mm512_loadu_ps(d_p + place);
          both[odd] =
              _mm512_maskz_mul_ps(seen, each, _mm512_sub_ps(d_each, _mm512_loadu_ps(along + i)));
          store(d_scores.data() + place, both[odd]);
        }
        store_pairs(d_scores_paired.data() + key * stride + 2 * i, both[0], both[1]);
      }
  }
};

void attend_head_backward(const Layout& layout, const BFloat16* fused, const float* turns,
                          int64_t kv_head, const OutputGradient& given, BFloat16* d_fused) {
  const int64_t width = layout.width, n_shared = layout.n_shared(), n_rows = layout.n_rows();
  const int64_t stride = layout.row_stride(), key_stride = layout.key_stride();
  const Head head(layout, fused, turns, kv_head);
  const BFloat16 *q = head.q.data(), *k = head.k.data(), *v = head.v.data();
  const Buffer<BFloat16> queries_across(width * stride), gradients_across(width * stride);
  const Buffer<BFloat16> queries(n_rows * width), gradients(n_rows * width);
  const Buffer<BFloat16> keys_across(width * key_stride);
  interleave_columns(q, n_rows, width, stride, queries_across.data());
  interleave_columns(given.d_output.data(), n_rows, width, stride, gradients_across.data());
  interleave_rows(q, n_rows, width, queries.data());
  interleave_rows(given.d_output.data(), n_rows, width, gradients.data());
  for (int64_t token = 0; token < layout.padded(); ++token)
    for (int64_t i = 0; i < width; ++i) keys_across[i * key_stride + token] = k[token * width + i];

  const KeyBlock block(layout);
  const Buffer<float> scores(kBlock * stride), d_p(kBlock * stride);
  const Buffer<float> dk(kBlock * width), dv(kBlock * width);
  std::vector<float> dq_across(width * stride);
  for (int64_t start = 0; start < layout.padded(); start += kBlock) {
    const int64_t first = start * n_shared, n_columns = n_rows - first;
    multiply(kBlock, n_columns, width, k + start * width, width, queries_across.data() + 2 * first,
             stride, scores.data(), stride, false);
    multiply(kBlock, n_columns, width, v + start * width, width,
             gradients_across.data() + 2 * first, stride, d_p.data(), stride, false);
    block.compute(scores.data(), d_p.data(), given.logsumexp.data() + first,
                  given.along.data() + first, n_columns);
    multiply(kBlock, width, n_columns, block.p.data(), stride, gradients.data() + first * width, width,
             dv.data(), width, false);
    multiply(kBlock, width, n_columns, block.d_scores.data(), stride,
             queries.data() + first * width, width, dk.data(), width, false);
    multiply(width, n_columns, kBlock, keys_across.data() + start, key_stride,
             block.d_scores_paired.data(), stride, dq_across.data() + first, stride, true);
    for (int64_t token = start; token < std::min(start + kBlock, layout.n_tokens); ++token) {
      rotate_back(dk.data() + (token - start) * width, 1, turns + token * width, 1, width,
                  d_fused + layout.key(kv_head, token));
      for (int64_t i = 0; i < width; i += kLanes)
        store(d_fused + layout.value(kv_head, token) + i,
              _mm512_loadu_ps(dv.data() + (token - start) * width + i));
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  for (int64_t row = 0; row < layout.n_tokens * n_shared; ++row)
    rotate_back(dq_across.data() + row, stride, turns + row / n_shared * width, scale, width,
                d_fused + layout.query(kv_head, row));
}

Layout layout_of(const Tensor& qkv, const Tensor& turns, int64_t n_heads, int64_t n_kv_heads) {
  TORCH_CHECK(qkv.dim() == 3 && qkv.is_contiguous(), "qkv must be contiguous, of three axes");
  const int64_t n_all = n_heads + 2 * n_kv_heads, width = qkv.size(2) / n_all;
  TORCH_CHECK(n_heads % n_kv_heads == 0 && qkv.size(2) % n_all == 0, "heads do not divide qkv");
  TORCH_CHECK(width % (2 * kLanes) == 0, "the width of a head must be a multiple of 32");
  TORCH_CHECK(turns.is_contiguous() && turns.size(0) == qkv.size(1) && turns.size(1) == width,
              "turns must be (tokens, width of a head)");
  return {qkv.size(1), n_heads, n_kv_heads, width};
}

}  // namespace

std::tuple<Tensor, Tensor> attention(const Tensor& qkv, const Tensor& turns, int64_t n_heads,
                                     int64_t n_kv_heads) {
  const Layout layout = layout_of(qkv, turns, n_heads, n_kv_heads);
  const int64_t n_rows = layout.n_tokens * layout.n_shared();
  Tensor output = at::empty({qkv.size(0), layout.n_tokens, n_heads * layout.width}, qkv.options());
  Tensor sums = at::empty({qkv.size(0), n_kv_heads, n_rows}, qkv.options().dtype(at::kFloat));
  for (int64_t batch = 0; batch < qkv.size(0); ++batch)
    for (int64_t head = 0; head < n_kv_heads; ++head)
      attend_head(layout, data(qkv) + batch * layout.n_tokens * layout.fused(), turns.const_data_ptr<float>(),
                  head, output.data_ptr<BFloat16>() + batch * output.stride(0),
                  sums.data_ptr<float>() + batch * sums.stride(0) + head * n_rows);
  at::native::cpublas::brgemm_release();
  return {output, sums};
}

Tensor attention_backward(const Tensor& gradient, const Tensor& qkv, const Tensor& output,
                          const Tensor& sums, const Tensor& turns, int64_t n_heads,
                          int64_t n_kv_heads) {
  const Layout layout = layout_of(qkv, turns, n_heads, n_kv_heads);
  const Tensor given = gradient.contiguous();
  Tensor d_qkv = at::empty_like(qkv);
  for (int64_t batch = 0; batch < qkv.size(0); ++batch)
    for (int64_t head = 0; head < n_kv_heads; ++head) {
      const int64_t place = batch * layout.n_tokens * layout.fused(), out = batch * output.stride(0);
      const OutputGradient of_head(
          layout, data(given) + out, data(output) + out,
          sums.const_data_ptr<float>() + batch * sums.stride(0) + head * sums.stride(1), head);
      attend_head_backward(layout, data(qkv) + place, turns.const_data_ptr<float>(), head, of_head,
                           d_qkv.data_ptr<BFloat16>() + place);
    }
  at::native::cpublas::brgemm_release();
  return d_qkv;
}
