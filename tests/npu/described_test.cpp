// Generated C as compilers write it: structures of software operations, memories that the
// application gives, several tables of one name, and what the units make of padding and of
// stationary features.
#include <gtest/gtest.h>

#include <cstring>

#include "npu/network_c.h"
#include "npu/simulate.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

constexpr const char* memories =
    "/* index=1 file postfix=AXISRAM5 name=npuRAM5 offset=0x342e0000  absolute_mode size=4096 "
    "READ_WRITE */\n"
    "/* index=2 file postfix=xSPI2 name=octoFlash offset=0x70380000  absolute_mode size=4096 "
    "READ_ONLY */\n";

std::string tensor(const std::string& name, std::uint64_t at, int h, int w, int c, int bytes,
                   int is_signed) {
  const auto line = [&](const std::string& key, int v) {
    return "    ." + name + key + " = " + std::to_string(v) + ",\n";
  };
  return line(".dim.tensor_b", 1) + line(".dim.tensor_h", h) + line(".dim.tensor_w", w) +
         line(".dim.tensor_c", c) + line(".dim.num_elem", h * w * c) +
         line(".stride.b", h * w * c * bytes) + line(".stride.h", w * c * bytes) +
         line(".stride.w", c * bytes) + line(".stride.c", bytes) + "    ." + name +
         ".mem.start_offset = ((unsigned char *)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(" +
         std::to_string(at) + "UL + 0))) /* x */,\n" + line(".format.is_signed", is_signed);
}

std::string parameter(const std::string& name, std::uint64_t at, int n, int is_signed) {
  return "    ." + name + ".mem.start_offset = ((unsigned char *)(" + std::to_string(at) +
         "UL)),\n    ." + name + ".format.is_signed = " + std::to_string(is_signed) + ",\n    ." +
         name + ".dim.num_elem = " + std::to_string(n) + ",\n";
}

std::string buffers(const std::string& rows) {
  return "const LL_Buffer_InfoTypeDef *LL_ATON_Input_Buffers_Info(void) {\n"
         "  static const uint32_t s[] = { 1, 1, 2, 2 };\n  static const LL_Buffer_InfoTypeDef "
         "buff_info[] = {\n" +
         rows + "    { .name = NULL, } };\n  return buff_info;\n}\n";
}

std::string row(const std::string& name, int epoch, int start, const std::string& type, int nbits) {
  return "    { .name = \"" + name +
         "\", .addr_base = {(unsigned char *)(0x342e0000UL)}, .offset_start = " +
         std::to_string(start) + ", .offset_end = " + std::to_string(start + 4 * nbits / 8) +
         ", .offset_limit = 0, .epoch = " + std::to_string(epoch) +
         ", .batch = 2, .mem_shape = s, .chpos = CHPos_Last, .type = " + type +
         ", .nbits = " + std::to_string(nbits) + ", .shape = s },\n";
}

NpuImage constants() {
  NpuImage image{"w", 0x70380000, Bytes(64)};
  const float scale[2] = {0.5f, 0.25f};
  std::memcpy(image.bytes.data(), scale, 8);
  image.bytes[8] = static_cast<std::byte>(-3);
  image.bytes[9] = static_cast<std::byte>(4);
  return image;
}

Result<Tensor> last_of(const std::string& text, const Tensor& x) {
  LOCKSTEP_TRY(NpuProgram p, parse_network_c(text, "network.c"));
  p.images.push_back(constants());
  LOCKSTEP_TRY(NpuSimulator sim,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p))));
  LOCKSTEP_CHECK(sim.run({{sim.inputs().at(0)->name, x}}));
  return read_buffer(*sim.outputs().at(0), sim.memory(), "test");
}

TEST(DescribedSoftware, dequantizes_by_the_addresses_that_its_structure_gives) {
  const std::string text =
      std::string(memories) +
      "static void LL_ATON_End_EpochBlock_1(const void *epoch_block)\n{\n  "
      "Dequantizelinear_sw_info d1 = {\n" +
      tensor("general.input", 0x342e0000, 1, 2, 2, 1, 1) + parameter("is", 0x70380000, 1, 1) +
      parameter("izp", 0x70380008, 1, 1) + tensor("general.output", 0x342e0040, 1, 2, 2, 4, 1) +
      "    .general.type = LL_SW_DEQUANTIZELINEAR,\n  };\n  "
      "ll_sw_forward_dequantizelinear(&d1);\n}\n" +
      buffers(row("x", 0, 0, "DataType_INT8", 8) + row("y", 1, 64, "DataType_FLOAT", 32));
  Tensor x(DType::i8, {1, 2, 1, 2});
  for (int i = 0; i < 4; ++i) x.set_code(i, 10 * i - 3);
  const auto y = last_of(text, x);
  ASSERT_TRUE(y.ok()) << y.error().line();
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(y->as<float>()[i], 0.5f * static_cast<float>(10 * i));
}

