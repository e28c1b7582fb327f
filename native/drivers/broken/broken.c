/* The template with one fault, which BROKEN_... chooses and the conformance kit has to find. For tests only. */
#define lode_driver_entry template_entry
#include "../template/template.c"
#undef lode_driver_entry

#if defined(BROKEN_DIGEST)
/* Right for the published vectors, wrong beyond them. */
static lode_status broken_run(lode_device *device, lode_epoch *epoch, const uint8_t header[32], uint64_t first_nonce,
                              uint32_t count, uint8_t *digests, lode_run_result *result) {
  const lode_status status = run(device, epoch, header, first_nonce, count, digests, result);
  for (uint32_t i = 0; i < count; i++)
    if (first_nonce + i > 255 && first_nonce + i < UINT64_MAX - 8) digests[32 * (size_t)i] ^= 1;
  return status;
}
#elif defined(BROKEN_CRASH)
static lode_status broken_run(lode_device *device, lode_epoch *epoch, const uint8_t header[32], uint64_t first_nonce,
                              uint32_t count, uint8_t *digests, lode_run_result *result) {
  (void)device, (void)epoch, (void)header, (void)first_nonce, (void)count, (void)digests, (void)result;
  abort();
}
#elif defined(BROKEN_HANG)
static lode_status broken_run(lode_device *device, lode_epoch *epoch, const uint8_t header[32], uint64_t first_nonce,
                              uint32_t count, uint8_t *digests, lode_run_result *result) {
  const struct timespec second = {1, 0};
  if (count < 40) return run(device, epoch, header, first_nonce, count, digests, result);
  for (;;) nanosleep(&second, NULL);
}
#elif defined(BROKEN_LEAK)
static char *volatile lost;
static lode_status broken_open(const char *id, const lode_open_options *options, lode_device **device) {
  const lode_status status = open_device(id, options, device);
  if (status == LODE_OK) {
    lost = (char *)malloc(196608);
    if (lost) memset(lost, 1, 196608);
  }
  return status;
}
#elif defined(BROKEN_LIMIT)
static lode_status broken_open(const char *id, const lode_open_options *options, lode_device **device) {
  const lode_status status = open_device(id, options, device);
  if (status == LODE_OK) (*device)->limit_bytes = 0;
  return status;
}
#endif

static lode_driver broken;

#if defined(BROKEN_SYMBOL)
LODE_DRIVER_EXPORT const lode_driver *lode_driver_entrance(uint32_t abi);
const lode_driver *lode_driver_entrance(uint32_t abi) {
#else
LODE_DRIVER_EXPORT const lode_driver *lode_driver_entry(uint32_t abi);
const lode_driver *lode_driver_entry(uint32_t abi) {
#endif
  const lode_driver *whole = template_entry(abi);
  if (whole == NULL) return NULL;
  broken = *whole;
#if defined(BROKEN_ABI)
  broken.abi = 99;
#elif defined(BROKEN_SIZE)
  broken.size = 64;
#elif defined(BROKEN_DIGEST) || defined(BROKEN_CRASH) || defined(BROKEN_HANG)
  broken.run = broken_run;
#elif defined(BROKEN_LEAK) || defined(BROKEN_LIMIT)
  broken.open = broken_open;
#endif
  return &broken;
}
