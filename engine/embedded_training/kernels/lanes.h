// Sixteen numbers at a time: bfloat16 in memory, float32 in registers.
#pragma once

#include <ATen/cpu/vec/vec.h>
#include <immintrin.h>
#include <torch/extension.h>

namespace lanes {

using at::BFloat16;

constexpr int64_t kLanes = 16;

inline __m512 load(const BFloat16* from) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

inline __m256i rounded(__m512 x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

inline void store(BFloat16* to, __m512 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x));
}

// Stores the pairs (even[i], odd[i]): two rows of a right-hand matrix.
inline void store_pairs(BFloat16* to, __m512 even, __m512 odd) {
  const __m512i low = _mm512_cvtepu16_epi32(rounded(even));
  const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(odd)), 16);
  _mm512_storeu_si512(to, _mm512_or_si512(low, high));
}

inline __m512 exponential(__m512 x) { return at::vec::Vectorized<float>(x).exp_u20(); }

inline __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0f);
  return _mm512_div_ps(one, _mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

inline const BFloat16* data(const at::Tensor& x) { return x.const_data_ptr<BFloat16>(); }

}  // namespace lanes