TEST(DescribedSoftware, a_softmax_of_codes_runs_along_the_axis_named) {
  const std::string text =
      std::string(memories) +
      "static void LL_ATON_End_EpochBlock_1(const void *epoch_block)\n{\n  Softmax_integer_sw_info "
      "d1 = {\n" +
      tensor("general.input", 0x342e0000, 1, 2, 2, 1, 1) + parameter("is", 0x70380000, 1, 0) +
      parameter("izp", 0x70380008, 1, 1) + parameter("os", 0x70380004, 1, 0) +
      parameter("ozp", 0x70380009, 1, 1) + tensor("general.output", 0x342e0040, 1, 2, 2, 1, 1) +
      "    .axis = 1,\n    .general.type = LL_SW_SOFTMAX,\n  };\n  "
      "ll_sw_forward_softmax_integer(&d1);\n}\n" +
      buffers(row("x", 0, 0, "DataType_INT8", 8) + row("y", 1, 64, "DataType_INT8", 8));
  Tensor x(DType::i8, {1, 2, 1, 2});  // [1,C,H,W]: channels 0 and 1 of two pixels
  for (const auto& [i, v] : {std::pair{0, 0}, {2, 0}, {1, 20}, {3, -100}}) x.set_code(i, v);
  const auto y = last_of(text, x);
  ASSERT_TRUE(y.ok()) << y.error().line();
  EXPECT_EQ(y->code(0), 6);  // a half is 2 steps of 0.25 above 4
  EXPECT_EQ(y->code(2), 6);
  EXPECT_EQ(y->code(1), 8);
  EXPECT_EQ(y->code(3), 4);
}

TEST(DescribedSoftware, an_operation_that_is_not_known_is_named) {
  const std::string text =
      std::string(memories) +
      "static void LL_ATON_End_EpochBlock_1(const void *epoch_block)\n{\n  Activ_sw_info d1 = {\n" +
      tensor("general.input", 0x342e0000, 1, 1, 1, 4, 1) +
      tensor("general.output", 0x342e0040, 1, 1, 1, 4, 1) +
      "    .general.type = LL_SW_ELU,\n  };\n  ll_sw_forward_activ(&d1);\n}\n" +
      buffers(row("x", 0, 0, "DataType_FLOAT", 32) + row("y", 1, 64, "DataType_FLOAT", 32));
  const auto y = last_of(text, Tensor(DType::f32, {1, 2, 1, 2}));
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().line().find("LL_SW_ELU"), std::string::npos);
}

std::string resize(const std::string& rules) {
  return std::string(memories) +
         "static void LL_ATON_End_EpochBlock_1(const void *epoch_block)\n{\n  "
         "Resize_integer_sw_info d1 = {\n" +
         tensor("general.input", 0x342e0000, 1, 2, 2, 1, 1) + parameter("is", 0x70380000, 1, 0) +
         parameter("izp", 0x70380008, 1, 1) + parameter("os", 0x70380004, 1, 0) +
         parameter("ozp", 0x70380009, 1, 1) + tensor("scales", 0x70380010, 1, 1, 4, 4, 0) +
         tensor("general.output", 0x342e0040, 1, 4, 2, 1, 1) + rules +
         "    .general.type = LL_SW_RESIZE,\n  };\n  ll_sw_forward_resize_integer(&d1);\n}\n" +
         buffers(row("x", 0, 0, "DataType_INT8", 8) +
                 "    { .name = \"y\", .addr_base = {(unsigned char *)(0x342e0000UL)}, "
                 ".offset_start = 64, .offset_end = 72, .epoch = 1, .batch = 2, .mem_shape = t, "
                 ".chpos = CHPos_Last, .type = DataType_INT8, .nbits = 8, .shape = t },\n");
}

// Two pixels of two channels; factors stand behind the scales and zero points.
Result<Tensor> resized(std::string text) {
  const std::string table = "static const uint32_t s[] = { 1, 1, 2, 2 };\n";
  text.replace(text.find(table), table.size(), table + "static const uint32_t t[] = {1, 1, 4, 2};");
  LOCKSTEP_TRY(NpuProgram p, parse_network_c(text, "network.c"));
  NpuImage image = constants();
  const float factors[4] = {1, 1, 1, 2};
  std::memcpy(image.bytes.data() + 16, factors, 16);
  p.images.push_back(std::move(image));
  LOCKSTEP_TRY(NpuSimulator sim,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p))));
  Tensor x(DType::i8, {1, 2, 1, 2});
  for (const auto& [i, v] : {std::pair{0, 5}, {1, 13}, {2, -3}, {3, 1}}) x.set_code(i, v);
  LOCKSTEP_CHECK(sim.run({{"x", x}}));
  if (sim.counts().inexact.empty()) return Error{"", "claimed to be exact", "", {}};
  return read_buffer(*sim.outputs().at(0), sim.memory(), "test");
}

