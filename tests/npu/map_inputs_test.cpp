// What a program is fed, and tensors brought back from buffers.
#include <gtest/gtest.h>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/map.h"

namespace lockstep {
namespace {

NpuBuffer fed(const std::string& name, const Shape& shape, std::int64_t zero) {
  NpuBuffer b;
  b.name = name;
  b.shape = b.mem_shape = shape;
  b.chpos = "CHPos_Last", b.batch = static_cast<int>(shape.back());
  b.type = "DataType_UINT8", b.scale = {0.25}, b.zero = {zero};
  b.end = b.count(), b.limit = b.end;
  return b;
}

// Bytes that the application gives, and the same less 128, which the first layer takes.
TEST(MapInputs, a_buffer_before_the_first_epoch_is_the_input_and_not_its_requantized_codes) {
  GraphBuilder g("m.tflite", "tflite");
  std::vector<ValueId> ids;
  for (const auto& [name, type, zero] :
       {std::tuple{"fed", DType::u8, 0}, {"shifted", DType::i8, -128}}) {
    Value v;
    v.name = name, v.dtype = type, v.shape = {1, 4, 5, 3}, v.quant = {{0.25}, {zero}, -1};
    ids.push_back(g.add_value(v));
  }
  Node n;
  n.name = n.op = "Requantize", n.inputs = {ids[0]}, n.outputs = {ids[1]};
  g.add_node(n);
  g.add_input(ids[0]), g.add_output(ids[1]);
  const Graph model = std::move(std::move(g).finish()).value();
  NpuProgram p;
  p.buffers.push_back(fed("Input_0_out_0", {1, 4, 5, 3}, 0));
  const NpuMapping map = map_npu_buffers(p, model);
  ASSERT_EQ(map.pairs.size(), 1u);
  EXPECT_EQ(map.pairs[0].value, "fed");
}

TEST(MapInputs, codes_come_back_from_a_buffer_as_they_went_into_it) {
  const NpuBuffer b = fed("x", {1, 4, 5, 3}, 0);
  Value v;
  v.name = "x", v.dtype = DType::i8, v.shape = {1, 3, 4, 5}, v.quant = {{0.25}, {-128}, -1};
  Tensor codes(DType::i8, v.shape);
  for (std::int64_t i = 0; i < codes.count(); ++i) codes.set_code(i, i * 4 - 128);
  for (const bool last : {false, true}) {
    const NpuPair pair{"x", "x", "", last};
    const auto held = codes_for(b, pair, v, codes);
    ASSERT_TRUE(held.ok()) << held.error().line();
    EXPECT_EQ(model_codes(b, pair, v, *held), codes) << last;
  }
}

// A channel of weights so small that its multiplier may be lost: no code can move.
TEST(AuditLayers, a_lost_multiplier_that_moves_no_code_is_no_error) {
  test::Net n(4);
  const ValueId y = n.conv(n.input({1, 4, 5, 6}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1});
  n.value_of(y - 2).quant.scale[0] = 4e-7;  // weights, bias and result stand in this order
  const Graph g = n.finish(y);
  NpuProgram p = test::lowered(g);
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (const auto it = u.fields.find("A_vector"); it != u.fields.end()) {
        const auto at = static_cast<std::size_t>(static_cast<std::uint64_t>(it->second.integer) -
                                                 p.images[0].base);
        ASSERT_NE(p.images[0].bytes[at], std::byte{0});
        p.images[0].bytes[at] = p.images[0].bytes[at + 1] = std::byte{0};
      }
  EXPECT_TRUE(test::errors_of(p, g).empty());
}

}  // namespace
}  // namespace lockstep
