/*
 * The smallest driver: a device that multiplies matrices and nothing else (level 1). Lode does the rest on the processor.
 * Copy this folder, and replace `multiply` by calls of your chip. This one is right but slow.
 */
#include "lode_driver.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_ID "products0"

struct lode_device {
  _Atomic(const char *) error;
};

static _Atomic(const char *) general_error = "no error";

static lode_status fail(lode_device *device, lode_status status, const char *text) {
  atomic_store(device ? &device->error : &general_error, text);
  return status;
}

static uint32_t device_count(void) { return 1; }

static lode_status describe(uint32_t index, lode_device_info *info) {
  if (index != 0 || !info || info->size < sizeof *info)
    return fail(NULL, LODE_INVALID_ARGUMENT, "there is one device, and its description needs its whole structure");
  *info = (lode_device_info){info->size, LODE_KIND_OTHER, DEVICE_ID, "Products device", "products in plain C", "1", 0, 0};
  return LODE_OK;
}

static lode_status open_device(const char *id, const lode_open_options *options, lode_device **device) {
  if (!device) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no place for the device");
  *device = NULL;
  if (!id || strcmp(id, DEVICE_ID) != 0) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no device with this id");
  if (!options || options->size < sizeof *options)
    return fail(NULL, LODE_INVALID_ARGUMENT, "the options are missing or too small");
  if (!(*device = (lode_device *)malloc(sizeof **device)))
    return fail(NULL, LODE_OUT_OF_MEMORY, "there is not enough memory for a device");
  atomic_init(&(*device)->error, "no error");
  return LODE_OK;
}

static void close_device(lode_device *device) { free(device); }

static const char *last_error(lode_device *device) { return atomic_load(device ? &device->error : &general_error); }

static uint32_t capabilities(lode_device *device) { return device ? LODE_CAPABILITY_PRODUCT : 0; }

static lode_status multiply(lode_device *device, const lode_product *p) {
  if (!device) return fail(NULL, LODE_INVALID_ARGUMENT, "there is no device");
  if (!p || p->size < sizeof *p || !p->a || !p->b || !p->output || !p->rows || !p->inner || !p->columns ||
      (p->drop != 4 && p->drop != 7 && p->drop != 8))
    return fail(device, LODE_INVALID_ARGUMENT, "the product lacks an operand, a size, or a number of bits to drop");
  int32_t *sums = (int32_t *)malloc(p->columns * sizeof *sums);
  if (!sums) return fail(device, LODE_OUT_OF_MEMORY, "there is not enough memory for a row of sums");
  for (uint32_t m = 0; m < p->rows; m++) {
    memset(sums, 0, p->columns * sizeof *sums);
    for (uint32_t k = 0; k < p->inner; k++) {
      const int32_t factor = p->a[(size_t)m * p->inner + k] - 64;
      const int8_t *row = p->b + (size_t)k * p->columns;
      for (uint32_t n = 0; n < p->columns; n++) sums[n] += factor * row[n];
    }
    /* a shift of a negative number keeps its sign here */
    for (uint32_t n = 0; n < p->columns; n++)
      p->output[(size_t)m * p->columns + n] = (uint8_t)(((sums[n] >> p->drop) + 64) & 127);
  }
  free(sums);
  return LODE_OK;
}

/* Lode looks for a cancellation between two products. */
static void cancel(lode_device *device) { (void)device; }

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
    sizeof(lode_driver), LODE_DRIVER_ABI, "products", "Your company", "1.0.0", "MIT",
    device_count, describe, open_device, close_device, last_error, capabilities, NULL, NULL, NULL, cancel, NULL,
    multiply, no_sensors, no_limit, set_no_limit};

const lode_driver *lode_driver_entry(uint32_t abi) { return abi == LODE_DRIVER_ABI ? &driver : NULL; }