// Codes 0.5 (x + 3) become 0.25 (y - 4): y = 2 x + 10 of what lies a quarter between two places.
TEST(DescribedSoftware, a_resize_of_codes_lies_between_the_nearest_places) {
  const auto y =
      resized(resize("    .mode = RESIZE_LINEAR,\n    .coord_transf_mode = HALF_PIXEL,\n"
                     "    .nearest_mode = CEIL,\n"));
  ASSERT_TRUE(y.ok()) << y.error().line();
  for (const auto& [i, want] : {std::pair{0, 20}, {1, 24}, {2, 32}, {3, 36}, {4, 4}, {5, 6}})
    EXPECT_EQ(y->code(i), want) << i;
}

TEST(DescribedSoftware, a_resize_to_the_nearest_place_rounds_as_its_structure_says) {
  const std::string mode = "    .mode = RESIZE_NEAREST,\n    .coord_transf_mode = ASYMMETRIC,\n";
  const auto floor = resized(resize(mode + "    .nearest_mode = FLOOR,\n")),
             ceil = resized(resize(mode + "    .nearest_mode = CEIL,\n"));
  ASSERT_TRUE(floor.ok() && ceil.ok());
  for (const auto& [i, low, high] :
       {std::tuple{0, 20, 20}, {1, 20, 36}, {2, 36, 36}, {3, 36, 36}}) {
    EXPECT_EQ(floor->code(i), low) << i;
    EXPECT_EQ(ceil->code(i), high) << i;
  }
}

TEST(DescribedSoftware, a_resize_by_rules_that_are_not_known_says_which) {
  for (const auto& [rules, named] :
       {std::pair{"    .mode = RESIZE_CUBIC,\n", "RESIZE_CUBIC"},
        {"    .mode = RESIZE_LINEAR,\n    .coord_transf_mode = TF_CROP_AND_RESIZE,\n",
         "TF_CROP_AND_RESIZE"}}) {
    const auto y = resized(resize(rules));
    ASSERT_FALSE(y.ok());
    EXPECT_NE(y.error().line().find(named), std::string::npos) << y.error().line();
  }
}

// It was refused with "as many", which such an operation need not have.
TEST(DescribedSoftware, an_operation_of_another_name_is_refused_by_its_name) {
  std::string text = resize("");
  const std::string call = "ll_sw_forward_resize_integer";
  text.replace(text.find(call), call.size(), "ll_sw_forward_gather_integer");
  const auto y = resized(text);
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().line().find("software operation ll_sw_forward_gather_integer"),
            std::string::npos)
      << y.error().line();
}

// A map of one place is called channels first by its table; the elements go as from any other.
TEST(SoftwareMoves, blocks_that_become_one_place_of_channels_first_are_moved) {
  const auto table = [](const char* name, int at, const char* shape, const char* in_memory) {
    return "  static const uint32_t " + std::string(name) + "_s[] = { " + shape +
           " };\n  static const uint32_t " + name + "_m[] = { " + in_memory +
           " };\n  static const LL_Buffer_InfoTypeDef " + name + "[] = { { .name = \"" + name +
           "\", .addr_base = {(unsigned char *)(0x342e0000UL)}, .offset_start = " +
           std::to_string(at) + ", .offset_end = " + std::to_string(at + 4) +
           ", .mem_shape = " + name + "_m, .nbits = 8, .shape = " + name +
           "_s }, { .name = NULL, } };\n";
  };
  const std::string text =
      std::string(memories) + "static void LL_ATON_End_EpochBlock_1(const void *epoch_block)\n{\n" +
      table("d_in_1", 0, "1, 1, 2, 2", "1, 1, 2, 2") +
      table("d_out_1", 64, "1, 1, 1, 4", "1, 4, 1, 1") +
      "  LL_ATON_LIB_DMA_SpaceToDepth(d_in_1, 1, d_out_1, 1, 2, 2, 3);\n}\n" +
      buffers(row("x", 0, 0, "DataType_INT8", 8) + row("y", 1, 64, "DataType_INT8", 8));
  Tensor x(DType::i8, {1, 2, 1, 2});
  for (int i = 0; i < 4; ++i) x.set_code(i, 7 * i - 9);
  const auto y = last_of(text, x);
  ASSERT_TRUE(y.ok()) << y.error().line();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y->code(i), 7 * i - 9);
}

