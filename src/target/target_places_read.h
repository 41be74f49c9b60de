#pragma once

#include <nlohmann/json.hpp>

#include "target/target_places.h"

namespace lockstep {

// A description of a network as the two forms of file have it. What is missing or of another type
// is thrown as nlohmann::json's exceptions, which place_network names.
Result<PlacedNetwork> placed_by_manifest(const nlohmann::json& j, const ElfSymbols& symbols,
                                         const std::string& path, const std::string& elf,
                                         const std::string& run);
Result<PlacedNetwork> placed_by_c_info(const nlohmann::json& j, const ElfSymbols& symbols,
                                       const std::string& path, const std::string& elf,
                                       const std::string& run);

// The address of a function. Errors: no such one.
Result<std::uint32_t> function_at(const ElfSymbols& symbols, const std::string& name,
                                  const std::string& elf);
// The number of a tensor's elements from its shape. Errors: none that fits a device.
Result<void> set_elements(DeviceTensor& t, const std::string& where);

}  // namespace lockstep
