#include "arguments.h"

#include <cmath>
#include <cstring>

namespace lode::loader {

namespace {

// Node's type tags, so that no other object can pass for a device or an epoch of this addon.
constexpr napi_type_tag DEVICE_TAG = {0x6c6f64656465762eull, 0x8d2a4b7c9e013f55ull};
constexpr napi_type_tag EPOCH_TAG = {0x6c6f646565706f2eull, 0x1f7713c8a46bd290ull};
constexpr size_t ALL = static_cast<size_t>(-1);

void expect(napi_status status) {
  if (status != napi_ok) throw std::runtime_error("JavaScript refused a value");
}

template <class Held> napi_value wrap_as(napi_env env, std::shared_ptr<Held> held, const napi_type_tag &tag) {
  napi_value object = make_object(env);
  auto *kept = new std::shared_ptr<Held>(std::move(held));
  const napi_finalize finalize = [](napi_env, void *data, void *) { delete static_cast<std::shared_ptr<Held> *>(data); };
  if (napi_wrap(env, object, kept, finalize, nullptr, nullptr) != napi_ok) {
    delete kept;
    throw std::runtime_error("JavaScript refused a handle");
  }
  expect(napi_type_tag_object(env, object, &tag));
  return object;
}

} // namespace

Arguments::Arguments(napi_env env, napi_callback_info info) : env(env) {
  size_t count = MOST_ARGUMENTS;
  expect(napi_get_cb_info(env, info, &count, values_, nullptr, nullptr));
}

std::string Arguments::text(size_t index) const {
  napi_valuetype type;
  expect(napi_typeof(env, values_[index], &type));
  if (type == napi_undefined || type == napi_null) return {};
  char buffer[4096];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, values_[index], buffer, sizeof buffer, &length) != napi_ok)
    throw ArgumentError("a text was expected");
  if (length + 1 == sizeof buffer) throw ArgumentError("the text is too long");
  return std::string(buffer, length);
}

uint64_t Arguments::number(size_t index, uint64_t maximum) const {
  double value = 0;
  const bool whole = napi_get_value_double(env, values_[index], &value) == napi_ok && value >= 0 &&
                     value <= static_cast<double>(maximum) && value == static_cast<double>(static_cast<uint64_t>(value));
  if (!whole) throw ArgumentError("a whole number within its range was expected");
  return static_cast<uint64_t>(value);
}

double Arguments::decimal(size_t index) const {
  double value = 0;
  if (napi_get_value_double(env, values_[index], &value) != napi_ok || !std::isfinite(value))
    throw ArgumentError("a number was expected");
  return value;
}

uint64_t Arguments::bigint(size_t index) const {
  uint64_t value = 0;
  bool lossless = false;
  if (napi_get_value_bigint_uint64(env, values_[index], &value, &lossless) != napi_ok || !lossless)
    throw ArgumentError("a bigint of 64 bits was expected");
  return value;
}

std::vector<uint8_t> Arguments::bytes(size_t index, size_t length) const {
  bool is_array = false;
  napi_typedarray_type type;
  size_t found = 0;
  void *data = nullptr;
  expect(napi_is_typedarray(env, values_[index], &is_array));
  const bool fits = is_array &&
                    napi_get_typedarray_info(env, values_[index], &type, &found, &data, nullptr, nullptr) == napi_ok &&
                    type == napi_uint8_array && found == length;
  if (!fits) throw ArgumentError("a Uint8Array of " + std::to_string(length) + " bytes was expected");
  const uint8_t *bytes = static_cast<const uint8_t *>(data);
  return std::vector<uint8_t>(bytes, bytes + length);
}

void *Arguments::handle(size_t index, const napi_type_tag &tag, const char *what) const {
  bool matches = false;
  void *data = nullptr;
  if (napi_check_object_type_tag(env, values_[index], &tag, &matches) != napi_ok || !matches ||
      napi_unwrap(env, values_[index], &data) != napi_ok)
    throw ArgumentError(std::string(what) + " was expected");
  return data;
}

std::shared_ptr<OpenDevice> &Arguments::device(size_t index) const {
  return *static_cast<std::shared_ptr<OpenDevice> *>(handle(index, DEVICE_TAG, "a device"));
}

std::shared_ptr<PreparedEpoch> &Arguments::epoch(size_t index) const {
  return *static_cast<std::shared_ptr<PreparedEpoch> *>(handle(index, EPOCH_TAG, "an epoch"));
}

napi_value make_undefined(napi_env env) {
  napi_value value;
  expect(napi_get_undefined(env, &value));
  return value;
}

napi_value make_null(napi_env env) {
  napi_value value;
  expect(napi_get_null(env, &value));
  return value;
}

napi_value make_boolean(napi_env env, bool value) {
  napi_value made;
  if (napi_get_boolean(env, value, &made) != napi_ok) throw std::runtime_error("no boolean");
  return made;
}

napi_value make_number(napi_env env, double number) {
  napi_value value;
  expect(napi_create_double(env, number, &value));
  return value;
}

napi_value make_text(napi_env env, const char *text) {
  napi_value value;
  expect(napi_create_string_utf8(env, text, ALL, &value));
  return value;
}

napi_value make_object(napi_env env) {
  napi_value value;
  expect(napi_create_object(env, &value));
  return value;
}

napi_value make_error(napi_env env, const char *code, const char *message) {
  napi_value value;
  expect(napi_create_error(env, make_text(env, code), make_text(env, message), &value));
  return value;
}

napi_value make_bytes(napi_env env, const std::vector<uint8_t> &bytes) {
  void *data = nullptr;
  napi_value buffer, array;
  expect(napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  expect(napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array));
  return array;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
  expect(napi_set_named_property(env, object, name, value));
}

napi_value wrap(napi_env env, std::shared_ptr<OpenDevice> device) { return wrap_as(env, std::move(device), DEVICE_TAG); }

napi_value wrap(napi_env env, std::shared_ptr<PreparedEpoch> epoch) { return wrap_as(env, std::move(epoch), EPOCH_TAG); }

} // namespace lode::loader
