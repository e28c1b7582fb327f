/*
 * A complete driver in plain C: copy this folder, and replace what computes by your chip. It is right and slow.
 * lode_driver.h says what every function must do, docs/drivers.md what ITP-1 is.
 */
#include "lode_driver.h"
#include "primitives.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define DEVICE_ID "template0"
#define HEAD 64u
static const char MATRICES[] = "qkvoun";

struct lode_epoch {
  uint32_t width, layers, tokens;
  size_t bytes;
  int8_t weights[]; /* layer after layer: q, k, v, o (d × d), u (d × 4d), n (4d × d), row-major, -64 to 63 */
};
struct lode_device {
  uint64_t limit_bytes;
  atomic_size_t used_bytes;
  atomic_uint cancels; /* work that began at another count has been cancelled */
  _Atomic(const char *) error;
};

static _Atomic(const char *) general_error = "no error";

static lode_status fail(lode_device *device, lode_status status, const char *text) {
  atomic_store(device ? &device->error : &general_error, text);
  return status;
}

/* Seven bits of an exact sum, above the `drop` lowest: -64 to 63. A shift of a negative number keeps its sign here. */
static int8_t window(int32_t sum, int drop) { return (int8_t)((((sum >> drop) + 64) & 127) - 64); }

/* output[m][n] = w(a · b, drop); false when cancelled meanwhile. `sums`: one row. */
static int multiply(const int8_t *a, const int8_t *b, uint32_t rows, uint32_t inner, uint32_t columns, int8_t *output,
                    int32_t *sums, lode_device *device, unsigned started) {
  for (uint32_t m = 0; m < rows; m++) {
    if (atomic_load(&device->cancels) != started) return 0;
    memset(sums, 0, columns * sizeof *sums);
    for (uint32_t k = 0; k < inner; k++) {
      const int32_t factor = a[(size_t)m * inner + k];
      const int8_t *row = b + (size_t)k * columns;
      for (uint32_t n = 0; n < columns; n++) sums[n] += factor * row[n];
    }
    for (uint32_t n = 0; n < columns; n++) output[(size_t)m * columns + n] = window(sums[n], 8);
  }
  return 1;
}

/* mixed = w((w(Q · Kᵀ, 7), zero above the diagonal) · V, 4), head by head. */
static void attention(const int8_t *q, const int8_t *k, const int8_t *v, uint32_t tokens, uint32_t width, int8_t *mixed) {
  for (uint32_t head = 0; head < width; head += HEAD)
    for (uint32_t i = 0; i < tokens; i++) {
      int32_t sums[HEAD] = {0};
      for (uint32_t j = 0; j <= i; j++) {
        int32_t score = 0;
        for (uint32_t c = head; c < head + HEAD; c++) score += q[i * width + c] * k[j * width + c];
        for (uint32_t c = 0; c < HEAD; c++) sums[c] += window(score, 7) * v[j * width + head + c];
      }
      for (uint32_t c = 0; c < HEAD; c++) mixed[i * width + head + c] = window(sums[c], 4);
    }
}

/* x through all layers. `room`: 8 · tokens · d bytes; false when cancelled. */
static int forward(const lode_epoch *epoch, int8_t *x, int8_t *room, int32_t *sums, lode_device *device, unsigned started) {
  const uint32_t d = epoch->width, t = epoch->tokens;
  const size_t size = (size_t)t * d, square = (size_t)d * d;
  int8_t *q = room, *k = q + size, *v = k + size, *mixed = v + size, *hidden = room, *output = room + 4 * size;
  const int8_t *w = epoch->weights;
  for (uint32_t layer = 0; layer < epoch->layers; layer++, w += 12 * square) {
    if (!multiply(x, w, t, d, d, q, sums, device, started) || !multiply(x, w + square, t, d, d, k, sums, device, started) ||
        !multiply(x, w + 2 * square, t, d, d, v, sums, device, started))
      return 0;
    attention(q, k, v, t, d, mixed);
    if (!multiply(mixed, w + 3 * square, t, d, d, output, sums, device, started)) return 0;
    for (size_t i = 0; i < size; i++) x[i] = window(x[i] + output[i], 0);
    if (!multiply(x, w + 4 * square, t, d, 4 * d, hidden, sums, device, started)) return 0;
    for (size_t i = 0; i < 4 * size; i++) { /* a fixed permutation: the triangular number modulo 128 */
      const int u = hidden[i] + 64;
      hidden[i] = (int8_t)(((u * (u + 1) / 2) & 127) - 64);
    }
    if (!multiply(hidden, w + 8 * square, t, 4 * d, d, output, sums, device, started)) return 0;
    for (size_t i = 0; i < size; i++) x[i] = window(x[i] + output[i], 0);
  }
  return 1;
}

