#include <gtest/gtest.h>

#include "arith/arith.h"
#include "num/product.h"

namespace lockstep {
namespace {

TEST(NeuralArtArithmetic, names_the_compiler_whose_rules_it_follows) {
  const Arithmetic* a = find_arithmetic("neural-art");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, "atonn 1.1.1-14");
  ASSERT_NE(a->numerics->product, nullptr);
}

// ReLU6 at step 0.1 ends at code 60: neither zero point nor clamp tell it from int8 there.
TEST(NeuralArtArithmetic, refuses_a_uint8_sum_whose_activation_ends_below_code_128) {
  const Arithmetic* a = find_arithmetic("neural-art");
  for (const DType type : {DType::u8, DType::i8})
    for (const double step : {0.1, 0.03}) {
      GraphBuilder builder("problem", "test");
      Node node;
      node.op = "Add";
      node.attrs.set("activation", std::string("relu6"));
      for (const char* const name : {"a", "b", "y"}) {
        Value v;
        v.name = name, v.dtype = type, v.shape = {1, 4}, v.quant = {{step}, {0}, -1};
        (*name == 'y' ? node.outputs : node.inputs).push_back(builder.add_value(v));
      }
      const NodeId id = builder.add_node(node);
      const std::string why = a->unsupported({builder.so_far(), builder.so_far().node(id)});
      EXPECT_EQ(!why.empty(), type == DType::u8 && step == 0.1) << why;
    }
}

}  // namespace
}  // namespace lockstep
