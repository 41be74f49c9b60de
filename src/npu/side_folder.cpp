// The files beside a program: found, and filled into it and into the mapping.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/files.h"
#include "npu/side_files.h"

namespace lockstep {

Result<NpuSideFiles> read_side_files(const std::string& program) {
  NpuSideFiles side;
  const std::filesystem::path folder = std::filesystem::path(program).parent_path();
  std::vector<std::filesystem::path> all;
  std::error_code failed;
  for (const auto& e : std::filesystem::directory_iterator(folder.empty() ? "." : folder, failed))
    all.push_back(e.path());
  std::ranges::sort(all);
  using Reader = Result<void> (*)(std::string_view, const std::string&, NpuSideFiles&);
  constexpr std::pair<std::string_view, Reader> readers[] = {
      {"c_info.json", read_c_info},
      {"_Q.json", read_q_json},
      {".mpool", read_mpool},
      {"_generate_report.txt", read_generate_report}};
  for (const auto& [ending, reader] : readers)
    for (const auto& path : all) {
      if (!path.filename().string().ends_with(ending)) continue;
      LOCKSTEP_TRY(const Bytes bytes, read_file(path.string(), std::uint64_t{1} << 28));
      LOCKSTEP_CHECK(
          reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), side));
    }
  return side;
}

void complete_program(NpuProgram& program, const NpuSideFiles& side) {
  if (program.pools.empty()) program.pools = side.pools;
  if (program.buffers.empty()) program.buffers = side.buffers;
  if (program.compiler.empty()) program.compiler = side.compiler;
}

namespace {

// The output of a node that the compiler's `.._out_N` is: its only one, else the one of that
// number.
ValueId output_named(const Graph& model, const std::string& node, std::string_view number) {
  const NodeId id = model.find_node(node);
  if (id == no_id) return no_id;
  const auto& outputs = model.node(id).outputs;
  if (outputs.size() == 1) return outputs[0];
  std::size_t n = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), n);
  return failed == std::errc{} && end == number.data() + number.size() && n < outputs.size()
             ? outputs[n]
             : no_id;
}

}  // namespace

NpuNames names_from(const NpuSideFiles& side, const NpuProgram& program, const Graph& model) {
  NpuNames names;
  for (const NpuBuffer& b : program.buffers) {
    if (b.is_param) continue;
    const std::string stem = without_copies(b.name);
    if (model.find_value(stem) != no_id) names.emplace(stem, stem);
    const std::size_t at = stem.rfind("_out_");
    const auto it =
        at == std::string::npos ? side.originals.end() : side.originals.find(stem.substr(0, at));
    if (it == side.originals.end()) continue;
    for (const std::string& original : it->second)
      if (const ValueId output = output_named(model, original, stem.substr(at + 5));
          output != no_id)
        if (const Value& v = model.value(output); is_integer(v.dtype))
          names.insert_or_assign(stem, v.name);
  }
  return names;
}

Result<NpuMapping> map_with_side_files(NpuProgram& program, const Graph& model) {
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(program.file));
  complete_program(program, side);
  return map_npu_buffers(program, model, names_from(side, program, model));
}

}  // namespace lockstep
