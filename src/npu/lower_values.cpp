#include "npu/lower_values.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/layout.h"

namespace lockstep {

Error no_npu_form(const Graph& graph, const Node& node, std::string what, std::string want) {
  return {graph.where(node), std::move(what), std::move(want),
          "npu lower knows the operations of docs/neural-art.md, \"Constants\""};
}

std::int64_t NpuValues::offset(const Value& v) {
  return v.dtype == DType::u8 ? 128 : 0;
}

NpuExtents NpuValues::extents_of(const Shape& s) const {
  const bool last = graph_.format() == "tflite" || s.size() < 3;
  if (s.empty()) return {};
  if (s.size() == 2) return {1, s[0], s[1]};
  if (s.size() == 1) return {1, 1, s[0]};
  if (s.size() == 3) return last ? NpuExtents{1, s[1], s[2]} : NpuExtents{1, s[2], s[1]};
  return last ? NpuExtents{s[1], s[2], s[3]} : NpuExtents{s[2], s[3], s[1]};
}

// Both orders of a tensor are the same bytes.
bool NpuValues::orders_agree(ValueId v) const {
  const NpuExtents e = extents(v);
  return graph_.format() == "tflite" || graph_.value(v).shape.size() < 3 ||
         e.rows * e.columns == 1 || e.channels == 1;
}

bool NpuValues::wants_zero_off(ValueId id) const {
  const Value& v = graph_.value(id);
  if (zero(v) != -128 || std::ranges::count(graph_.outputs(), id) > 0) return false;
  const auto readers = graph_.consumers(id);
  return !readers.empty() && std::ranges::all_of(readers, [&](NodeId n) {
    const Node& node = graph_.node(n);
    return node.op == "Conv" && node.inputs[0] == id;
  });
}

NpuBuffer NpuValues::described(ValueId id, bool file_order) const {
  const Value& v = graph_.value(id);
  const NpuExtents e = extents(id);
  NpuBuffer b;
  b.name = v.name;
  const bool four = v.shape.size() > 2;
  if (!four || file_order) {
    b.shape = b.mem_shape = v.shape;
    b.chpos = v.shape.size() == 4 ? "CHPos_First" : "CHPos_UNDEFINED";
    if (v.shape.size() == 4 && graph_.format() != "tflite")
      b.shape = {1, e.rows, e.columns, e.channels};
  } else {
    b.shape = b.mem_shape = {1, e.rows, e.columns, e.channels};
    b.chpos = "CHPos_Last", b.batch = static_cast<int>(e.channels);
  }
  if (is_integer(v.dtype)) {
    b.type = "DataType_INT8", b.qm = 7;
    b.scale = {v.quant.scale_at(0)}, b.zero = {zero(v)};
  } else {
    b.type = "DataType_FLOAT", b.nbits = 32;
  }
  return b;
}

int NpuValues::make(ValueId id, bool file_order) {
  const Value& v = graph_.value(id);
  file_order = file_order && !orders_agree(id);
  NpuBuffer b = described(id, file_order);
  const bool zero_off =
      is_integer(v.dtype) && draft_.epoch() > 0 && !file_order && wants_zero_off(id);
  if (zero_off) {
    b.type = "DataType_UINT8", b.qm = 8, b.q_unsigned = true, b.zero = {0};
    b.name += fmt::format("_zero_off_out_{}", draft_.epoch());
  }
  const int buffer = draft_.add_buffer(std::move(b));
  held_.insert_or_assign(id, NpuHeld{buffer, zero_off, file_order});
  return buffer;
}

void NpuValues::alias(ValueId v, const NpuHeld& of) {
  NpuHeld h = of;
  h.file_order = !orders_agree(v);
  held_.insert_or_assign(v, h);
}

Result<void> NpuValues::name_output(ValueId v) {
  const int id = held_.at(v).buffer;
  const ValueId first = named_.emplace(id, v).first->second;
  const bool an_input = draft_.buffer(id).epoch == 0;
  const std::string &name = graph_.value(v).name,
                    &other = an_input ? draft_.buffer(id).name : graph_.value(first).name;
  if (name != other)
    return Error{graph_.file(), fmt::format("{} and {} are the same bytes", name, other),
                 "outputs in buffers of their own",
                 fmt::format("take {} out of the outputs: {} holds its codes", name, other)};
  draft_.keep(id);
  const NpuBuffer own = described(v, held_.at(v).file_order);
  if (draft_.buffer(id).epoch > 0 && draft_.buffer(id).name != own.name)
    draft_.rename_buffer(id, own.name, own.mem_shape, own.chpos);
  return {};
}

void NpuValues::pad(ValueId v, ValueId of, std::int64_t top, std::int64_t left) {
  padded_.insert_or_assign(v, Padded{of, top, left});
}

NpuValues::Padded NpuValues::padded(ValueId v) const {
  Padded p{v, 0, 0};
  for (auto it = padded_.find(p.of); it != padded_.end(); it = padded_.find(p.of))
    p = {it->second.of, p.top + it->second.top, p.left + it->second.left};
  return p;
}

// One channel after the other, from one order into the other.
int NpuValues::copy(ValueId id, bool file_order) {
  const NpuHeld from = held_.at(id);
  const NpuExtents e = extents(id);
  draft_.begin_epoch();
  const std::string node = fmt::format("Identity_inserted_id{}", draft_.epoch());
  draft_.node(node, "Identity");
  NpuBuffer b = described(id, file_order);
  b.name += fmt::format("_cp_in_{}", draft_.epoch());
  const int to = draft_.add_buffer(std::move(b));
  const NpuWalk planes{.width = e.columns,
                       .height = e.rows,
                       .depth = 1,
                       .pixel = 1,
                       .line = e.columns,
                       .count = e.channels,
                       .step = e.rows * e.columns};
  const NpuWalk pixels{.width = e.columns,
                       .height = e.rows,
                       .depth = 1,
                       .pixel = e.channels,
                       .line = e.columns * e.channels,
                       .count = e.channels,
                       .step = 1};
  const NpuUnitId in = draft_.read(from.buffer, from.file_order ? planes : pixels, node);
  draft_.write(in, to, file_order ? planes : pixels, node);
  copies_.insert_or_assign(id, NpuHeld{to, false, file_order});
  return to;
}

NpuHeld NpuValues::in_channels_last(ValueId v) {
  const NpuHeld h = held_.at(v);
  if (!h.file_order || orders_agree(v)) return h;
  if (!copies_.contains(v)) copy(v, false);
  return copies_.at(v);
}

NpuHeld NpuValues::in_file_order(ValueId v) {
  const NpuHeld h = held_.at(v);
  if (h.file_order || orders_agree(v)) return h;
  if (!copies_.contains(v)) copy(v, true);
  return copies_.at(v);
}

// q - (-128) in eight bits, which wrap: the codes without their zero point.
void npu_write(NpuValues& values, NpuUnitId from, ValueId y, const std::string& node,
               const NpuWalk& walk, const NpuExtents& frame) {
  NpuDraft& d = values.draft();
  if (values.held(y).zero_off) {
    const std::string name = fmt::format("{}_suboff_{}", node, d.epoch());
    d.node(name, "Sub");
    NpuFields f = npu_fields({{"inbytes_x", 1},
                              {"outbytes_x", 1},
                              {"combinebc", 1},
                              {"round_mode_o", 1},
                              {"outbytes_o", 1},
                              {"shift_o", 14},
                              {"scalar", 1},
                              {"A_scalar", 16384},
                              {"B_scalar", 32},
                              {"fWidth", frame.columns},
                              {"fHeight", frame.rows},
                              {"batchDepth", frame.channels}},
                             {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}});
    const NpuUnitId off = d.unit(NpuKind::arith, name, std::move(f));
    d.link(from, off);
    from = off;
  }
  d.write(from, values.held(y).buffer, walk, node);
}

}  // namespace lockstep
