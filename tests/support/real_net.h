#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace lockstep::test {

// A network of float tensors of one shape, written down by names: each is made where it is first
// named.
class RealNet {
 public:
  explicit RealNet(Shape shape) : builder_("net", "onnx"), shape_(std::move(shape)) {}

  RealNet& node(const std::string& name, const std::string& op,
                const std::vector<std::string>& inputs, const std::string& output) {
    std::vector<ValueId> ids;
    for (const std::string& input : inputs) ids.push_back(value(input));
    builder_.add_node({name, op, {}, std::move(ids), {value(output)}, {}});
    return *this;
  }
  // A state that starts at zero: `in` of a run is `out` of the one before.
  RealNet& state(const std::string& in, const std::string& out) {
    builder_.add_state(
        {value(in), value(out), std::make_shared<const Tensor>(Tensor(DType::f32, shape_))});
    return *this;
  }
  Graph graph(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) && {
    for (const std::string& name : inputs) builder_.add_input(value(name));
    for (const std::string& name : outputs) builder_.add_output(value(name));
    auto graph = std::move(builder_).finish();
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    return std::move(graph).value();
  }

 private:
  ValueId value(const std::string& name) {
    const auto it = values_.find(name);
    if (it != values_.end()) return it->second;
    Value v;
    v.name = name;
    v.shape = shape_;
    return values_.emplace(name, builder_.add_value(std::move(v))).first->second;
  }

  GraphBuilder builder_;
  Shape shape_;
  std::map<std::string, ValueId> values_;
};

}  // namespace lockstep::test
