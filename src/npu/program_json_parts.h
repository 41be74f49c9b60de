#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "npu/program.h"

namespace lockstep {

// Pieces of the interchange form and how they are read; every error says where in the file.
using NpuJson = nlohmann::ordered_json;  // the order of nodes means something

// Where in the file the reader stands, for errors.
struct NpuJsonAt {
  const std::string& file;
  std::string place;
  Error error(std::string what, std::string want) const {
    return {
        .where = file + ": " + place, .what = std::move(what), .want = std::move(want), .hint = {}};
  }
  NpuJsonAt in(std::string deeper) const {
    return {file, place.empty() ? deeper : place + ", " + deeper};
  }
};

Result<NpuField> read_json_field(const NpuJson& j, const NpuJsonAt& at, int depth = 0);
Result<std::string> json_text(const NpuJson& j, const char* key, const NpuJsonAt& at);
Result<std::int64_t> json_integer(const NpuJson& j, const char* key, std::int64_t low,
                                  std::int64_t high, const NpuJsonAt& at);

// Buffers and memories; shapes and scales may stand in tables of the epochs.
Result<NpuBuffer> read_json_buffer(const NpuJson& j, const NpuProgram& program,
                                   const NpuJsonAt& at);
Result<void> read_json_weights(const NpuJson& j, NpuProgram& program, const NpuJsonAt& at);
Result<void> read_json_pools(const NpuJson& j, NpuProgram& program, const NpuJsonAt& at);

}  // namespace lockstep
