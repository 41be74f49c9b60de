#include "diagnose/rewrite_node.h"

#include <algorithm>
#include <cmath>

#include "diagnose/slice.h"
#include "fault/fault_elements.h"
#include "fault/fault_nodes.h"
#include "fault/fault_window.h"
#include "measure/reals.h"
#include "num/real.h"

namespace lockstep {
namespace {

constexpr std::size_t kWeights = 1, kBias = 2;

int channel_axis_of_weights(const NodeView& n) {
  const int last = static_cast<int>(n.input(kWeights).shape.size()) - 1;
  if (n.node.op == "Gemm")
    return n.attrs().integer("transA", 0) != 0 ? -1 : n.attrs().integer("transB", 0) != 0 ? 1 : 0;
  if (n.node.op == "MatMul") return last - 1;
  const std::string order = n.attrs().text("weights", "OIHW");
  return order == "OIHW" ? 1 : order == "OHWI" ? last : -1;
}

// What a sum over `channels` reads, so that its channels are an axis: TFLite's dense layers flatten
// the rest in silence.
Shape with_channels(const NodeView& n, Shape shape, std::int64_t channels) {
  if (n.attrs().integer("flatten", 0) == 0 || shape.back() == channels) return shape;
  return {count_of(shape) / channels, channels};
}

std::size_t channel_axis_of_input(const NodeView& n, const Shape& shape) {
  return n.node.op == "Conv" ? channel_axis(n, shape) : shape.size() - 1;
}

QuantParams symmetric(const QuantParams& q, DType type) {
  const CodeRange range = code_range(type);
  if (range.low == 0 || !q.quantized()) return q;  // one of the scope may yield reals
  QuantParams s = q;
  const double zero = q.zero_at(0);
  s.scale = {
      q.scale_at(0) *
      std::max(static_cast<double>(range.high) - zero, zero - static_cast<double>(range.low)) /
      static_cast<double>(range.high)};
  s.zero = {0};
  return s;
}

// One grid that holds the ranges of all.
QuantParams covering(const std::vector<const Value*>& operands) {
  double low = 0, high = 0;
  for (const Value* v : operands) {
    const CodeRange range = code_range(v->dtype);
    low = std::min(low, v->quant.scale[0] * static_cast<double>(range.low - v->quant.zero_at(0)));
    high =
        std::max(high, v->quant.scale[0] * static_cast<double>(range.high - v->quant.zero_at(0)));
  }
  const CodeRange range = code_range(operands[0]->dtype);
  const double scale = (high - low) / static_cast<double>(range.high - range.low);
  return {{scale},
          {static_cast<std::int32_t>(half_even(static_cast<double>(range.low) - low / scale))},
          -1};
}

// Weights on another grid: 7 bits, or one scale for all channels.
void regrid_weights(Value& w, const NodeView& n, const Form& form) {
  if (!form.half && !form.one_scale) return;
  Tensor t = *w.constant;
  const QuantParams own = w.quant;
  const double most = *std::ranges::max_element(own.scale);
  if (form.one_scale) w.quant = {{most}, {own.zero_at(0)}, -1};
  if (form.half)
    for (double& s : w.quant.scale) s *= 2;
  const int axis = own.axis < 0 ? 0 : own.axis;
  const CodeRange range = code_range(w.dtype);
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const auto c = static_cast<std::size_t>(
        own.per_channel() ? index_along(n.input(kWeights).shape, static_cast<std::size_t>(axis), i)
                          : 0);
    const double real = own.scale_at(c) * static_cast<double>(t.code(i) - own.zero_at(c));
    const auto code =
        static_cast<std::int64_t>(half_even(real / w.quant.scale_at(c))) + w.quant.zero_at(c);
    t.set_code(i, std::clamp(code, range.low, range.high));
  }
  w.constant = std::make_shared<const Tensor>(std::move(t));
}

// The bias in the steps of the changed scales.
void regrid_bias(Value& b, const NodeView& n, const QuantParams& x, const QuantParams& w,
                 bool empty) {
  if (!b.constant || is_float(b.dtype)) return;
  Tensor t = *b.constant;
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const auto c = static_cast<std::size_t>(i);
    const double was = n.input(0).quant.scale_at(0) * n.input(kWeights).quant.scale_at(c),
                 is = x.scale_at(0) * w.scale_at(c);
    t.set_code(
        i, empty ? 0
                 : static_cast<std::int64_t>(half_even(static_cast<double>(t.code(i)) * was / is)));
  }
  b.constant = std::make_shared<const Tensor>(std::move(t));
  if (b.quant.quantized()) b.quant = {};
}

}  // namespace

