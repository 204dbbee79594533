// The gradient of a matrix multiplies a transposed batch, which PyTorch transposes slowly.

#include "kernels.h"
#include "lanes.h"

using namespace lanes;
using at::Tensor;

namespace {

constexpr int64_t kRows = 32;  // in pairs, they are one row of 16 lanes

// Turns 16 rows of 16 numbers of 32 bits into their columns.
void transpose(__m512i* rows) {
  __m512i mixed[16];
  for (int i = 0; i < 16; i += 2) {
    mixed[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    mixed[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // Then rows[i + c] has, in its quarter q, column 4q + c of the four rows from i on.
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(mixed[i], mixed[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(mixed[i], mixed[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(mixed[i + 1], mixed[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(mixed[i + 1], mixed[i + 3]);
  }
  constexpr int kEven = 0x88, kOdd = 0xdd;  // quarters 0 and 2, or 1 and 3, of both
  for (int c = 0; c < 4; ++c) {
    const __m512i even_low = _mm512_shuffle_i32x4(rows[c], rows[c + 4], kEven);
    const __m512i odd_low = _mm512_shuffle_i32x4(rows[c], rows[c + 4], kOdd);
    const __m512i even_high = _mm512_shuffle_i32x4(rows[c + 8], rows[c + 12], kEven);
    const __m512i odd_high = _mm512_shuffle_i32x4(rows[c + 8], rows[c + 12], kOdd);
    rows[c] = _mm512_shuffle_i32x4(even_low, even_high, kEven);
    rows[c + 4] = _mm512_shuffle_i32x4(odd_low, odd_high, kEven);
    rows[c + 8] = _mm512_shuffle_i32x4(even_low, even_high, kOdd);
    rows[c + 12] = _mm512_shuffle_i32x4(odd_low, odd_high, kOdd);
  }
}

__m512i widened(const BFloat16* from) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

}  // namespace

Tensor transposed(const Tensor& x) {
  TORCH_CHECK(x.dim() == 2 && x.size(1) % kLanes == 0, "x must be (rows, a multiple of 16)");
  const Tensor from = x.contiguous();
  const int64_t n_rows = x.size(0), width = x.size(1);
  // Were the distance between rows a power of two, they would fight for one place in the cache.
  const int64_t stride = (n_rows + 511) / 512 * 512 + kRows;
  const Tensor y = at::empty({width, stride}, x.options()).narrow(1, 0, n_rows);
  const BFloat16* in = data(from);
  BFloat16* out = y.data_ptr<BFloat16>();
  const int64_t n_whole = n_rows / kRows * kRows;
  __m512i tile[16];
  for (int64_t row = 0; row < n_whole; row += kRows)
    for (int64_t column = 0; column < width; column += kLanes) {
      for (int64_t i = 0; i < 16; ++i) {
        const BFloat16* even = in + (row + 2 * i) * width + column;
        tile[i] = _mm512_or_si512(widened(even), _mm512_slli_epi32(widened(even + width), 16));
      }
      transpose(tile);
      for (int64_t i = 0; i < 16; ++i)
        _mm512_storeu_si512(out + (column + i) * stride + row, tile[i]);
    }
  for (int64_t row = n_whole; row < n_rows; ++row)
    for (int64_t column = 0; column < width; ++column)
      out[column * stride + row] = in[row * width + column];
  return y;
}
