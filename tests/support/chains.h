#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace lockstep::test {

struct ChainStep {
  std::string name, op = "Relu";
};

// The values one after the other, each made of the one before by the step between them.
inline Graph chain(std::vector<Value> values, const std::vector<ChainStep>& steps,
                   const std::string& file = "m.onnx") {
  GraphBuilder g(file, "onnx");
  std::vector<ValueId> ids;
  for (Value& v : values) ids.push_back(g.add_value(std::move(v)));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Node n;
    n.name = steps[i].name;
    n.op = steps[i].op;
    n.inputs = {ids[i]};
    n.outputs = {ids[i + 1]};
    g.add_node(n);
  }
  g.add_input(ids.front());
  g.add_output(ids.back());
  return std::move(std::move(g).finish()).value();
}

inline Value real_value(const std::string& name, Shape shape) {
  Value v;
  v.name = name;
  v.shape = std::move(shape);
  return v;
}

// int8 codes of scale 0.5.
inline Value code_value(const std::string& name, Shape shape, std::int32_t zero = -3) {
  Value v = real_value(name, std::move(shape));
  v.dtype = DType::i8;
  v.quant = {{0.5}, {zero}, -1};
  return v;
}

}  // namespace lockstep::test
