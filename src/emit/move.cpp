// Operators that move elements, to C: where each element comes from is asked of the operator
// itself.
#include <algorithm>

#include "emit/evaluate.h"
#include "emit/finish.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// An index map as nested counts and strides: base + i0 * stride0 + ...; nothing when it is not so,
// or needs more than six.
struct Nest {
  std::int64_t base = 0;
  std::vector<std::int64_t> extent, stride;  // outermost first
};

bool even_runs(const std::vector<std::int64_t>& map, std::size_t run, std::int64_t stride) {
  if (map.size() % run != 0) return false;
  for (std::size_t i = 0; i < map.size(); ++i)
    if (i % run != 0 && map[i] - map[i - 1] != stride) return false;
  return true;
}

std::optional<Nest> nest_of(std::vector<std::int64_t> map) {
  Nest nest;
  if (map.empty() || std::ranges::count(map, -1) > 0) return std::nullopt;
  while (map.size() > 1) {
    const std::int64_t stride = map[1] - map[0];
    std::size_t run = 2;
    while (run < map.size() && map[run] - map[run - 1] == stride) ++run;
    while (run > 1 && !even_runs(map, run, stride)) --run;
    if (run < 2 || nest.extent.size() == 6) return std::nullopt;
    nest.extent.insert(nest.extent.begin(), static_cast<std::int64_t>(run));
    nest.stride.insert(nest.stride.begin(), stride);
    std::vector<std::int64_t> starts;
    for (std::size_t i = 0; i < map.size(); i += run) starts.push_back(map[i]);
    map = std::move(starts);
  }
  nest.base = map[0];
  while (nest.extent.size() < 6) {
    nest.extent.insert(nest.extent.begin(), 1);
    nest.stride.insert(nest.stride.begin(), nest.stride.empty() ? 1 : 0);
  }
  return nest;
}