static void operands(int8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) bytes[i] = (int8_t)((bytes[i] & 127) - 64);
}

static void store_nonce(uint8_t bytes[8], uint64_t nonce) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(nonce >> 8 * i);
}

static uint32_t device_count(void) { return 1; }

static lode_status describe(uint32_t index, lode_device_info *info) {
  if (index != 0 || !info || info->size < sizeof *info)
    return fail(NULL, LODE_INVALID_ARGUMENT, "there is one device, and its description needs its whole structure");
  *info = (lode_device_info){info->size, LODE_KIND_OTHER, DEVICE_ID, "Template device", "one thread, plain C", "1", 0, 0};
  return LODE_OK;
}

static lode_status open_device(const char *id, const lode_open_options *options, lode_device **device) {
  if (!device) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no place for the device");
  *device = NULL;
  if (!id || strcmp(id, DEVICE_ID) != 0) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no device with this id");
  if (!options || options->size < sizeof *options)
    return fail(NULL, LODE_INVALID_ARGUMENT, "the options are missing or too small");
  if (options->path && strcmp(options->path, "plain") != 0)
    return fail(NULL, LODE_NOT_AVAILABLE, "the one way of computing is called plain");
  if (!(*device = (lode_device *)calloc(1, sizeof **device)))
    return fail(NULL, LODE_OUT_OF_MEMORY, "there is not enough memory for a device");
  (*device)->limit_bytes = options->memory_limit_bytes;
  atomic_store(&(*device)->error, "no error");
  return LODE_OK;
}

static void close_device(lode_device *device) { free(device); }

static const char *last_error(lode_device *device) { return atomic_load(device ? &device->error : &general_error); }

static uint32_t capabilities(lode_device *device) { return device ? LODE_CAPABILITY_NONCES : 0; }

static void release(lode_device *device, lode_epoch *epoch) {
  if (device && epoch) atomic_fetch_sub(&device->used_bytes, epoch->bytes);
  free(epoch);
}

static lode_status prepare(lode_device *device, const lode_tier *tier, const uint8_t seed[32], lode_epoch **epoch) {
  if (!device) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no device");
  if (!epoch) return fail(device, LODE_INVALID_ARGUMENT, "there is no place for the epoch");
  *epoch = NULL;
  if (!tier || tier->size < sizeof *tier || !seed) return fail(device, LODE_INVALID_ARGUMENT, "tier or seed is missing");
  if ((tier->width != 256 && tier->width != 1024) || tier->layers < 1 || tier->layers > 256 ||
      (tier->tokens != 16 && tier->tokens != 32 && tier->tokens != 64))
    return fail(device, LODE_INVALID_ARGUMENT, "there is no such tier");
  const unsigned started = atomic_load(&device->cancels);
  const size_t square = (size_t)tier->width * tier->width, bytes = 12 * square * tier->layers;
  const size_t used = atomic_fetch_add(&device->used_bytes, bytes) + bytes;
  if ((device->limit_bytes && used > device->limit_bytes) || !(*epoch = (lode_epoch *)malloc(sizeof **epoch + bytes))) {
    atomic_fetch_sub(&device->used_bytes, bytes);
    return fail(device, LODE_OUT_OF_MEMORY, "there is not enough memory for the weights of another epoch");
  }
  **epoch = (lode_epoch){tier->width, tier->layers, tier->tokens, bytes};
  int8_t *w = (*epoch)->weights;
  for (uint32_t layer = 0; layer < tier->layers; layer++)
    for (const char *name = MATRICES; *name; name++) {
      const size_t size = *name == 'u' || *name == 'n' ? 4 * square : square;
      const uint8_t layer_byte = (uint8_t)layer;
      uint8_t key[32];
      sha256 hash;
      if (atomic_load(&device->cancels) != started) {
        release(device, *epoch);
        *epoch = NULL;
        return fail(device, LODE_CANCELLED, "the work was cancelled");
      }
      sha256_begin(&hash);
      sha256_add(&hash, "itp1/weights/", 13);
      sha256_add(&hash, seed, 32);
      sha256_add(&hash, &layer_byte, 1);
      sha256_add(&hash, name, 1);
      sha256_end(&hash, key);
      aes_keystream(key, size, (uint8_t *)w);
      operands(w, size);
      w += size;
    }
  return LODE_OK;
}

