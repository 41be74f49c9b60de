#include "tool/npu_units.h"

#include <algorithm>
#include <map>
#include <set>

#include "diff/inputs.h"
#include "npu/map.h"
#include "npu/side_files.h"

namespace lockstep {
namespace {

bool computes(NpuKind kind) {
  return kind == NpuKind::conv || kind == NpuKind::arith || kind == NpuKind::pool ||
         kind == NpuKind::activ;
}

}  // namespace

Result<std::vector<UnitWork>> units_of_program(const std::string& path,
                                               const std::string& model_path,
                                               const std::string& input) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(path));
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(path));
  complete_program(program, side);
  LOCKSTEP_TRY(const Graph model, import_for_inputs(model_path, input));
  const NpuMapping mapping = map_npu_buffers(program, model, names_from(side, program, model));
  std::map<int, std::set<std::string>> made;  // by epoch
  for (const NpuBuffer& buffer : program.buffers)
    if (const NpuPair* pair = mapping.find(buffer.name)) made[buffer.epoch].insert(pair->value);
  std::map<std::string, std::set<std::string>> by_unit;
  for (const NpuEpoch& epoch : program.epochs)
    for (const NpuUnit& unit : epoch.units) {
      if (!computes(unit.id.kind)) continue;
      for (const std::string& tensor : made[epoch.number]) {
        by_unit[text_of(unit.id)].insert(tensor);
        by_unit["any " + std::string(name_of(unit.id.kind))].insert(tensor);
      }
    }
  std::vector<UnitWork> out;
  for (const auto& [unit, tensors] : by_unit)
    out.push_back({unit, {tensors.begin(), tensors.end()}});
  return out;
}

}  // namespace lockstep