TEST(NetworkC, memories_of_the_application_definitions_and_tables_of_one_name_are_kept_apart) {
  const std::string text =
      std::string(memories) +
      "#define POOL_BASE 0x342e0000UL\n#if 0\nstatic void LL_ATON_Start_EpochBlock_9(const void "
      "*e) { broken(\n#endif\n"
      "static unsigned char *_mem_pool__user_io_input_0_net = NULL; /* tensor x */\n"
      "static void LL_ATON_Start_EpochBlock_1(const void *e)\n{\n"
      "  static const LL_Streng_TensorInitTypeDef in __attribute__((aligned(8))) = { .fwidth = 2u, "
      ".addr_base = {(unsigned char *)&_mem_pool__user_io_input_0_net}, /* x */\n"
      "    .fheight = 0x1, .batch_depth = 2, .batch_offset = 2, .frame_tot_cnt = 1, .nbits_in = 8, "
      ".nbits_out = 8 };\n"
      "  LL_Streng_TensorInit(0, &in, 1);\n"
      "  static const LL_Streng_TensorInitTypeDef out = { .dir = 1, .raw = 1, .addr_base = "
      "{(unsigned char *)(POOL_BASE + 64)}, .offset_end = 4, .frame_tot_cnt = 1, .nbits_in = 8, "
      ".nbits_out = 8 };\n"
      "  LL_Streng_TensorInit(1, &out, 1);\n"
      "  static const LL_Switch_InitTypeDef s1[] = { { LL_Switch_Init_Dest() = "
      "ATONN_DSTPORT(STRSWITCH, 0, STRENG, 1, 0), LL_Switch_Init_Source(0) = "
      "ATONN_SRCPORT(STRSWITCH, 0, STRENG, 0, 0), LL_Switch_Init_Context(0) = 1, "
      "LL_Switch_Init_Frames(0) = 0, }, };\n"
      "  LL_Switch_Init(s1, 1);\n}\n"
      "static void LL_ATON_End_EpochBlock_1(const void *e)\n{\n"
      "  static const LL_Switch_DeinitTypeDef d1[] = { { LL_Switch_Init_Dest() = "
      "ATONN_DSTPORT(STRSWITCH, 0, STRENG, 1, 0), }, };\n  LL_Switch_Deinit(d1, 1);\n}\n"
      "const LL_Buffer_InfoTypeDef *LL_ATON_Input_Buffers_Info(void) {\n  static const uint32_t "
      "s[] = { 1, 1, 2, 2 };\n"
      "  static const LL_Buffer_InfoTypeDef buff_info[] = { { .name = \"x\", .addr_base = "
      "{((unsigned char *)&_mem_pool__user_io_input_0_net)}, .offset_end = 4, .mem_shape = s, "
      ".shape = s, .nbits = 8, .type = DataType_INT8, .chpos = CHPos_Last }, { .name = NULL, } "
      "};\n  return buff_info;\n}\n" +
      buffers(row("y", 1, 64, "DataType_INT8", 8));
  Tensor x(DType::i8, {1, 2, 1, 2});
  for (int i = 0; i < 4; ++i) x.set_code(i, 3 * i - 5);
  const auto y = last_of(text, x);
  ASSERT_TRUE(y.ok()) << y.error().line();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y->code(i), 3 * i - 5);
}

// 1x1 kernels of weight 1 with zfbias pad by that value: what a maximum needs before its window.
TEST(NpuSimulate, zfbias_is_what_the_padding_holds) {
  NpuProgram p = test::small_program();
  for (NpuUnit& u : p.epochs[0].units)
    if (u.name == "conv") {
      u.fields["zfbias"] = NpuField::of(-128);
      u.fields["left_padding"] = u.fields["right_padding"] = u.fields["top_padding"] =
          u.fields["bot_padding"] = NpuField::of(1);
      u.fields["f_unsigned"] = NpuField::of(0);
    }
  for (NpuUnit& u : p.epochs[0].units)
    if (u.name == "out")
      u.fields["fwidth"] = NpuField::of(6), u.fields["fheight"] = NpuField::of(5);
  for (NpuUnit& u : p.epochs[0].units)
    if (u.name == "mul")
      u.fields["fWidth"] = NpuField::of(6), u.fields["fHeight"] = NpuField::of(5);
  p.buffers[1].shape = p.buffers[1].mem_shape = {1, 5, 6, 3},
  p.buffers[1].end = p.buffers[1].start + 90;
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  Tensor x(DType::u8, {1, 2, 3, 4});
  ASSERT_TRUE(sim->run({{"x", x}}).ok());
  const auto y = read_buffer(*sim->outputs().at(0), sim->memory(), "test");
  ASSERT_TRUE(y.ok()) << y.error().line();
  // kernel 0: weights -12 and -11, so -128 * -23 = 2944; (2944 / 4) * 16384 / 2^14 + 5 saturates;
  // inside 0 + 5
  EXPECT_EQ(y->code(0), 127);
  EXPECT_EQ(y->code(7), 5);
}

}  // namespace
}  // namespace lockstep
