#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "npu/map.h"
#include "npu/program.h"

namespace lockstep {

// What the compiler says of an epoch beside the program: in its *_c_info.json or
// *_generate_report.txt.
struct NpuEpochInfo {
  int number = 0;
  std::string mapping;                  // "HW", "SW", "EC"
  std::vector<std::string> operations;  // "Conv", "Softmax"
  std::vector<std::string> originals;   // nodes of the user's file
  std::int64_t cycles = 0;              // computing; 0 when unknown
  std::int64_t read_bytes = 0, written_bytes = 0;
};

// The side files of one compilation. Whatever a file does not have stays empty.
struct NpuSideFiles {
  std::vector<std::string> files;    // that were read
  std::vector<NpuPool> pools;        // .mpool, *_c_info.json
  std::vector<NpuBuffer> buffers;    // *_c_info.json
  std::vector<NpuEpochInfo> epochs;  // *_c_info.json, else *_generate_report.txt
  std::map<std::string, std::vector<std::string>, std::less<>>
      originals;  // compiler's node -> the user's, *_Q.json
  std::map<std::string, QuantParams, std::less<>> quants;  // compiler's tensor, *_Q.json
  std::string compiler;                                    // as a report names it

  const NpuEpochInfo* find_epoch(int number) const;
};

// Each adds to `side` what its file says. Errors: not such a file, sizes that cannot be.
Result<void> read_c_info(std::string_view text, const std::string& file, NpuSideFiles& side);
Result<void> read_q_json(std::string_view text, const std::string& file, NpuSideFiles& side);
Result<void> read_mpool(std::string_view text, const std::string& file, NpuSideFiles& side);
Result<void> read_generate_report(std::string_view text, const std::string& file,
                                  NpuSideFiles& side);

// Looks beside the program for all of them; a file that is damaged is an error, one that is missing
// is not.
Result<NpuSideFiles> read_side_files(const std::string& program);

// Fills in what the program's own file leaves open: pools, buffers.
void complete_program(NpuProgram& program, const NpuSideFiles& side);

// Names of the model's tensors by the compiler's buffers, where *_Q.json leads to them.
NpuNames names_from(const NpuSideFiles& side, const NpuProgram& program, const Graph& model);

// What the files beside the program say, filled into it, and the mapping that follows.
Result<NpuMapping> map_with_side_files(NpuProgram& program, const Graph& model);

}  // namespace lockstep
