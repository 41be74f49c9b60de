// What a program is fed, and tensors brought back from buffers.
#include <gtest/gtest.h>

#include <fmt/core.h>

#include "npu/compare.h"
#include "npu/followed.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/map.h"
#include "npu/map_parts.h"
#include "npu/small_program.h"

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

// One tensor "v" of [1,4,4,4] that nothing but its axes' order tells.
Graph one_tensor(const Shape& shape, const std::string& format = "onnx") {
  GraphBuilder g("m." + format, format);
  std::vector<ValueId> ids;
  for (const auto& [name, scale] : {std::pair{"v", 0.25}, {"w", 0.5}}) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = shape, v.quant = {{scale}, {0}, -1};
    ids.push_back(g.add_value(v));
  }
  Node n;
  n.name = n.op = "Requantize", n.inputs = {ids[0]}, n.outputs = {ids[1]};
  g.add_node(n);
  g.add_input(ids[0]), g.add_output(ids[1]);
  return std::move(std::move(g).finish()).value();
}
NpuBuffer lies(const std::string& name, const Shape& in_memory, const char* chpos, int epoch,
               std::int64_t start) {
  NpuBuffer b = fed(name, in_memory, 0);
  b.chpos = chpos, b.type = "DataType_INT8", b.epoch = epoch;
  b.start = start, b.end += start, b.limit = b.end;
  return b;
}
NpuTable place_table(const NpuBuffer& b) {
  NpuFields row = {{"addr_base", NpuField::of(0)},
                   {"offset_start", NpuField::of(b.start)},
                   {"nbits", NpuField::of(8)}};
  std::vector<NpuField> shape;
  for (const std::int64_t e : b.mem_shape) shape.push_back(NpuField::of(e));
  row.emplace("mem_shape", NpuField::of_list(std::move(shape)));
  return {"LL_LIB_TensorShape_TypeDef", {}, {std::move(row)}};
}
// v lies channels last; the call writes it with its axes permuted, as channels first.
NpuProgram transposed(const std::vector<std::int64_t>& perm) {
  NpuProgram p;
  p.buffers.push_back(lies("Relu_1_out_0", {1, 4, 4, 4}, "CHPos_Last", 0, 0));
  p.buffers.push_back(lies("Transpose_2_out_0", {1, 4, 4, 4}, "CHPos_First", 1, 64));
  NpuEpoch e;
  e.number = 1;
  e.nodes = {{"Transpose_2", "Transpose"}};
  e.calls.push_back({"LL_ATON_LIB_DMA_Transpose", {"in", "a", "out", "b", "c", "perm"}});
  e.tables.emplace("in", place_table(p.buffers[0]));
  e.tables.emplace("out", place_table(p.buffers[1]));
  NpuTable order{"uint8_t", {}, {}};
  for (const std::int64_t a : perm) order.values.push_back(NpuField::of(a));
  e.tables.emplace("perm", std::move(order));
  p.epochs.push_back(std::move(e));
  return p;
}

// Rows, columns and channels of one extent: only the call tells which axis is which.
TEST(MapMoves, a_transpose_of_like_extents_is_followed_through_its_call) {
  const Graph model = one_tensor({1, 4, 4, 4});
  const NpuMapping right = map_npu_buffers(transposed({0, 3, 1, 2}), model);
  ASSERT_TRUE(right.find("Transpose_2_out_0"));
  EXPECT_FALSE(right.find("Transpose_2_out_0")->channels_last);
  const NpuMapping last =
      map_npu_buffers(transposed({0, 1, 2, 3}), one_tensor({1, 4, 4, 4}, "tflite"));
  ASSERT_TRUE(last.find("Transpose_2_out_0"));
  EXPECT_TRUE(last.find("Relu_1_out_0")->channels_last);
  EXPECT_FALSE(last.find("Transpose_2_out_0")->channels_last);  // its bytes are as the model's
  for (const std::vector<std::int64_t>& perm :
       {std::vector<std::int64_t>{0, 3, 2, 1}, {0, 2, 1, 3}, {0, 1, 2, 3}}) {
    const NpuMapping other = map_npu_buffers(transposed(perm), model);
    EXPECT_TRUE(other.find("Relu_1_out_0"));
    EXPECT_FALSE(other.find("Transpose_2_out_0"));
    ASSERT_EQ(other.unmapped.size(), 1u);
    EXPECT_EQ(other.unmapped[0], "Transpose_2_out_0: v with its axes in another order");
  }
}

// The unit writes what the Transpose makes at once: its own table tells an order that never lies
// there.
TEST(MapMoves, a_result_that_is_written_transposed_at_once_is_not_read_in_its_own_order) {
  const Graph model = one_tensor({1, 2, 3, 3});
  NpuProgram p;
  p.buffers.push_back(lies("MaxPool_1_out_0", {1, 2, 3, 3}, "CHPos_First", 1, 0));
  EXPECT_TRUE(map_npu_buffers(p, model).find("MaxPool_1_out_0"));
  p.buffers.push_back(lies("Transpose_2_out_0", {1, 3, 3, 2}, "CHPos_First", 1, 0));
  EXPECT_FALSE(map_npu_buffers(p, model).find("MaxPool_1_out_0"));
  p.buffers[1] = lies("Reshape_2_out_0", {1, 1, 2, 9}, "CHPos_First", 1, 0);  // the same order
  EXPECT_TRUE(map_npu_buffers(p, model).find("MaxPool_1_out_0"));
}

