// Generated C computes every tensor of every shared int8 network to the bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "support/generated_network.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

struct Case {
  const char* path;
  const char* arithmetic;
  const char* missing;  // the operator that has no C yet; null: all have
  double plan = 1.02;   // activations over the largest live set
};

constexpr Case cases[] = {
    {"mlperf/kws_ref_model_int8.tflite", "tflite-ref", nullptr},
    {"mlperf/resnet8_int8.tflite", "tflite-ref", nullptr},
    {"mlperf/resnet_large_int8.tflite", "tflite-ref", nullptr},
    {"mlperf/vww_96_int8.tflite", "tflite-ref", nullptr},
    {"mlperf/ad01_int8.tflite", "tflite-ref", nullptr},
    {"mlperf/str_ww_ref_model_int8.tflite", "tflite-ref", nullptr},
    {"birdnet/birdnet_stm32n6_100_int8.tflite", "tflite-ref", nullptr},
    {"coral/mobilenet_v1_0.25_128_quant.tflite", "tflite-ref", nullptr},
    {"coral/split_concat.tflite", "tflite-ref", nullptr},
    {"st/blazeface_front_128_int8.tflite", "tflite-ref", nullptr},
    {"st/mobilenet_v1_0.25_96_tfs_int8.tflite", "tflite-ref", nullptr},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", "tflite-ref", nullptr},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", "tflite-ref", nullptr},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", "tflite-ref", nullptr},
    {"st_zoo/yamnet_256_64x96_int8.tflite", "tflite-ref", nullptr},
    {"tflm/hello_world_int8.tflite", "tflite-ref", nullptr},
    {"tflm/keyword_scrambled_8bit.tflite", "tflite-ref", nullptr},
    {"tflm/micro_speech_quantized.tflite", "tflite-ref", nullptr},
    {"tflm/person_detect.tflite", "tflite-ref", nullptr},
    {"tflm/simple_add_model.tflite", "tflite-ref", nullptr},
    {"timeseries/predmaint_cnn_int8_io.tflite", "tflite-ref", nullptr},
    {"timeseries/tinyhar_cnn_attention_int8.tflite", "tflite-ref", nullptr},
    {"timeseries/tinyhar_cnn_deep_int8.tflite", "tflite-ref", nullptr},
    {"timeseries/tinyhar_depthwise_cnn_int8.tflite", "tflite-ref", nullptr},
    {"timeseries/robotarm_lstm_v1.tflite", "tflite-ref", nullptr},
    {"tflsupport/dilated_conv.tflite", "tflite-ref", nullptr},
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/resnet8_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/vww_96_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/ad01_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/resnet_large_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/str_ww_ref_model_int8.tflite", "cmsis-nn", nullptr},
    {"birdnet/birdnet_stm32n6_100_int8.tflite", "cmsis-nn", nullptr},
    {"coral/split_concat.tflite", "cmsis-nn", nullptr},
    {"st/blazeface_front_128_int8.tflite", "cmsis-nn", nullptr},
    {"st/mobilenet_v1_0.25_96_tfs_int8.tflite", "cmsis-nn", nullptr},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", "cmsis-nn", nullptr},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", "cmsis-nn", nullptr},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", "cmsis-nn", nullptr},
    {"st_zoo/yamnet_256_64x96_int8.tflite", "cmsis-nn", nullptr},
    {"tflm/hello_world_int8.tflite", "cmsis-nn", nullptr},
    {"tflm/micro_speech_quantized.tflite", "cmsis-nn", nullptr},
    {"tflm/person_detect.tflite", "cmsis-nn", nullptr},
    {"tflm/keyword_scrambled_8bit.tflite", "cmsis-nn", nullptr},
    {"tflm/simple_add_model.tflite", "cmsis-nn", nullptr},
    {"timeseries/predmaint_cnn_int8_io.tflite", "cmsis-nn", nullptr},
    {"timeseries/tinyhar_cnn_deep_int8.tflite", "cmsis-nn", nullptr},
    {"timeseries/tinyhar_depthwise_cnn_int8.tflite", "cmsis-nn", nullptr},
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn-single", nullptr},
    {"face/mobilefacenet_int8_faces.onnx", "ort", nullptr},
    {"st/face_landmarks_v1_192_qdq_int8.onnx", "ort", nullptr},
    {"st/stft_tcnn_medium_257x40_qdq_int8.onnx", "ort", nullptr},
    {"st/yamnet_1024_64x96_qdq_int8.onnx", "ort", nullptr},
    {"tract/qlstm_3-2-3_T3_S1/model.onnx", "ort", nullptr},
    {"tract/qrelu_1/model.onnx", "ort", nullptr},
    {"tract/qsigmoid_1/model.onnx", "ort", nullptr},
    {"tract/qtanh_1/model.onnx", "ort", nullptr},
    {"tract/qtdnn_10x5_101_i32_biases/model.onnx", "ort", nullptr},
    {"deeploy/Transformer_DeepQuant/network.onnx", "ort", nullptr},
};