static lode_status run(lode_device *device, lode_epoch *epoch, const uint8_t header[32], uint64_t first_nonce,
                       uint32_t count, uint8_t *digests, lode_run_result *result) {
  if (!device) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no device");
  if (!epoch || !header || !digests || count == 0 || (result && result->size < sizeof *result))
    return fail(device, LODE_INVALID_ARGUMENT, "epoch, header, digests or nonces are missing");
  const unsigned started = atomic_load(&device->cancels);
  const size_t size = (size_t)epoch->tokens * epoch->width;
  int8_t *x = (int8_t *)malloc(9 * size + 4 * (size_t)epoch->width * sizeof(int32_t));
  if (!x) return fail(device, LODE_OUT_OF_MEMORY, "there is not enough memory for a nonce");
  int32_t *sums = (int32_t *)(void *)(x + 9 * size);
  const clock_t begun = clock();
  lode_status status = LODE_OK;
  for (uint32_t i = 0; i < count && status == LODE_OK; i++) {
    uint8_t nonce[8], key[32];
    sha256 hash;
    store_nonce(nonce, first_nonce + i);
    sha256_begin(&hash);
    sha256_add(&hash, "itp1/input/", 11);
    sha256_add(&hash, header, 32);
    sha256_add(&hash, nonce, 8);
    sha256_end(&hash, key);
    aes_keystream(key, size, (uint8_t *)x);
    operands(x, size);
    if (!forward(epoch, x, x + size, sums, device, started)) {
      status = fail(device, LODE_CANCELLED, "the work was cancelled");
      break;
    }
    sha256_begin(&hash);
    sha256_add(&hash, "itp1/digest/", 12);
    sha256_add(&hash, header, 32);
    sha256_add(&hash, nonce, 8);
    sha256_add(&hash, x, size);
    sha256_end(&hash, digests + 32 * (size_t)i);
  }
  if (result) result->kernel_nanoseconds = (uint64_t)((double)(clock() - begun) / CLOCKS_PER_SEC * 1e9);
  free(x);
  return status;
}

static void cancel(lode_device *device) {
  if (device) atomic_fetch_add(&device->cancels, 1);
}

static lode_status no_sensors(lode_device *device, lode_sensors *sensors) {
  if (!device || !sensors || sensors->size < sizeof *sensors)
    return fail(device, LODE_INVALID_ARGUMENT, "device or place for the readings is missing");
  return fail(device, LODE_NOT_AVAILABLE, "this device has no sensors");
}
static lode_status no_limit(lode_device *device, lode_power_limit *limit) {
  if (!device || !limit || limit->size < sizeof *limit)
    return fail(device, LODE_INVALID_ARGUMENT, "device or place for the limit is missing");
  return fail(device, LODE_NOT_AVAILABLE, "this device has no power limit");
}
static lode_status set_no_limit(lode_device *device, double watts) {
  (void)watts;
  return fail(device, device ? LODE_NOT_AVAILABLE : LODE_INVALID_ARGUMENT, "this device has no power limit");
}

static const lode_driver driver = {
    sizeof(lode_driver), LODE_DRIVER_ABI, "template", "Your company", "1.0.0", "MIT",
    device_count, describe, open_device, close_device, last_error, capabilities, NULL, prepare, run, cancel, release,
    NULL, no_sensors, no_limit, set_no_limit};

const lode_driver *lode_driver_entry(uint32_t abi) { return abi == LODE_DRIVER_ABI ? &driver : NULL; }