RewriteNode::RewriteNode(const Executor& reference, NodeId node, FaultSpec cause)
    : e_(reference),
      g_(reference.graph()),
      node_(node),
      cause_(std::move(cause)),
      num_(reference.arithmetic().numerics->quantize) {}

bool RewriteNode::has_weights_on_codes() const {
  return is_coded_sum({e_, node_, no_id}) && has_weights({e_, node_, no_id}) &&
         !view().input(0).constant;
}

bool RewriteNode::combines_codes() const {
  static constexpr std::string_view ops[] = {"Mul", "Concat", "Sub", "Add"};
  const NodeView n = view();
  if (std::ranges::count(ops, n.node.op) == 0 || n.input_count() < 2 || !output_scale(n))
    return false;
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (!n.has_input(i) || n.input(i).constant || !is_coded(n.input(i)) ||
        n.input(i).quant.per_channel())
      return false;
  return true;
}

bool RewriteNode::pads() const {
  const auto window = window_at(view());
  return window.ok() && std::ranges::any_of(window->begin, [](std::int64_t p) { return p != 0; });
}

Result<std::optional<std::vector<Part>>> RewriteNode::parts(
    const Form& form, const std::vector<std::vector<Tensor>>& inputs) const {
  if (form.own_pad) return padded(form, inputs);
  const NodeView n = view();
  std::vector<Part> parts;
  const int axis = form.groups > 1 && has_weights_on_codes() ? channel_axis_of_weights(n) : -1;
  const std::int64_t channels =
      axis < 0 ? 0 : n.input(kWeights).shape[static_cast<std::size_t>(axis)];
  if (form.groups > 1 &&
      (axis < 0 || n.attrs().integer("group", 1) != 1 || channels < 2 * form.groups))
    return std::optional<std::vector<Part>>();
  for (int p = 0; p < form.groups; ++p) {
    const std::int64_t first = channels * p / form.groups, end = channels * (p + 1) / form.groups;
    auto made = part(form, p, axis, first, end - first, inputs);
    if (!made.ok()) return std::optional<std::vector<Part>>();
    parts.push_back(std::move(*made));
  }
  return std::optional(std::move(parts));
}

std::vector<Value> RewriteNode::changed_inputs(const Form& form, int axis,
                                               std::int64_t count) const {
  const NodeView n = view();
  std::vector<Value> in(n.input_count());
  std::vector<const Value*> operands;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!n.has_input(i)) continue;
    in[i] = n.input(i);
    in[i].producer = no_id;
    if (!in[i].constant) operands.push_back(&n.input(i));
  }
  if (axis >= 0) {
    in[0].shape = with_channels(n, in[0].shape, in[kWeights].shape[static_cast<std::size_t>(axis)]);
    in[0].shape[channel_axis_of_input(n, in[0].shape)] = count;
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!n.has_input(i) || in[i].constant || !in[i].quant.quantized()) continue;
    if (form.symmetric_in) in[i].quant = symmetric(in[i].quant, in[i].dtype);
    if (form.one_operand_grid) in[i].quant = covering(operands);
    if (form.output_grid) in[i].quant = n.output(0).quant;
  }
  return in;
}

