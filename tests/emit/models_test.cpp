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
  double plan = 1.02;  // activations over the largest live set
};

constexpr Case cases[] = {
    {"mlperf/kws_ref_model_int8.tflite", "tflite-ref"},
    {"mlperf/resnet8_int8.tflite", "tflite-ref"},
    {"mlperf/resnet_large_int8.tflite", "tflite-ref"},
    {"mlperf/vww_96_int8.tflite", "tflite-ref"},
    {"mlperf/ad01_int8.tflite", "tflite-ref"},
    {"mlperf/str_ww_ref_model_int8.tflite", "tflite-ref"},
    {"birdnet/birdnet_stm32n6_100_int8.tflite", "tflite-ref"},
    {"coral/mobilenet_v1_0.25_128_quant.tflite", "tflite-ref"},
    {"coral/split_concat.tflite", "tflite-ref"},
    {"st/blazeface_front_128_int8.tflite", "tflite-ref"},
    {"st/mobilenet_v1_0.25_96_tfs_int8.tflite", "tflite-ref"},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", "tflite-ref"},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", "tflite-ref"},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", "tflite-ref"},
    {"st_zoo/yamnet_256_64x96_int8.tflite", "tflite-ref"},
    {"tflm/hello_world_int8.tflite", "tflite-ref"},
    {"tflm/keyword_scrambled_8bit.tflite", "tflite-ref"},
    {"tflm/micro_speech_quantized.tflite", "tflite-ref"},
    {"tflm/person_detect.tflite", "tflite-ref"},
    {"tflm/simple_add_model.tflite", "tflite-ref"},
    {"timeseries/predmaint_cnn_int8_io.tflite", "tflite-ref"},
    {"timeseries/tinyhar_cnn_attention_int8.tflite", "tflite-ref"},
    {"timeseries/tinyhar_cnn_deep_int8.tflite", "tflite-ref"},
    {"timeseries/tinyhar_depthwise_cnn_int8.tflite", "tflite-ref"},
    {"timeseries/robotarm_lstm_v1.tflite", "tflite-ref"},
    {"tflsupport/dilated_conv.tflite", "tflite-ref"},
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn"},
    {"mlperf/resnet8_int8.tflite", "cmsis-nn"},
    {"mlperf/vww_96_int8.tflite", "cmsis-nn"},
    {"mlperf/ad01_int8.tflite", "cmsis-nn"},
    {"mlperf/resnet_large_int8.tflite", "cmsis-nn"},
    {"mlperf/str_ww_ref_model_int8.tflite", "cmsis-nn"},
    {"birdnet/birdnet_stm32n6_100_int8.tflite", "cmsis-nn"},
    {"coral/split_concat.tflite", "cmsis-nn"},
    {"st/blazeface_front_128_int8.tflite", "cmsis-nn"},
    {"st/mobilenet_v1_0.25_96_tfs_int8.tflite", "cmsis-nn"},
    {"st_zoo/miniresnet_1stacks_64x50_int8.tflite", "cmsis-nn"},
    {"st_zoo/mobility_gmp_wl_24_int8.tflite", "cmsis-nn"},
    {"st_zoo/mobility_ign_wl_24_int8.tflite", "cmsis-nn"},
    {"st_zoo/yamnet_256_64x96_int8.tflite", "cmsis-nn"},
    {"tflm/hello_world_int8.tflite", "cmsis-nn"},
    {"tflm/micro_speech_quantized.tflite", "cmsis-nn"},
    {"tflm/person_detect.tflite", "cmsis-nn"},
    {"tflm/keyword_scrambled_8bit.tflite", "cmsis-nn"},
    {"tflm/simple_add_model.tflite", "cmsis-nn"},
    {"timeseries/predmaint_cnn_int8_io.tflite", "cmsis-nn"},
    {"timeseries/tinyhar_cnn_deep_int8.tflite", "cmsis-nn"},
    {"timeseries/tinyhar_depthwise_cnn_int8.tflite", "cmsis-nn"},
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn-single"},
    {"face/mobilefacenet_int8_faces.onnx", "ort"},
    {"st/face_landmarks_v1_192_qdq_int8.onnx", "ort"},
    {"st/stft_tcnn_medium_257x40_qdq_int8.onnx", "ort"},
    {"st/yamnet_1024_64x96_qdq_int8.onnx", "ort"},
    {"tract/qlstm_3-2-3_T3_S1/model.onnx", "ort"},
    {"tract/qrelu_1/model.onnx", "ort"},
    {"tract/qsigmoid_1/model.onnx", "ort"},
    {"tract/qtanh_1/model.onnx", "ort"},
    {"tract/qtdnn_10x5_101_i32_biases/model.onnx", "ort"},
    {"deeploy/Transformer_DeepQuant/network.onnx", "ort"},
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
  const std::string path =
      test::source_folder() + "/tests/oracle/networks/" + network + "-" + variant + ".tflite";
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

INSTANTIATE_TEST_SUITE_P(Oracle, GeneratedNetworks,
                         testing::Combine(testing::Values("attention", "embedding", "mixed",
                                                          "mobile", "unet", "yolo"),
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
