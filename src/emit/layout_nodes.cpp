// Which operators take channels last, and what changes in them.
#include <algorithm>
#include <numeric>
#include <set>

#include "emit/finish.h"
#include "emit/layout.h"
#include "num/litert_quantize.h"
#include "num/litert_sums.h"
#include "op/op_binary.h"
#include "op/op_codes.h"
#include "op/op_quantization.h"
#include "op/op_reduce.h"
#include "op/op_window.h"

namespace lockstep {

std::vector<std::size_t> channels_last_order(std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (rank > 2) std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  return axes;
}

Shape channels_last_shape(const Shape& shape) {
  Shape out;
  for (const std::size_t axis : channels_last_order(shape.size())) out.push_back(shape[axis]);
  return out;
}

std::vector<std::int64_t> channels_last_elements(const Shape& shape) {
  const Shape strides = strides_of(shape), lies = channels_last_shape(shape);
  const auto order = channels_last_order(shape.size());
  std::vector<std::int64_t> out(static_cast<std::size_t>(count_of(shape)));
  Shape at(shape.size(), 0);
  for (std::int64_t& element : out) {
    element = 0;
    for (std::size_t d = 0; d < at.size(); ++d) element += at[d] * strides[order[d]];
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < lies[d]) break;
      at[d] = 0;
    }
  }
  return out;
}

bool moves_elements(const NodeView& v) {
  static const std::set<std::string, std::less<>> names{
      "Reshape",      "Flatten",       "Squeeze",       "Unsqueeze",       "Identity",
      "Transpose",    "Slice",         "StridedSlice",  "Split",           "Unpack",
      "Expand",       "Tile",          "Reverse",       "ReverseSequence", "SpaceToDepth",
      "DepthToSpace", "ResizeNearest", "CenterCropPad", "BatchToSpace",    "SpaceToBatch",
      "Pad"};
  if (v.input_count() == 0 || !v.has_input(0) || v.input(0).constant) return false;
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (v.has_input(i) && !v.constant(i)) return false;
  if (v.node.op == "Resize")
    return v.attrs().text("mode", "nearest") == "nearest" &&
           v.attrs().text("coordinates", "") != "tf_crop_and_resize";
  return names.contains(v.node.op);
}

Result<std::vector<std::int64_t>> elements_moved(const NodeView& v, const Numerics& num,
                                                 std::size_t o) {
  // Beyond every code: what is smaller was filled in.
  constexpr std::int64_t first = 1 << 16;
  Tensor x(DType::i32, v.input(0).shape);
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(first + i);
  const Tensor nowhere = Tensor::scalar<std::int32_t>(-1);
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < v.input_count(); ++i) in.push_back(i == 0 ? &x : v.constant(i));
  if (v.node.op == "Pad") {
    in.resize(std::max<std::size_t>(in.size(), 3), nullptr);
    in[2] = &nowhere;
  }
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < v.node.outputs.size(); ++i)
    out.emplace_back(DType::i32, v.node.outputs[i] == no_id ? Shape{} : v.output(i).shape);
  EvalContext context{v, num, in, out};
  LOCKSTEP_CHECK(find_op(v.node.op)->eval(context));
  std::vector<std::int64_t> map;
  for (std::int64_t i = 0; i < out[o].count(); ++i)
    map.push_back(std::max<std::int64_t>(out[o].code(i) - first, -1));
  return map;
}

