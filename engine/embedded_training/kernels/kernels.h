// Fused forward and backward passes for training on a CPU that multiplies bfloat16.
//
// PyTorch's own operations read and write every intermediate value of attention, of the norms and
// of the gated activation several times; here each of them stays in the cache of the core. The
// small matrix products are PyTorch's `brgemm`, which uses the tiles of AMX where there are any.
#pragma once

#include <torch/extension.h>

#include <tuple>

// Returns what each position gathers, (batch, tokens, heads * width), and the logsumexp of its
// scores. `turns` is (tokens, width), float32: the cosines of all pairs of channels, then the sines.
std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor& qkv, const at::Tensor& turns,
                                             int64_t n_heads, int64_t n_kv_heads);
at::Tensor attention_backward(const at::Tensor& gradient, const at::Tensor& qkv,
                              const at::Tensor& output, const at::Tensor& sums,
                              const at::Tensor& turns, int64_t n_heads, int64_t n_kv_heads);

// Returns the rows divided by their root mean square, and the divisors' inverses. The way back adds
// the gradient that reaches the rows themselves.
std::tuple<at::Tensor, at::Tensor> normalize(const at::Tensor& x, double epsilon);
at::Tensor normalize_backward(const at::Tensor& gradient, const at::Tensor& beside,
                              const at::Tensor& y, const at::Tensor& inverses);

// Returns silu(gate) * up, where gate and up are the halves of the last axis.
at::Tensor swiglu(const at::Tensor& gate_up);
at::Tensor swiglu_backward(const at::Tensor& gradient, const at::Tensor& gate_up);

// Returns the negative logarithm of each target's probability, and the logsumexp of each row.
std::tuple<at::Tensor, at::Tensor> cross_entropy(const at::Tensor& logits,
                                                 const at::Tensor& targets);
at::Tensor cross_entropy_backward(const at::Tensor& gradient, const at::Tensor& logits,
                                  const at::Tensor& targets, const at::Tensor& sums);

// Returns the transposed matrix of x, (rows, columns), with some room between its rows.
at::Tensor transposed(const at::Tensor& x);
