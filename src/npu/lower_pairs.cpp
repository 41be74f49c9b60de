// Sums, differences and products of two tensors, one of which may be constant or spread over rows,
// columns or channels
#include <algorithm>

#include <fmt/core.h>

#include "npu/lower_values.h"
#include "num/npu_rules.h"
#include "op/op_codes.h"

namespace lockstep {

NpuWalk npu_whole(const NpuExtents& e) {
  return {.width = e.columns,
          .height = e.rows,
          .depth = e.channels,
          .pixel = e.channels,
          .line = e.columns * e.channels};
}

NpuFields npu_scalar_fields(const NpuExtents& e, int in_bytes) {
  return npu_fields({{"inbytes_x", in_bytes},
                     {"outbytes_x", in_bytes},
                     {"inbytes_y", 1},
                     {"outbytes_y", 1},
                     {"rounding_o", 1},
                     {"saturation_o", 1},
                     {"round_mode_o", 1},
                     {"outbytes_o", 1},
                     {"scalar", 1},
                     {"fWidth", e.columns},
                     {"fHeight", e.rows},
                     {"fChannels", e.channels},
                     {"batchDepth", e.channels}},
                    {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}});
}

namespace {

bool codes(const Value& v) {
  return (v.dtype == DType::i8 || v.dtype == DType::u8) && v.quant.quantized() &&
         v.quant.scale.size() == 1;
}

// One operand as it runs beside the result: a frame for each row.
struct Operand {
  NpuExtents own;
  NpuWalk walk;
};

Result<Operand> operand_of(const Node& node, std::size_t i, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  Shape shape = v.input(i).shape;
  while (shape.size() < v.output(0).shape.size()) shape.insert(shape.begin(), 1);
  const NpuExtents e = values.extents_of(shape), y = values.extents(node.outputs[0]);
  if (!codes(v.input(i)) || shape.size() != v.output(0).shape.size())
    return no_npu_form(g, node, "an operand of reals, or of several scales", "codes of one scale");
  if (e.rows == y.rows && e.columns == y.columns && e.channels == y.channels)
    return Operand{e, npu_whole(y)};
  const bool spread = e.channels == 1 && y.channels > 1;
  Operand o{e, {.width = y.columns, .height = 1, .depth = y.channels, .pixel = e.channels}};
  o.walk.count = y.rows, o.walk.step = e.rows == 1 ? 0 : e.columns * e.channels;
  o.walk.still = e.columns == 1 && y.columns > 1;
  if (spread)
    o.walk = {.width = y.channels,
              .height = y.columns,
              .depth = 1,
              .line = e.columns == 1 ? 0 : 1,
              .count = y.rows,
              .step = o.walk.step,
              .still = true};
  return o;
}

// The stream that brings an operand: a tensor in memory, or codes among the constants.
NpuUnitId stream_of(const Node& node, std::size_t i, const Operand& o, const NpuHeld& held,
                    const std::string& name, NpuValues& values) {
  NpuDraft& d = values.draft();
  const Value& x = NodeView{values.graph(), node}.input(i);
  if (!x.constant) return d.read(held.buffer, o.walk, name);
  std::vector<std::int64_t> all;
  const bool last = values.graph().format() == "tflite" || x.shape.size() < 3;
  const std::int64_t area = o.own.rows * o.own.columns;
  for (std::int64_t p = 0; p < area; ++p)
    for (std::int64_t c = 0; c < o.own.channels; ++c)
      all.push_back(x.constant->code(last ? p * o.own.channels + c : c * area + p) -
                    NpuValues::offset(x));
  const std::uint64_t at = d.constant(all, 1);
  const std::string parameter = fmt::format("{}_operand_{}", name, at & 0xffffff);
  d.parameter(parameter, at, static_cast<std::int64_t>(all.size()),
              {1, o.own.rows, o.own.columns, o.own.channels}, {x.quant.scale_at(0)},
              NpuValues::zero(x));
  return d.read_parameter(at, static_cast<std::int64_t>(all.size()), o.walk, parameter, name);
}

void put(NpuFields& f, std::initializer_list<std::pair<const char*, std::int64_t>> numbers) {
  for (const auto& [key, value] : numbers) f[key] = NpuField::of(value);
}

// One unit: sat8(rnd((A*x + B*y + C) / 2^shift)).
Result<NpuUnitId> add_unit(const Node& node, const std::string& name, const NpuExtents& e,
                           NpuUnitId x, NpuUnitId y, NpuValues& values) {
  const NodeView v{values.graph(), node};
  const Value &a = v.input(0), &b = v.input(1), &out = v.output(0);
  const bool minus = node.op == "Sub";
  const NpuAddConstants k =
      npu_add_constants(a.quant.scale_at(0), NpuValues::zero(a), b.quant.scale_at(0),
                        minus ? -NpuValues::zero(b) : NpuValues::zero(b), out.quant.scale_at(0),
                        NpuValues::zero(out));
  if (k.shift < 0 || k.shift > 47 || k.a_shift > 31 || k.b_shift > 31)
    return no_npu_form(values.graph(), node, fmt::format("a final shift of {}", k.shift),
                       "0 .. 47");
  NpuFields f = npu_scalar_fields(e, 1);
  put(f, {{"dualinput", 1},
          {"A_scalar", k.a},
          {"B_scalar", minus ? -k.b : k.b},
          {"C_scalar", k.c},
          {"Ax_shift", k.a_shift},
          {"By_shift", k.b_shift},
          {"C_shift", k.c_shift},
          {"shift_o", k.shift}});
  const CodeClamp c = clamp_of(v);
  npu_clip(f, c.low - NpuValues::offset(out), c.high - NpuValues::offset(out));
  NpuDraft& d = values.draft();
  const NpuUnitId unit = d.unit(NpuKind::arith, name, std::move(f));
  d.link(x, unit, 0);
  d.link(y, unit, 1);
  return unit;
}

// Three units: the product of the codes in 16 bits, one operand's zero point out of it, and the
// other's with the scales.
Result<NpuUnitId> mul_units(const Node& node, const std::string& name, const NpuExtents& e,
                            NpuUnitId x, NpuUnitId y, NpuValues& values) {
  const NodeView v{values.graph(), node};
  const Value &a = v.input(0), &b = v.input(1), &out = v.output(0);
  const NpuMulConstants k =
      npu_mul_constants(a.quant.scale_at(0) * b.quant.scale_at(0) / out.quant.scale_at(0),
                        NpuValues::zero(a), NpuValues::zero(b), NpuValues::zero(out));
  if (k.shift < 0 || k.shift > 47 || k.b_shift > 31 || k.c_shift > 31 || k.left > 32767 ||
      k.left < -32768)
    return no_npu_form(values.graph(), node, fmt::format("a final shift of {}", k.shift),
                       "0 .. 47");
  NpuDraft& d = values.draft();
  NpuFields times = npu_scalar_fields(e, 1), centre = npu_scalar_fields(e, 2),
            leave = npu_scalar_fields(e, 2);
  times["operation"] = NpuField::of_name("ARITH_MUL");
  put(times,
      {{"dualinput", 1}, {"A_scalar", 1}, {"B_scalar", 1}, {"C_scalar", 1}, {"outbytes_o", 2}});
  put(centre, {{"dualinput", 1},
               {"A_scalar", 16384},
               {"Ax_shift", 7},
               {"B_scalar", k.left},
               {"shift_o", 7},
               {"outbytes_o", 2}});
  put(leave, {{"dualinput", 1},
              {"A_scalar", k.m},
              {"Ax_shift", 7},
              {"B_scalar", k.b_factor},
              {"By_shift", k.b_shift},
              {"C_scalar", k.c},
              {"C_shift", k.c_shift},
              {"shift_o", k.shift}});
  const CodeClamp c = clamp_of(v);
  npu_clip(leave, c.low - NpuValues::offset(out), c.high - NpuValues::offset(out));
  const NpuUnitId product = d.unit(NpuKind::arith, name, std::move(times)),
                  centred = d.unit(NpuKind::arith, name + "_centred", std::move(centre)),
                  done = d.unit(NpuKind::arith, name + "_scaled", std::move(leave));
  d.link(x, product, 0);
  d.link(y, product, 1);
  d.link(product, centred, 0);
  d.link(x, centred, 1);
  d.link(centred, done, 0);
  d.link(y, done, 1);
  return done;
}

}  // namespace