// Two halves of one tensor, "low" and "high", in the order in which the model lists them.
Graph halves(bool high_first) {
  test::Net n(4);
  const ValueId a = n.conv(n.input({1, 3, 5, 6}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const Shape cut[] = {{0, 0, 0}, {4, 5, 6}, {4, 0, 0}, {8, 5, 6}};
  const auto half = [&](int k) { return n.sliced(a, cut[2 * k], cut[2 * k + 1]); };
  const ValueId one = half(high_first ? 1 : 0), two = half(high_first ? 0 : 1);
  const ValueId low = high_first ? two : one, high = high_first ? one : two;
  n.value_of(low).name = "low", n.value_of(high).name = "high";
  return n.finish(n.joined({low, high}));
}

// Their buffers bear names that tell nothing: the first holds "low".
NpuProgram two_buckets() {
  NpuProgram p = test::lowered(halves(false));
  const auto rename = [&](const std::string& from, const std::string& to) {
    for (NpuBuffer& b : p.buffers)
      if (b.name == from) b.name = to;
    for (NpuEpoch& e : p.epochs)
      for (NpuUnit& u : e.units)
        if (u.buffer == from) u.buffer = to;
  };
  rename("low", "__ATONN_bucket_1_p1"), rename("high", "__ATONN_bucket_2_p1");
  return p;
}

// A model that lists the second half first: only the bytes say which is which.
TEST(MapParts, halves_of_one_tensor_are_told_apart_by_the_bytes_that_are_moved) {
  const NpuProgram p = two_buckets();
  for (const bool high_first : {false, true}) {
    const NpuMapping map = map_npu_buffers(p, halves(high_first));
    ASSERT_TRUE(map.find("__ATONN_bucket_1_p1") && map.find("__ATONN_bucket_2_p1"));
    EXPECT_EQ(map.find("__ATONN_bucket_1_p1")->value, "low");
    EXPECT_EQ(map.find("__ATONN_bucket_2_p1")->value, "high");
  }
}

// A file beside the program calls the first bucket "high", which the bytes of the second are.
TEST(MapParts, a_half_that_a_file_names_is_not_given_to_another_buffer_too) {
  const NpuMapping map =
      map_npu_buffers(two_buckets(), halves(true), {{"__ATONN_bucket_1_p1", "high"}});
  ASSERT_TRUE(map.find("__ATONN_bucket_1_p1") && map.find("__ATONN_bucket_2_p1"));
  EXPECT_EQ(map.find("__ATONN_bucket_1_p1")->value, "high");
  EXPECT_NE(map.find("__ATONN_bucket_2_p1")->value, "high");
}

// Copies of a buffer that holds a half for certain, and copies of one whose half was exchanged.
TEST(MapParts, only_copies_of_a_buffer_whose_half_was_exchanged_follow_it) {
  const NpuProgram p = two_buckets();
  const Graph model = halves(true);
  NpuMapping map = map_npu_buffers(p, model);
  for (NpuPair& pair : map.pairs)
    if (pair.buffer.starts_with("__ATONN_bucket_"))
      pair.value = pair.buffer.starts_with("__ATONN_bucket_1") ? "high" : "low", pair.how = "order";
  for (const char* name : {"copy", "copy_of_copy", "kept"})
    map.pairs.push_back({name, "high", "moved", false});
  tell_parts_apart(
      p, model,
      {{"copy", "__ATONN_bucket_1_p1"}, {"copy_of_copy", "copy"}, {"kept", "Slice_9_out_0"}}, map);
  EXPECT_EQ(map.find("__ATONN_bucket_1_p1")->value, "low");
  EXPECT_EQ(map.find("__ATONN_bucket_2_p1")->value, "high");
  EXPECT_EQ(map.find("copy")->value, "low");
  EXPECT_EQ(map.find("copy_of_copy")->value, "low");
  EXPECT_EQ(map.find("kept")->value, "high");
}

// Two bytes an element: the places of elements and of bytes are not the same.
TEST(MapParts, buffers_of_16_bits_are_not_followed_byte_by_byte) {
  const NpuProgram p = two_buckets();
  const NpuMapping map = map_npu_buffers(p, halves(false));
  const NpuBuffer& to = *p.find_buffer("__ATONN_bucket_1_p1");
  const auto from = std::ranges::find_if(p.buffers, [&](const NpuBuffer& b) {
    return !b.is_param && b.epoch > 0 && b.epoch < to.epoch && map.find(b.name);
  });
  ASSERT_NE(from, p.buffers.end());
  NpuFollowed followed(p, map, std::move(NpuMemory::make(p)).value());
  const NpuEpoch& epoch = *p.find_epoch(to.epoch);
  EXPECT_TRUE(followed.through(epoch, *from, to));
  NpuBuffer wide = to;
  wide.nbits = 16;
  EXPECT_FALSE(followed.through(epoch, *from, wide));
  wide = *from;
  wide.nbits = 16;
  EXPECT_FALSE(followed.through(epoch, wide, to));
}

// ONNX leaves out the name of an output that nothing takes.
TEST(MapParts, a_split_whose_first_output_has_no_name_is_followed_to_its_second) {
  GraphBuilder g("m.onnx", "onnx");
  Value v;
  v.name = "x", v.dtype = DType::i8, v.shape = {1, 4, 2}, v.quant = {{0.5}, {0}, -1};
  const ValueId x = g.add_value(v);
  v.name = "y", v.shape = {1, 2, 2};
  const ValueId y = g.add_value(v);
  Node n;
  n.name = n.op = "Split", n.inputs = {x}, n.outputs = {no_id, y};
  n.attrs.set("axis", std::int64_t{1});
  g.add_node(n);
  g.add_input(x), g.add_output(y);
  const auto model = std::move(g).finish();
  ASSERT_TRUE(model.ok()) << model.error().line();
  const NodeView view{*model, model->nodes()[0]};
  EXPECT_FALSE(moved_numbers(view, 0));
  EXPECT_FALSE(moved_numbers(view, 2));
  const auto places = moved_numbers(view, 1);
  ASSERT_TRUE(places);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(places->code(i), 4 + i);
}

// A file beside the program calls it by the model's name; the compiler requantized it.
TEST(MapInputs, a_named_tensor_in_another_scale_is_not_compared_code_by_code) {
  const Graph model = one_tensor({1, 4, 4, 2});
  NpuProgram p;
  p.buffers.push_back(lies("Sub_1_out_0_inserted_out5", {1, 4, 4, 2}, "CHPos_First", 1, 0));
  const NpuNames names = {{"Sub_1_out_0", "v"}};
  EXPECT_TRUE(map_npu_buffers(p, model, names).find("Sub_1_out_0_inserted_out5"));
  for (const double scale : {0.26, 0.5}) {  // 0.5: a second tensor, w, has it and this shape
    p.buffers[0].scale = {scale};
    const NpuMapping other = map_npu_buffers(p, model, names);
    EXPECT_FALSE(other.find("Sub_1_out_0_inserted_out5")) << scale;
    ASSERT_EQ(other.unmapped.size(), 1u) << scale;
    EXPECT_EQ(other.unmapped[0],
              fmt::format("Sub_1_out_0_inserted_out5: v in another scale, {:.9g} where the model "
                          "has 0.25",
                          scale));
  }
}

TEST(MapMoves, an_operand_inside_of_a_prelu_is_not_its_result) {
  const Graph model = one_tensor({1, 4, 4, 2});
  NpuProgram p;
  p.buffers.push_back(lies("PReLU_20_1_mul_x_cp_in_2", {1, 4, 4, 2}, "CHPos_First", 1, 0));
  p.buffers.push_back(lies("PReLU_20_out_0", {1, 4, 4, 2}, "CHPos_First", 2, 64));
  const NpuMapping map = map_npu_buffers(p, model);
  EXPECT_FALSE(map.find("PReLU_20_1_mul_x_cp_in_2"));
  EXPECT_TRUE(map.find("PReLU_20_out_0"));
}

// The application gives rows, columns, channels; the model's input has its channels first.
TEST(MapInputs, an_input_that_is_fed_channels_last_gets_the_models_elements_in_its_own_order) {
  NpuProgram p = test::small_program();
  p.buffers[0].chpos = "CHPos_First";  // as it lies: [1,3,4,2]
  GraphBuilder g("m.onnx", "onnx");
  Value v;
  v.name = "x", v.dtype = DType::f32, v.shape = {1, 2, 3, 4};
  const ValueId x = g.add_value(v);
  v.name = "y";
  const ValueId y = g.add_value(v);
  Node n;
  n.name = n.op = "Relu", n.inputs = {x}, n.outputs = {y};
  g.add_node(n);
  g.add_input(x), g.add_output(y);
  const Graph model = std::move(std::move(g).finish()).value();
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  Tensor reals(DType::f32, v.shape);
  for (std::size_t i = 0; i < 24; ++i) reals.as<float>()[i] = 0.5f * static_cast<float>(i);
  const auto fed = simulator_inputs(*sim, model, {}, {{"x", reals}});
  ASSERT_TRUE(fed.ok()) << fed.error().line();
  const Tensor& codes = fed->at("x");
  for (std::int64_t place = 0; place < 12; ++place)
    for (std::int64_t c = 0; c < 2; ++c) EXPECT_EQ(codes.code(place * 2 + c), c * 12 + place);
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