Result<Part> RewriteNode::part(const Form& form, int index, int axis, std::int64_t first,
                               std::int64_t count,
                               const std::vector<std::vector<Tensor>>& inputs) const {
  const NodeView n = view();
  const std::vector<Value> in = changed_inputs(form, axis, count);
  Value y = n.output(0);
  if (form.symmetric_out) y.quant = symmetric(y.quant, y.dtype);
  for (double& s : y.quant.scale) s *= form.coarser;
  Node node = n.node;
  if (form.own_clamp || form.groups > 1) node.attrs.set("activation", std::string("none"));
  if (form.swapped) std::swap(node.inputs[0], node.inputs[1]);
  if (form.groups > 1) {
    LOCKSTEP_TRY(y.quant, range_of(form, index, axis, first, count, in, node, y.quant, inputs));
  }
  LOCKSTEP_TRY(Executor executor, cut_out(form, index, axis, first, count, in, node, y));
  Part part{std::move(executor), {}, {}, {}, y.name, y.quant, first, axis >= 0 ? count : 0, false};
  for (std::size_t i = 0; i < in.size(); ++i) {
    part.in.push_back(n.has_input(i) && !in[i].constant ? in[i].name : "");
    part.in_grids.push_back(in[i].quant);
  }
  if (form.struck) {
    const FaultSpec spec{cause_.fault, node.name, cause_.params};
    if (auto faulty = inject(part.executor, std::span(&spec, 1)); faulty.ok())
      part.faulty = std::move(*faulty), part.reached = true;
  }
  return part;
}

Result<Executor> RewriteNode::cut_out(const Form& form, int index, int axis, std::int64_t first,
                                      std::int64_t count, const std::vector<Value>& in,
                                      const Node& shape_of, const Value& y) const {
  const NodeView n = view();
  GraphBuilder b(g_.file(), g_.format());
  Node node = shape_of;
  QuantParams weights;
  std::map<ValueId, ValueId> added;  // one tensor may be read twice
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == no_id) continue;
    const ValueId original = node.inputs[i];
    if (const auto it = added.find(original); it != added.end()) {
      node.inputs[i] = it->second;
      continue;
    }
    const auto at = static_cast<std::size_t>(std::ranges::find(n.node.inputs, original) -
                                             n.node.inputs.begin());
    Value v = in[at];
    if (i == kWeights && v.constant && is_coded_sum({e_, node_, no_id})) {
      regrid_weights(v, n, form);
      if (axis >= 0)
        v.constant = std::make_shared<const Tensor>(
            sliced(*v.constant, static_cast<std::size_t>(axis), first, count));
      v.shape = v.constant->shape();
      weights = v.quant;
    } else if (i == kBias && weights.quantized()) {
      regrid_bias(v, n, in[0].quant, weights, index > 0);
    }
    const bool given = !v.constant;
    node.inputs[i] = b.add_value(std::move(v));
    added.emplace(original, node.inputs[i]);
    if (given) b.add_input(node.inputs[i]);
  }
  Value out = y;
  out.producer = no_id;
  node.outputs = {b.add_value(std::move(out))};
  b.add_output(node.outputs[0]);
  b.add_node(std::move(node));
  LOCKSTEP_TRY(const Graph graph, std::move(b).finish());
  return Executor::make(graph, e_.arithmetic());
}

// The grid of a partial sum: its range on the given inputs, without a fault.
Result<QuantParams> RewriteNode::range_of(const Form& form, int index, int axis, std::int64_t first,
                                          std::int64_t count, const std::vector<Value>& in,
                                          const Node& node, const QuantParams& own,
                                          const std::vector<std::vector<Tensor>>& inputs) const {
  Value wide = view().output(0);
  wide.dtype = DType::i16;
  wide.quant = {{own.scale_at(0) / 16}, {0}, -1};
  LOCKSTEP_TRY(Executor executor, cut_out(form, index, axis, first, count, in, node, wide));
  Part part{std::move(executor), {},    {in[0].name},          {in[0].quant}, wide.name,
            wide.quant,          first, axis >= 0 ? count : 0, false};
  double most = 0;
  for (const std::vector<Tensor>& given : inputs) {
    const Tensor* x[] = {&given[0]};
    LOCKSTEP_TRY(const Tensor made, run_part(part, x));
    for (std::int64_t i = 0; i < made.count(); ++i)
      most = std::max(most, std::fabs(static_cast<double>(made.code(i))) * wide.quant.scale[0]);
  }
  const CodeRange range = code_range(view().output(0).dtype);
  const auto zero = static_cast<std::int32_t>(range.low == 0 ? (range.high + 1) / 2 : 0);
  return QuantParams{
      {std::max(most, own.scale_at(0)) / static_cast<double>(range.high - zero)}, {zero}, -1};
}

