#pragma once

#include <functional>
#include <string>

#include "npu/program.h"

namespace lockstep {

// The header of blobs that belongs to a network.c.
struct NpuBlobText {
  std::string file, text;
};

// The compiler's generated C, in which units are configured by explicit structures, or by blobs of
// the epoch controller in a header beside it. Weights are looked for beside it. Errors: truncated
// text, an address or a table that cannot be resolved, encryption.
Result<NpuProgram> read_network_c(const std::string& path);
Result<NpuProgram> parse_network_c(std::string_view text, const std::string& file,
                                   const NpuBlobText* blobs = nullptr);

// The same forms written from a program: for round trips.
std::string format_network_c(const NpuProgram& program);
struct NpuEcText {
  std::string c, header;
};
Result<NpuEcText> format_network_c_with_blobs(const NpuProgram& program,
                                              const std::string& header_name);

// Writes a program as generated C at `path` ("x.c"), its hardware epochs as blobs in
// "x_ecblobs.h" beside it when asked for, and its constants as "x_data.hex". Errors: a unit that
// the form cannot hold, a file that cannot be written.
Result<void> write_network_c(const NpuProgram& program, const std::string& path, bool blobs);

// A row of a buffer table; `table` yields the numbers of a table by its name.
using NpuTableLookup = std::function<Result<std::vector<NpuField>>(std::string_view name)>;
Result<NpuBuffer> npu_buffer_from(const NpuFields& row, const NpuTableLookup& table,
                                  const std::string& where);

// Fills in what a stream engine touches where the file does not say, by address and epoch.
void name_npu_streams(NpuProgram& program);

}  // namespace lockstep
