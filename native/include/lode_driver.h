/*
 * lode_driver.h: how Lode drives an accelerator. Version 1.
 *
 * A driver is a shared library with one exported function, lode_driver_entry. It computes ITP-1, the integer
 * transformer proof: all values are seven-bit integers and every digest is the same, bit for bit, on every chip.
 *
 * Where it is loaded   Only in the worker process of its devices, never in a process with a window. A crash ends that
 *                      process and nothing else.
 * Memory               The caller owns every buffer that it passes, before and after the call. Data that the driver returns by
 *                      pointer belongs to the driver: the table of functions and the texts of `describe` stay valid until
 *                      the library is unloaded, which Lode never does; the last error until the next call with the same
 *                      device. Where several threads use one device, the last error may be any of theirs. The memory for an epoch's weights
 *                      belongs to the driver, stays below the limit given to open, and ends with release or close.
 * Threads              Any thread may call any function. prepare and run may be called by several threads at once for the
 *                      same device; the driver orders the work. cancel and the sensors may be called while others work.
 *                      close may be called only when no other call for that device is running.
 * No callbacks         A driver never calls back into Lode.
 * Sizes                Every structure that the caller fills or that is filled for it begins with its size in bytes as the
 *                      caller knows it. A driver reads and writes no further than that, leaves `size` as it is, refuses a
 *                      structure smaller than the one that it was built with, and takes a larger one for its beginning.
 *                      Later versions only append. `reserved` is 0.
 * Text                 UTF-8, ended by a zero byte, a sentence for people without a full stop.
 */
#ifndef LODE_DRIVER_H
#define LODE_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LODE_DRIVER_ABI 1u

#define LODE_SEED_BYTES 32u   /* an epoch's seed */
#define LODE_HEADER_BYTES 32u /* SHA-256("itp1/header/" || seed || rig public key) */
#define LODE_DIGEST_BYTES 32u

/* Every function that can fail returns one of these. */
typedef enum lode_status {
  LODE_OK = 0,
  LODE_INVALID_ARGUMENT = 1, /* a null pointer, a structure too small, an unknown tier or device, a count of zero */
  LODE_NOT_AVAILABLE = 2,    /* no such sensor, setting or capability here; not an error of the device */
  LODE_OUT_OF_MEMORY = 3,    /* above the limit given to open, or the machine has no more */
  LODE_CANCELLED = 4,        /* cancel was called while this call worked */
  LODE_DEVICE_LOST = 5,      /* the device is gone or was reset: close it, enumerate again */
  LODE_FAILED = 6            /* anything else; last_error says what */
} lode_status;

/* The sizes of one tier of the proof. Heads have 64 columns; the hidden width is four times the width. Any combination of
   the sizes below is a tier; what is not is LODE_INVALID_ARGUMENT, what does not fit LODE_OUT_OF_MEMORY. */
typedef struct lode_tier {
  uint32_t size;   /* sizeof(lode_tier) */
  uint32_t width;  /* d: 256 or 1024 */
  uint32_t layers; /* L: 1 to 256 */
  uint32_t tokens; /* T, the rows of one nonce: 16, 32 or 64 */
} lode_tier;

typedef enum lode_device_kind {
  LODE_KIND_CPU = 1,
  LODE_KIND_GPU = 2,
  LODE_KIND_NPU = 3,
  LODE_KIND_ASIC = 4,
  LODE_KIND_FPGA = 5,
  LODE_KIND_OTHER = 6
} lode_device_kind;

typedef struct lode_device_info {
  uint32_t size;           /* sizeof(lode_device_info) */
  uint32_t kind;           /* lode_device_kind */
  const char *id;          /* the same after every start of this machine, unique within the driver */
  const char *name;        /* as the maker calls it */
  const char *units;       /* instruction sets or compute units that will be used, for people to read */
  const char *firmware;    /* version, or an empty text */
  uint64_t memory_bytes;   /* of the device's own memory; 0: it uses the computer's */
  uint32_t maximum_threads; /* the most that set_threads accepts; 0: threads are not chosen here */
} lode_device_info;

/* capabilities */
#define LODE_CAPABILITY_PRODUCT 1u /* level 1: multiply(); Lode does everything around the products on the processor */
#define LODE_CAPABILITY_NONCES 2u  /* level 2: prepare(), run(), release(); Lode needs nothing else, and multiply() is not used */

typedef struct lode_open_options {
  uint32_t size;         /* sizeof(lode_open_options) */
  uint32_t threads;      /* threads to compute with; ignored where maximum_threads is 0 */
  uint64_t memory_limit_bytes; /* for weights of all epochs held at once; 0: no limit */
  const char *path;      /* for tests: the kernel variant, by a name of the driver's own; null: the fastest */
} lode_open_options;

typedef struct lode_run_result {
  uint32_t size;              /* sizeof(lode_run_result) */
  uint32_t reserved;
  uint64_t kernel_nanoseconds; /* spent computing, summed over all threads; 0 where the driver cannot tell */
} lode_run_result;

