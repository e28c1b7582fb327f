// Questions of the conformance kit.
#pragma once

#include "driver_library.h"

#include <array>
#include <string>
#include <vector>

namespace lode::loader {

// Calls every function with wrong arguments; describes the calls that the driver accepted although it should have refused them.
std::vector<std::string> probe_arguments(const std::shared_ptr<DriverLibrary> &library, const std::string &id);

// 1: single products are exact; 0: one is not; -1: the device does not offer them.
int probe_product(const std::shared_ptr<DriverLibrary> &library, const std::string &id);

} // namespace lode::loader
