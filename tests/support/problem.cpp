#include "support/problem.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "op/op.h"

namespace lockstep::test {

OpProblem::OpProblem(std::string op, std::string_view arithmetic)
    : op_(std::move(op)), arithmetic_(arithmetic) {}

OpProblem& OpProblem::add(Tensor tensor, QuantParams quant, bool is_constant) {
  tensors_.push_back(std::move(tensor));
  quants_.push_back(std::move(quant));
  kinds_.push_back(is_constant ? 'c' : 'i');
  return *this;
}

OpProblem& OpProblem::absent() {
  tensors_.emplace_back();
  quants_.emplace_back();
  kinds_.push_back('-');
  return *this;
}

OpProblem& OpProblem::attr(std::string name, AttrValue value) {
  attrs_.set(std::move(name), std::move(value));
  return *this;
}

OpProblem& OpProblem::output(QuantParams quant) {
  outputs_.push_back(std::move(quant));
  return *this;
}

Result<std::vector<Tensor>> OpProblem::try_run() const {
  GraphBuilder builder("problem", "test");
  Node node;
  node.name = "node";
  node.op = op_;
  node.attrs = attrs_;
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (kinds_[i] == '-') {
      node.inputs.push_back(no_id);
      in.push_back(nullptr);
      continue;
    }
    Value v;
    v.name = "x" + std::to_string(i);
    v.dtype = tensors_[i].dtype();
    v.shape = tensors_[i].shape();
    v.quant = quants_[i];
    if (kinds_[i] == 'c') v.constant = std::make_shared<const Tensor>(tensors_[i]);
    node.inputs.push_back(builder.add_value(v));
    in.push_back(&tensors_[i]);
  }
  const auto outputs = outputs_.empty() ? std::vector<QuantParams>(1) : outputs_;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Value v;
    v.name = "y" + std::to_string(i);
    v.quant = outputs[i];
    node.outputs.push_back(builder.add_value(v));
  }
  const NodeId id = builder.add_node(node);
  const NodeView view{builder.so_far(), builder.so_far().node(id)};
  LOCKSTEP_CHECK(check_node(view));
  const OpDef* op = find_op(op_);
  LOCKSTEP_TRY(const auto facts, op->infer(view));
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Value& v = builder.value(node.outputs[i]);
    v.dtype = facts[i].dtype;
    v.shape = facts[i].shape;
    if (!v.quant.quantized()) v.quant = facts[i].quant;
    // An operator writes every element: what memory held before must not show.
    out.emplace_back(v.dtype, v.shape);
    std::ranges::fill(out.back().bytes(), std::byte{0x3f});
  }
  EvalContext context{{builder.so_far(), builder.so_far().node(id)},
                      *find_arithmetic(arithmetic_)->numerics,
                      in,
                      out};
  LOCKSTEP_CHECK(op->eval(context));
  return out;
}

std::vector<Tensor> OpProblem::run() const {
  auto result = try_run();
  if (!result.ok()) {
    ADD_FAILURE() << result.error().line();
    return std::vector<Tensor>(outputs_.empty() ? 1 : outputs_.size());
  }
  return std::move(result).value();
}

}  // namespace lockstep::test
