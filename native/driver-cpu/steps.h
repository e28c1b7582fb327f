// The steps of ITP-1 around its large products, for one nonce on one thread. Operands are stored: value + 64, unsigned.
#pragma once

#include "crypto.h"
#include "large_memory.h"
#include "kernel_variants.h"

namespace lode {

constexpr size_t HEAD = 64;

struct Tier {
  size_t width, layers, tokens;
  size_t hidden() const { return 4 * width; }
};

// The six matrices of a layer, in the order of the keystreams' names "qkvoun".
constexpr size_t MATRICES = 6;
struct Shape {
  size_t rows, columns;
};
Shape shape_of(const Tier &tier, size_t matrix);

// The key of a matrix's keystream: bytes modulo 128, less 64, are its operands, row-major.
void matrix_key(const Crypto &crypto, const uint8_t seed[32], size_t layer, size_t matrix, AesKey &key);

// KS("input", header ‖ nonce, T·d) into the nonce's rows of x.
void fill_input(const Crypto &crypto, const Tier &tier, const uint8_t header[32], uint64_t nonce, uint8_t *x,
                size_t stride);

// The memory that one thread needs for a head.
struct HeadScratch {
  HeadScratch();
  Memory scores, keys, values;
};

// Q, K and V of a nonce: rows of d, `stride` bytes apart.
struct Heads {
  const uint8_t *queries, *keys, *values;
  size_t stride;
};

// S = w(Q·Kᵀ, 7), S[i,j] = 0 for j > i;  mixed = w(S·V, 4), for all heads.
void attend(const KernelSet &kernels, const Tier &tier, const Heads &heads, uint8_t *mixed, size_t mixed_stride,
            HeadScratch &scratch);

// SHA-256("itp1/digest/" ‖ header ‖ nonce ‖ X), X as signed bytes. The nonce's rows of x are signed afterwards.
void make_digest(const Crypto &crypto, const Tier &tier, const uint8_t header[32], uint64_t nonce, uint8_t *x,
                 size_t stride, uint8_t digest[32]);

} // namespace lode
