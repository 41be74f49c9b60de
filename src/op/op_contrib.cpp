#include "op/op_contrib.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"

namespace lockstep {
namespace {

// The parts that one foreign node becomes: each makes one tensor, the last the node's own output.
class Parts {
 public:
  Parts(const ForeignNode& f, GraphBuilder& graph) : f_(f), graph_(graph) {}

  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return add_to(op, std::move(inputs), {add_inner(f_, graph_, op)}, std::move(attrs));
  }
  void last(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {}) {
    add_to(op, std::move(inputs), {f_.outputs[0]}, std::move(attrs));
  }
  ValueId add_to(std::string_view op, std::vector<ValueId> inputs, std::vector<ValueId> outputs,
                 Attrs attrs = {}) {
    Node node = node_like(f_, graph_, op);
    if (outputs != f_.outputs) node.name = graph_.unique_node_name(f_.name + "/" + std::string(op));
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    node.attrs = std::move(attrs);
    const ValueId y = node.outputs[0];
    graph_.add_node(std::move(node));
    return y;
  }

 private:
  const ForeignNode& f_;
  GraphBuilder& graph_;
};

ValueId input_or_none(const ForeignNode& f, std::size_t i) {
  return has_input(f, i) ? f.inputs[i] : no_id;
}

// The sum of products of codes to reals; scales may come with the run.
void products_to_reals(Parts& parts, std::vector<ValueId> operands, ValueId a_scale,
                       ValueId b_scale, ValueId bias) {
  while (operands.back() == no_id) operands.pop_back();
  Attrs to;
  to.set("to", std::string("float32"));
  const ValueId sum = parts.add("Cast", {parts.add("MatMulInteger", std::move(operands))}, to);
  const ValueId factor = parts.add("Mul", {a_scale, b_scale});
  if (bias == no_id) return parts.last("Mul", {sum, factor});
  parts.last("Add", {parts.add("Mul", {sum, factor}), bias});
}

// How an operand lies in the file: with its first axis before the others' place of rows, with rows
// and columns exchanged.
struct Lie {
  bool batch = false, turned = false;
  std::vector<std::int64_t> perm;  // to matrices of rows
  Shape shape;                     // then

  Lie(const ForeignNode& f, char operand, const Shape& x) {
    batch = f.attrs.integer(std::string("transBatch") + operand, 0) != 0;
    turned = f.attrs.integer(std::string("trans") + operand, 0) != 0;
    perm.resize(x.size());
    std::iota(perm.begin(), perm.end(), 0);
    if (batch) std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
    if (turned) std::swap(perm[x.size() - 1], perm[x.size() - 2]);
    for (const std::int64_t axis : perm) shape.push_back(x[static_cast<std::size_t>(axis)]);
  }
  bool moved() const { return batch || turned; }
};

bool power_of_two(float v) {
  int e = 0;
  return std::frexp(std::abs(v), &e) == 0.5f;
}

}  // namespace

Result<void> from_matmul_integer_to_float(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {}));
  for (const std::size_t i : {0, 1, 2, 3})
    if (!has_input(f, i))
      return Error{f.where, "no input " + std::to_string(i), "both operands and their scales", ""};
  Parts parts(f, graph);
  products_to_reals(parts, {f.inputs[0], f.inputs[1], input_or_none(f, 4), input_or_none(f, 5)},
                    f.inputs[2], f.inputs[3], input_or_none(f, 6));
  return {};
}

Result<void> from_dynamic_quantize_matmul(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {}));
  for (const std::size_t i : {0, 1, 2})
    if (!has_input(f, i))
      return Error{f.where, "no input " + std::to_string(i), "both operands and b's scale", ""};
  Parts parts(f, graph);
  const ValueId scale = add_inner(f, graph, "a_scale"), zero = add_inner(f, graph, "a_zero");
  const ValueId codes = parts.add_to("DynamicQuantizeLinear", {f.inputs[0]},
                                     {add_inner(f, graph, "a_codes"), scale, zero});
  products_to_reals(parts, {codes, f.inputs[1], zero, input_or_none(f, 3)}, scale, f.inputs[2],
                    input_or_none(f, 4));
  return {};
}