Result<Tensor> RewriteNode::run_part(const Part& part, std::span<const Tensor* const> in) const {
  const NodeView n = view();
  Sample sample;
  for (std::size_t i = 0; i < part.in.size(); ++i) {
    if (part.in[i].empty()) continue;
    Tensor x = *in[i];
    if (i == 0 && part.count > 0) {
      const Shape whole = with_channels(
          n, x.shape(),
          n.input(kWeights).shape[static_cast<std::size_t>(channel_axis_of_weights(n))]);
      x = sliced(x.reshaped(whole), channel_axis_of_input(n, whole), part.first, part.count);
    }
    if (part.in_grids[i] != n.input(i).quant) x = regridded(x, n.input(i).quant, part.in_grids[i]);
    sample.insert_or_assign(part.in[i], std::move(x));
  }
  const std::string wanted[] = {part.out};
  LOCKSTEP_TRY(Capture made, part.executor.run({&sample, 1}, wanted, part.faulty));
  return std::move(made.samples[0].at(part.out));
}

Tensor RewriteNode::regridded(const Tensor& t, const QuantParams& from,
                              const QuantParams& to) const {
  Tensor out = t;
  const CodeRange range = code_range(t.dtype());
  const std::vector<double> reals = reals_of(t, from);
  for (std::int64_t i = 0; i < t.count(); ++i)
    out.set_code(i, num_->quantize(static_cast<float>(reals[static_cast<std::size_t>(i)]),
                                   static_cast<float>(to.scale_at(0)), to.zero_at(0),
                                   static_cast<std::int32_t>(range.low),
                                   static_cast<std::int32_t>(range.high)));
  return out;
}

Result<void> RewriteNode::combine(const std::vector<Part>& parts, std::span<const Tensor* const> in,
                                  Tensor& out) const {
  const NodeView n = view();
  const auto grid = output_scale(n);
  if (!grid) return Error{"rewrite", "no grid", "one scale", ""};
  std::vector<double> sum(static_cast<std::size_t>(out.count()), 0);
  for (const Part& p : parts) {
    LOCKSTEP_TRY(const Tensor made, run_part(p, in));
    if (parts.size() == 1 && p.out_grid == n.output(0).quant) {
      out = made;
      return {};
    }
    const std::vector<double> reals = reals_of(made, p.out_grid);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += reals[i];
  }
  for (std::int64_t i = 0; i < out.count(); ++i)
    out.set_code(
        i, num_->quantize(static_cast<float>(sum[static_cast<std::size_t>(i)]),
                          static_cast<float>(grid->scale), static_cast<std::int32_t>(grid->zero),
                          static_cast<std::int32_t>(grid->low),
                          static_cast<std::int32_t>(grid->high)));
  return {};
}

// A convolution without padding over an input padded with its zero point beforehand.
Result<std::optional<std::vector<Part>>> RewriteNode::padded(
    const Form& form, const std::vector<std::vector<Tensor>>& inputs) const {
  const NodeView n = view();
  LOCKSTEP_TRY(auto parts, this->parts({.text = form.text, .struck = false}, inputs));
  if (!parts) return parts;
  // Without padding a fault of the padding has no place: whether the cause still applies is asked
  // of the node itself.
  Node node = n.node;
  const auto window = window_at(n);
  if (!window.ok()) return std::optional<std::vector<Part>>();
  std::vector<Value> in = changed_inputs(form, -1, 0);
  const std::size_t from = window->channels_last ? 1 : 2, unused = 3 - window->spatial_rank;
  for (std::size_t a = 0; a < window->spatial_rank; ++a)
    in[0].shape[from + a] = (window->out[unused + a] - 1) * window->strides[unused + a] +
                            (window->kernel[unused + a] - 1) * window->dilations[unused + a] + 1;
  node.attrs.values.erase("auto_pad");
  node.attrs.set("pads", std::vector<std::int64_t>(2 * window->spatial_rank, 0));
  LOCKSTEP_TRY(const Executor bare, cut_out(form, 0, -1, 0, 0, in, node, n.output(0)));
  const FaultSpec spec{cause_.fault, node.name, cause_.params};
  // Where it does, its effect with and without own padding is the same sum: only faults of the
  // padding differ.
  if (inject(bare, std::span(&spec, 1)).ok()) return std::optional<std::vector<Part>>();
  return parts;
}

}  // namespace lockstep