namespace {

using Names = std::set<std::string, std::less<>>;

bool fits_rank(const Value& v) {
  return v.shape.size() == 3 || v.shape.size() == 4;
}

bool one_scale(const Value& v) {
  return !v.quant.per_channel();
}

bool is_window(const NodeView& v) {
  static const Names names{"Conv",        "ConvTranspose",     "MaxPool",
                           "AveragePool", "GlobalAveragePool", "GlobalMaxPool"};
  return names.contains(v.node.op);
}

// On codes alone: the order of sums of reals is not the same with the channels last.
bool window_turns(const NodeView& v) {
  if (!is_code(v.input(0)) || !is_code(v.output(0)) || v.node.outputs.size() > 1) return false;
  if (v.attrs().text("layout", "NCHW") != "NCHW") return false;
  const bool weighted = v.node.op == "Conv" || v.node.op == "ConvTranspose";
  return !weighted || (v.constant(1) && (!v.has_input(2) || v.constant(2)));
}

// Reals that each channel treats by itself, in the same order wherever they lie.
bool by_channel(const NodeView& v) {
  if (v.node.op == "GlobalAveragePool") return true;
  if (v.node.op != "BatchNormalization") return false;
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (!v.constant(i)) return false;
  return true;
}

bool is_reduction(const NodeView& v) {
  return v.node.op == "ReduceMean" || v.node.op == "ReduceSum" || v.node.op == "ReduceMax" ||
         v.node.op == "ReduceMin";
}

// Of codes, whose sums have no order; without the reduced axes where what is left is one row of
// channels.
bool reduction_turns(const NodeView& v) {
  if (!is_code(v.input(0)) || !is_code(v.output(0)) || !fits_rank(v.input(0)) ||
      !one_scale(v.input(0)))
    return false;
  const auto r = reduction_of(v);
  if (!r.ok() || std::ranges::count(r->reduced, true) == 0) return false;
  if (v.output(0).shape.size() == v.input(0).shape.size()) return true;
  const std::vector<bool> spatial = v.input(0).shape.size() == 4
                                        ? std::vector<bool>{false, false, true, true}
                                        : std::vector<bool>{false, false, true};
  return r->reduced == spatial;
}

// Every operand but constants has the axes of the output; constants may be spread.
bool operands_turn(const NodeView& v) {
  const std::size_t rank = v.output(0).shape.size();
  for (std::size_t i = 0; i < v.input_count(); ++i) {
    if (!v.has_input(i)) continue;
    const Value& x = v.input(i);
    if (!one_scale(x)) return false;
    if (x.constant ? x.shape.size() > rank : x.shape.size() != rank && count_of(x.shape) != 1)
      return false;
  }
  return true;
}

bool one_element_each(const NodeView& v) {
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (v.has_input(i) && (!v.constant(i) || count_of(v.input(i).shape) != 1)) return false;
  return v.input(0).shape == v.output(0).shape && one_scale(v.input(0));
}

const Names unary{"Sigmoid",
                  "Tanh",
                  "LeakyRelu",
                  "HardSwish",
                  "HardSigmoid",
                  "Exp",
                  "Log",
                  "Elu",
                  "Gelu",
                  "Relu",
                  "BoundedRelu",
                  "Clip",
                  "Abs",
                  "Neg",
                  "Sqrt",
                  "Rsqrt",
                  "Requantize",
                  "Ceil",
                  "Celu",
                  "Cos",
                  "Erf",
                  "Floor",
                  "Mish",
                  "Reciprocal",
                  "Round",
                  "Selu",
                  "Sign",
                  "Sin",
                  "Softplus",
                  "Softsign",
                  "ThresholdedRelu",
                  "QuantizeLinear",
                  "DequantizeLinear",
                  "Cast",
                  "Not"};
const Names spread{"Add", "Sub", "Mul", "Div",  "PRelu", "SquaredDifference",
                   "Min", "Max", "Sum", "Mean", "Where"};

// Sums whose steps depend on the element's place in the file's order (N110). Operands of one shape
// are a single row: where no vector or nothing else is in it, all elements are summed alike.
bool sums_by_place(const NodeView& v, const Numerics& num) {
  if (v.node.op != "Add" || !num.add || v.input_count() < 2) return false;
  const Value &a = v.input(0), &b = v.input(1), &y = v.output(0);
  if (!is_code(a) || !is_code(b) || !is_code(y)) return false;
  const BinaryState state = num.add->prepare(binary_scales(v));
  if (!sums_by_rows(*num.add, state)) return false;
  const SumRows rows = sum_rows(state, y.dtype == DType::u8, a.shape, b.shape);
  return a.shape != b.shape || (rows.whole != 0 && rows.whole != rows.row);
}

// Codes of which the last ones of the file's order are rounded by themselves (N83).
bool rounds_by_place(const NodeView& v, const Numerics& num) {
  const Value &x = v.input(0), &y = v.output(0);
  const std::int64_t count = count_of(y.shape);
  if (v.node.op == "QuantizeLinear")
    return left_by_vectors(quantize_policy(num), y.dtype == DType::i16, count) != 0;
  return v.node.op == "Requantize" && num.quantize_other && num.quantize_other->requantize_rest &&
         x.dtype != y.dtype && is_narrow(x) && is_narrow(y) && count % 16 != 0;
}

std::int64_t turned_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < 0) axis += rank;
  return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}

}  // namespace