bool in_order(const std::vector<std::int64_t>& map) {
  for (std::size_t i = 0; i < map.size(); ++i)
    if (map[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

void write_whole(NodeWriter& w, std::size_t o) {
  if (w.in_place(o, 0)) {
    w.line("/* the same bytes under another shape */");
    return;
  }
  w.line("memcpy(" + w.out(o) + ", " + w.in(0) + ", " +
         std::to_string(bytes_of(w.view().output(o))) + "u);");
}

// The element that fills what comes from nowhere, as the operator would write it.
Result<Tensor> filling(const NodeWriter& w) {
  const NodeView& v = w.view();
  Tensor element(v.input(0).dtype, {});
  const QuantParams& quant = v.input(0).quant;
  // Bytes of zero, whatever codes mean.
  if (v.node.op == "Trilu" || (v.node.op == "SpaceToBatch" && v.attrs().text("fill", "") == "zero"))
    return element;
  if (v.node.op != "Pad") {
    if (quant.quantized()) element.set_code(0, quant.zero_at(0));
    return element;
  }
  if (v.constant(2)) return *v.constant(2);
  if (v.attrs().text("fill", "value") == "zero_point" && quant.quantized())
    element.set_code(0, quant.zero_at(0));
  else
    element.set_number(0, v.attrs().real("value", 0));
  return element;
}

// Runs of neighbouring elements, each from one place or filled.
Result<void> write_runs(NodeWriter& w, std::size_t o, const std::vector<std::int64_t>& map) {
  const auto bytes = static_cast<std::int64_t>(size_of(w.view().output(o).dtype));
  std::int64_t run = static_cast<std::int64_t>(map.size());
  const auto fits = [&](std::int64_t length) {
    if (static_cast<std::int64_t>(map.size()) % length != 0) return false;
    for (std::size_t i = 0; i < map.size(); ++i) {
      const bool first = static_cast<std::int64_t>(i) % length == 0;
      if (first ? map[i] >= 0 && map[i] % length != 0
                : map[i] != (map[i - 1] < 0 ? -1 : map[i - 1] + 1))
        return false;
    }
    return true;
  };
  while (run > 1 && !fits(run)) --run;
  std::vector<std::int64_t> from;
  for (std::size_t i = 0; i < map.size(); i += static_cast<std::size_t>(run))
    from.push_back(map[i] < 0 ? -1 : map[i] / run);
  std::string element = "NULL";
  if (std::ranges::count(from, -1) > 0) {
    LOCKSTEP_TRY(const Tensor fill, filling(w));
    element = w.constants().add_tensor(fill, w.label() + "_fill");
  }
  w.line("ls_copy_runs(" +
         w.constants().add("int32_t", std::span<const std::int64_t>(from), w.label() + "_from") +
         ", " + std::to_string(from.size()) + ", " + std::to_string(run * bytes) + ", " + w.in(0) +
         ", " + element + ", " + std::to_string(bytes) + ", " + w.out(o) + ");");
  return {};
}

Result<void> write_moved(NodeWriter& w, std::size_t o) {
  LOCKSTEP_TRY(const auto map, index_map(w, o));
  if (in_order(map) && map.size() == static_cast<std::size_t>(count_of(w.view().input(0).shape)))
    return write_whole(w, o), Result<void>();
  w.uses("ls_move.c");
  const auto nest = nest_of(map);
  if (!nest) return write_runs(w, o, map);
  w.field("bytes", static_cast<std::int64_t>(size_of(w.view().output(o).dtype)));
  w.field("base", nest->base);
  w.array("extent", nest->extent);
  w.array("stride", nest->stride);
  w.line("ls_copy_strided(" + w.params("ls_copy") + ", " + w.in(0) + ", " + w.out(o) + ");");
  return {};
}

Result<void> emit_moved(NodeWriter& w) {
  const NodeView& v = w.view();
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (v.has_input(i) && !v.constant(i)) return w.unsupported("computed indices");
  for (std::size_t o = 0; o < v.node.outputs.size(); ++o)
    if (v.node.outputs[o] != no_id) LOCKSTEP_CHECK(write_moved(w, o));
  return {};
}

Result<void> emit_whole(NodeWriter& w) {
  if (bytes_of(w.view().input(0)) != bytes_of(w.view().output(0)))
    return w.unsupported("a change of size");
  if (!w.same_bytes()) return write_moved(w, 0);
  return write_whole(w, 0), Result<void>();
}

// Pad by a constant: filled, then the rows of x put in their place; other modes by index.
Result<void> emit_pad(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.has_input(1) && !v.constant(1)) return w.unsupported("computed pads");
  LOCKSTEP_TRY(const auto map, index_map(w, 0));
  const auto filled = static_cast<std::int64_t>(std::ranges::count(map, -1));
  const std::int64_t kept = static_cast<std::int64_t>(map.size()) - filled;
  if (filled == 0 || kept != count_of(v.input(0).shape)) return write_moved(w, 0);
  // Runs of x that stay together, evenly spaced or not.
  w.uses("ls_move.c");
  const auto bytes = static_cast<std::int64_t>(size_of(v.output(0).dtype));
  LOCKSTEP_TRY(const Tensor fill, filling(w));
  w.line("ls_fill(" + w.out(0) + ", " + w.constants().add_tensor(fill, w.label() + "_fill") + ", " +
         std::to_string(bytes) + ", " + std::to_string(map.size()) + ");");
  struct Run {
    std::int64_t from, to, length;
  };
  std::vector<Run> runs;
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (map[i] < 0) continue;
    const auto to = static_cast<std::int64_t>(i);
    if (!runs.empty() && runs.back().to + runs.back().length == to &&
        runs.back().from + runs.back().length == map[i])
      ++runs.back().length;
    else
      runs.push_back({map[i], to, 1});
  }
  for (std::size_t i = 0; i < runs.size();) {
    std::size_t n = i + 1;
    const std::int64_t pitch = n < runs.size() ? runs[n].to - runs[i].to : runs[i].length;
    while (n < runs.size() && runs[n].length == runs[i].length &&
           runs[n].to == runs[n - 1].to + pitch &&
           runs[n].from == runs[n - 1].from + runs[i].length)
      ++n;
    w.line("ls_place_rows((const uint8_t *)(" + w.in(0) + ") + " +
           std::to_string(runs[i].from * bytes) + ", " + w.out(0) + ", " + std::to_string(n - i) +
           ", " + std::to_string(runs[i].length * bytes) + ", " + std::to_string(pitch * bytes) +
           ", " + std::to_string(runs[i].to * bytes) + ");");
    i = n;
  }
  return {};
}

constexpr NodeEmitter table[] = {
    {"Reshape", nullptr, emit_whole},       {"Flatten", nullptr, emit_whole},
    {"Squeeze", nullptr, emit_whole},       {"Unsqueeze", nullptr, emit_whole},
    {"Identity", nullptr, emit_whole},      {"Transpose", nullptr, emit_moved},
    {"Slice", nullptr, emit_moved},         {"StridedSlice", nullptr, emit_moved},
    {"Split", nullptr, emit_moved},         {"Unpack", nullptr, emit_moved},
    {"Expand", nullptr, emit_moved},        {"Tile", nullptr, emit_moved},
    {"Reverse", nullptr, emit_moved},       {"ReverseSequence", nullptr, emit_moved},
    {"SpaceToDepth", nullptr, emit_moved},  {"DepthToSpace", nullptr, emit_moved},
    {"ResizeNearest", nullptr, emit_moved}, {"CenterCropPad", nullptr, emit_moved},
    {"BatchToSpace", nullptr, emit_moved},  {"SpaceToBatch", nullptr, emit_moved},
    {"Trilu", nullptr, emit_moved},         {"Pad", nullptr, emit_pad},
};

}  // namespace

Result<void> write_by_map(NodeWriter& w) {
  return write_moved(w, 0);
}

std::span<const NodeEmitter> move_emitters() {
  return table;
}

}  // namespace lockstep