std::string short_name(const Case& c) {
  std::string name =
      std::string(c.path).substr(std::string(c.path).find('/') + 1) + "_" + c.arithmetic;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
}

class GeneratedModels : public testing::TestWithParam<Case> {};

TEST_P(GeneratedModels, equal_the_reference_in_every_tensor_with_dead_bytes_poisoned) {
  LOCKSTEP_NEEDS_SHARED();
  const Case& c = GetParam();
  const test::TemporaryFolder folder;
  const auto made = test::generate_into(test::shared_folder() + "/models/" + c.path, c.arithmetic,
                                        folder / "net");
  if (c.missing) {
    ASSERT_FALSE(made.ok()) << "has C now: say so in the table";
    EXPECT_NE((made.error().what + made.error().hint).find(c.missing), std::string::npos)
        << made.error().line();
    GTEST_SKIP() << "no C for " << c.missing;
  }
  ASSERT_TRUE(made.ok()) << made.error().line();
  EXPECT_EQ(overlap_of(made->generated.plan), "");
  EXPECT_LE(static_cast<double>(made->generated.plan.total),
            c.plan * static_cast<double>(made->generated.plan.largest_live));
  const test::Compared compared =
      test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 2);
  EXPECT_EQ(compared.different, 0) << "first: " << compared.first;
  RecordProperty("tensors", compared.tensors);
}

// The small networks of this tree, in every arithmetic that takes their format.
class GeneratedNetworks
    : public testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(GeneratedNetworks, equal_the_reference_in_every_tensor_with_dead_bytes_poisoned) {
  const auto [network, variant, arithmetic] = GetParam();
  const std::string path = test::source_folder() + "/tests/oracle/networks/" + network + "-" +
                           variant + ".tflite";
  const test::TemporaryFolder folder;
  const auto made = test::generate_into(path, arithmetic, folder / "net");
  ASSERT_TRUE(made.ok()) << made.error().line();
  EXPECT_EQ(overlap_of(made->generated.plan), "");
  const test::Compared compared =
      test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 2);
  EXPECT_EQ(compared.different, 0) << "first: " << compared.first;
}

std::string network_name(
    const testing::TestParamInfo<std::tuple<const char*, const char*, const char*>>& one) {
  std::string name = std::string(std::get<0>(one.param)) + "_" + std::get<1>(one.param) + "_" +
                     std::get<2>(one.param);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Oracle, GeneratedNetworks,
    testing::Combine(testing::Values("attention", "embedding", "mixed", "mobile", "unet", "yolo"),
                     testing::Values("int8", "float_io"),
                     testing::Values("tflite-ref", "cmsis-nn", "tflite")),
    network_name);

// The converter gives these two alone with 16-bit activations.
INSTANTIATE_TEST_SUITE_P(Wide, GeneratedNetworks,
                         testing::Combine(testing::Values("unet", "yolo"), testing::Values("int16"),
                                          testing::Values("tflite-ref", "cmsis-nn", "tflite")),
                         network_name);

INSTANTIATE_TEST_SUITE_P(Shared, GeneratedModels, testing::ValuesIn(cases),
                         [](const auto& one) { return short_name(one.param); });

}  // namespace
}  // namespace lockstep