bool may_turn(const NodeView& v, const Numerics& num) {
  if (v.node.outputs.size() != 1 || v.input_count() == 0 || !v.has_input(0)) return false;
  if (sums_by_place(v, num) || rounds_by_place(v, num)) return false;
  if (is_reduction(v)) return one_scale(v.output(0)) && reduction_turns(v);
  if (!fits_rank(v.output(0)) || !one_scale(v.output(0))) return false;
  if (is_window(v) && is_code(v.input(0)))
    return fits_rank(v.input(0)) && one_scale(v.input(0)) && window_turns(v);
  if (by_channel(v)) return fits_rank(v.input(0)) && is_real(v) && !v.input(0).constant;
  if (v.node.op == "Concat") return operands_turn(v) && !v.input(0).constant;
  if (unary.contains(v.node.op)) return !v.input(0).constant && one_element_each(v);
  return spread.contains(v.node.op) && operands_turn(v);
}

namespace {

// A constant over the output's axes, turned; one element stays.
Result<ValueId> turned_constant(const Value& x, std::size_t rank, GraphBuilder& b) {
  Shape whole = x.shape;
  whole.insert(whole.begin(), rank - whole.size(), 1);
  Value v = x;
  v.name = b.unique_name(x.name + "/channels_last");
  v.shape = channels_last_shape(whole);
  v.producer = no_id;
  Tensor t(x.dtype, v.shape);
  const std::size_t size = size_of(x.dtype);
  const auto from = channels_last_elements(whole);
  for (std::size_t i = 0; i < from.size(); ++i)
    std::copy_n(x.constant->bytes().data() + static_cast<std::size_t>(from[i]) * size, size,
                t.bytes().data() + i * size);
  v.constant = std::make_shared<const Tensor>(std::move(t));
  return b.add_value(std::move(v));
}

}  // namespace

Result<void> turn_node(const NodeView& before, Node& node, GraphBuilder& b) {
  const std::size_t rank = before.output(0).shape.size();
  if (is_window(before) || by_channel(before)) {
    node.attrs.set("layout", std::string("NHWC"));
    return {};
  }
  if (is_reduction(before)) {
    LOCKSTEP_TRY(const Reduction r, reduction_of(before));
    std::vector<std::int64_t> axes;
    const auto order = channels_last_order(r.reduced.size());
    for (std::size_t d = 0; d < order.size(); ++d)
      if (r.reduced[order[d]]) axes.push_back(static_cast<std::int64_t>(d));
    node.attrs.set("axes", axes);
    node.inputs.resize(1);
    return {};
  }
  if (node.op == "Concat")
    node.attrs.set("axis",
                   turned_axis(node.attrs.integer("axis", 1), static_cast<std::int64_t>(rank)));
  if (!spread.contains(node.op) && node.op != "Concat") return {};
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (before.has_input(i) && before.input(i).constant && count_of(before.input(i).shape) > 1) {
      LOCKSTEP_TRY(node.inputs[i], turned_constant(before.input(i), rank, b));
    }
  return {};
}

std::int64_t gain_of_turning(const NodeView& v) {
  if (is_reduction(v)) return count_of(v.input(0).shape);
  if (!is_window(v) || !is_code(v.input(0))) return 0;
  const std::int64_t y = count_of(v.output(0).shape);
  if (v.node.op.starts_with("Global")) return count_of(v.input(0).shape);
  if (v.node.op.ends_with("Pool"))
    return y * std::max<std::int64_t>(count_of(v.attrs().integers("kernel_shape")), 1);
  const Shape& w = v.input(1).shape;
  const std::int64_t filters = v.output(0).shape[1], group = v.attrs().integer("group", 1);
  // Each window of each group is gathered once for all its filters.
  return y / std::max<std::int64_t>(filters, 1) * group *
         (count_of(w) / std::max<std::int64_t>(w[0], 1));
}

}  // namespace lockstep