/* Level 1: output[m][n] = ((sum over k of (a[m][k] - 64) * b[k][n]) >> drop) + 64, modulo 128. Row-major, no padding. */
typedef struct lode_product {
  uint32_t size; /* sizeof(lode_product) */
  uint32_t rows, inner, columns;
  uint32_t drop;       /* 4, 7 or 8 */
  const uint8_t *a;    /* rows * inner, 0 to 127 */
  const int8_t *b;     /* inner * columns, -64 to 63 */
  uint8_t *output;     /* rows * columns, 0 to 127 */
} lode_product;

/* Readings of sensors. The bits of `available` say which fields hold a reading; the others are 0 and mean nothing. */
#define LODE_SENSOR_TEMPERATURE 1u
#define LODE_SENSOR_POWER 2u
#define LODE_SENSOR_ENERGY 4u
#define LODE_SENSOR_CLOCK 8u
#define LODE_SENSOR_FAN 16u
#define LODE_SENSOR_UTILIZATION 32u

typedef struct lode_sensors {
  uint32_t size;      /* sizeof(lode_sensors) */
  uint32_t available; /* LODE_SENSOR_... */
  double temperature_celsius;
  double power_watts;
  double energy_joules; /* since an arbitrary start; never runs backwards while the device is open */
  double clock_hertz;
  double fan_revolutions_per_minute;
  double utilization; /* 0 to 1 */
} lode_sensors;

typedef struct lode_power_limit {
  uint32_t size;       /* sizeof(lode_power_limit) */
  uint32_t reserved;
  double minimum_watts, maximum_watts, standard_watts;
  double current_watts; /* as read back from the device */
} lode_power_limit;

typedef struct lode_device lode_device; /* an open device */
typedef struct lode_epoch lode_epoch;   /* an epoch's weights on an open device */

/* The functions of a driver. A pointer may be null only where the comment says so. */
typedef struct lode_driver {
  uint32_t size; /* sizeof(lode_driver) */
  uint32_t abi;  /* LODE_DRIVER_ABI */
  const char *name, *vendor, *version, *licence;

  /* How many devices there are now. */
  uint32_t (*device_count)(void);
  /* Describes device `index` of 0 to device_count - 1. */
  lode_status (*describe)(uint32_t index, lode_device_info *info);

  /* Opens the device with this id. A device may be opened more than once. On failure *device is null. */
  lode_status (*open)(const char *id, const lode_open_options *options, lode_device **device);
  /* Ends its threads and releases all that it holds, epochs too. Accepts null. */
  void (*close)(lode_device *device);
  /* Why the latest call with this device failed; with null: why the latest call without a device failed. Never null. */
  const char *(*last_error)(lode_device *device);
  /* LODE_CAPABILITY_... of an open device. */
  uint32_t (*capabilities)(lode_device *device);
  /* Takes effect within one batch of nonces. Null where maximum_threads is 0. */
  lode_status (*set_threads)(lode_device *device, uint32_t threads);

  /* Level 2; prepare, run and release are null without LODE_CAPABILITY_NONCES.
     Makes the weights of an epoch from its seed. Returns when they are ready. On failure *epoch is null. */
  lode_status (*prepare)(lode_device *device, const lode_tier *tier, const uint8_t seed[LODE_SEED_BYTES],
                         lode_epoch **epoch);
  /* Writes the digests of `count` nonces from `first_nonce` on, LODE_DIGEST_BYTES each, in order. Nonces wrap at 2^64.
     `result` may be null. When it returns anything but LODE_OK, the digests mean nothing. */
  lode_status (*run)(lode_device *device, lode_epoch *epoch, const uint8_t header[LODE_HEADER_BYTES],
                     uint64_t first_nonce, uint32_t count, uint8_t *digests, lode_run_result *result);
  /* Makes every running or waiting prepare and run of this device return LODE_CANCELLED within 200 ms. Later calls work. */
  void (*cancel)(lode_device *device);
  /* Forgets an epoch. No run may be using it. Accepts null. */
  void (*release)(lode_device *device, lode_epoch *epoch);

  /* Level 1; null without LODE_CAPABILITY_PRODUCT. The output is ready when it returns. Lode asks for one product at a
     time of a device, with rows for about 15 to 60 ms (at least 16), so that a cancellation need not reach into it. */
  lode_status (*multiply)(lode_device *device, const lode_product *product);

  /* LODE_NOT_AVAILABLE where there is no sensor at all. */
  lode_status (*read_sensors)(lode_device *device, lode_sensors *sensors);
  /* LODE_NOT_AVAILABLE where the device has no power limit. Lode restores what it found when mining stops. */
  lode_status (*get_power_limit)(lode_device *device, lode_power_limit *limit);
  lode_status (*set_power_limit)(lode_device *device, double watts);
} lode_driver;

#if defined(_WIN32)
#define LODE_DRIVER_EXPORT __declspec(dllexport)
#else
#define LODE_DRIVER_EXPORT __attribute__((visibility("default")))
#endif

/* The one exported function. Returns null when the driver does not speak this version of the interface. */
LODE_DRIVER_EXPORT const lode_driver *lode_driver_entry(uint32_t abi);

#ifdef __cplusplus
}
#endif

#endif