Result<void> lower_pair(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  if (v.constant(0) && v.constant(1))
    return no_npu_form(g, node, "two constants", "one computed operand");
  if (!codes(v.output(0))) return no_npu_form(g, node, "a result of reals", "codes");
  LOCKSTEP_TRY(const Operand a, operand_of(node, 0, values));
  LOCKSTEP_TRY(const Operand b, operand_of(node, 1, values));
  const auto held = [&](std::size_t i) {
    return v.constant(i) ? NpuHeld{} : values.in_channels_last(node.inputs[i]);
  };
  const NpuHeld xa = held(0), xb = held(1);
  NpuDraft& d = values.draft();
  const std::string name = fmt::format("{}_{}", node.op, d.begin_epoch());
  d.node(name, node.op);
  const NpuExtents e = values.extents(node.outputs[0]);
  values.make(node.outputs[0]);
  const NpuUnitId x = stream_of(node, 0, a, xa, name, values),
                  y = stream_of(node, 1, b, xb, name, values);
  LOCKSTEP_TRY(const NpuUnitId unit, node.op == "Mul" ? mul_units(node, name, e, x, y, values)
                                                      : add_unit(node, name, e, x, y, values));
  npu_write(values, unit, node.outputs[0], name, npu_whole(e), e);
  return {};
}

}  // namespace lockstep