namespace {

// N30 to N32: one row or one column has an order of sums of its own, but not under a factor; beyond
// 128 terms a factor meets parts of sums, and how long these are depends on how a lies.
Result<void> check_order(const ForeignNode& f, const Lie& a, const Lie& b, bool flat, float alpha) {
  const std::string hint = "the model before onnxruntime optimized it";
  const std::int64_t k = a.shape.back(), n = b.shape.back(),
                     m = flat && !a.turned ? count_of(a.shape) / std::max<std::int64_t>(k, 1)
                                           : a.shape[a.shape.size() - 2];
  if ((m == 1 || n == 1) && (alpha != 1 || (!flat && (a.moved() || b.moved()))))
    return Error{f.where, "one row or column turned or scaled",
                 "a MatMul without factor and transposition", hint};
  if (!flat && a.turned && k > 128 && n < k)
    return Error{f.where,
                 "stacked operands of which the first is turned, over sums of " + std::to_string(k),
                 "at most 128 terms", hint};
  if (k > 128 && alpha != 1 && !power_of_two(alpha))
    return Error{f.where, "alpha " + std::to_string(alpha) + " over sums of " + std::to_string(k),
                 "at most 128 terms, or a power of two", hint};
  return {};
}

}  // namespace

Result<void> from_fused_matmul(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"alpha", "transA", "transB", "transBatchA", "transBatchB"}));
  if (!has_input(f, 0) || !has_input(f, 1)) return Error{f.where, "one operand", "two", ""};
  const Shape x = input_of(f, graph, 0).shape, w = input_of(f, graph, 1).shape;
  if (x.size() < 2 || w.size() < 2)
    return Error{f.where, "operands " + shape_text(x) + " and " + shape_text(w),
                 "two axes and more", ""};
  const Lie a(f, 'A', x), b(f, 'B', w);
  const auto alpha = static_cast<float>(f.attrs.real("alpha", 1));
  const bool flat =
      w.size() == 2 && !a.batch && (x.size() == 2 || !a.turned);  // all of a's rows are one product
  LOCKSTEP_CHECK(check_order(f, a, b, flat, alpha));
  Parts parts(f, graph);
  ValueId left = f.inputs[0], right = f.inputs[1];
  Attrs attrs;
  if (flat) {
    attrs.set("transA", std::int64_t{a.turned}), attrs.set("transB", std::int64_t{b.turned});
    if (x.size() > 2)
      attrs.set("flatten", std::int64_t{1}), attrs.set("keep_dims", std::int64_t{1});
  } else {
    const auto straight = [&](ValueId v, const Lie& lie) {
      Attrs perm;
      perm.set("perm", lie.perm);
      return lie.moved() ? parts.add("Transpose", {v}, std::move(perm)) : v;
    };
    left = straight(left, a), right = straight(right, b);
  }
  const std::string_view op = flat ? "Gemm" : "MatMul";
  if (alpha == 1) return parts.last(op, {left, right}, attrs), Result<void>();
  parts.last("Mul", {parts.add(op, {left, right}, attrs),
                     add_constant(f, graph, "alpha", Tensor::scalar(alpha))});
  return {};
}

Result<void> from_biased_gelu(const ForeignNode& f, GraphBuilder& graph,
                              std::string_view approximate) {
  LOCKSTEP_CHECK(known_attributes(f, {}));
  if (!has_input(f, 0)) return Error{f.where, "no input", "x", ""};
  Parts parts(f, graph);
  Attrs how;
  how.set("approximate", std::string(approximate));
  const ValueId x = has_input(f, 1) ? parts.add("Add", {f.inputs[0], f.inputs[1]}) : f.inputs[0];
  parts.last("Gelu", {x}, std::move(how));
  return {};
}

}  // namespace lockstep
