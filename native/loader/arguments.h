// JavaScript values in and out. A function that fails throws std::runtime_error; `call` makes a JavaScript error of it.
#pragma once

#include "driver_library.h"
#include <node_api.h>

#include <vector>

namespace lode::loader {

constexpr size_t MOST_ARGUMENTS = 5;

// A value of the wrong type or range: a TypeError in JavaScript.
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The arguments of one call; missing ones are undefined.
class Arguments {
public:
  Arguments(napi_env env, napi_callback_info info);
  napi_env env;

  // Empty for null and undefined.
  std::string text(size_t index) const;
  // A whole number of at most `maximum`.
  uint64_t number(size_t index, uint64_t maximum) const;
  // Any finite number.
  double decimal(size_t index) const;
  uint64_t bigint(size_t index) const;
  // A copy of a Uint8Array of exactly `length` bytes.
  std::vector<uint8_t> bytes(size_t index, size_t length) const;
  std::shared_ptr<OpenDevice> &device(size_t index) const;
  std::shared_ptr<PreparedEpoch> &epoch(size_t index) const;

private:
  void *handle(size_t index, const napi_type_tag &tag, const char *what) const;
  napi_value values_[MOST_ARGUMENTS];
};

napi_value make_undefined(napi_env env);
napi_value make_null(napi_env env);
napi_value make_boolean(napi_env env, bool value);
napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, const char *text);
napi_value make_object(napi_env env);
napi_value make_error(napi_env env, const char *code, const char *message);
napi_value make_bytes(napi_env env, const std::vector<uint8_t> &bytes);
void set(napi_env env, napi_value object, const char *name, napi_value value);
napi_value wrap(napi_env env, std::shared_ptr<OpenDevice> device);
napi_value wrap(napi_env env, std::shared_ptr<PreparedEpoch> epoch);

// Runs a function of the addon, and turns a C++ exception into a JavaScript exception.
template <napi_value (*FUNCTION)(const Arguments &)> napi_value call(napi_env env, napi_callback_info info) {
  try {
    return FUNCTION(Arguments(env, info));
  } catch (const DriverError &error) {
    napi_throw_error(env, error.code, error.what());
  } catch (const ArgumentError &error) {
    napi_throw_type_error(env, nullptr, error.what());
  } catch (const std::exception &error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

} // namespace lode::loader
