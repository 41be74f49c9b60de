// The demo model's captures in every form that a user may bring give the same paired tensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "diff/inputs.h"
#include "diff/pair.h"
#include "import/import.h"
#include "run/recording.h"
#include "support/folders.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

const std::string example = test::source_folder() + "/examples/s1/";

// [S, a, b, c, ...] of channels-first samples as channel-last, and all samples of a name in one
// array.
Tensor channel_last(const Tensor& x) {
  const Shape& s = x.shape();
  if (s.size() != 4) return x;
  Tensor y(x.dtype(), {s[0], s[2], s[3], s[1]});
  std::int64_t to = 0;
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t hw = 0; hw < s[2] * s[3]; ++hw)
      for (std::int64_t c = 0; c < s[1]; ++c)
        y.set_code(to++, x.code((n * s[1] + c) * s[2] * s[3] + hw));
  return y;
}

Tensor stacked(const Capture& capture, const std::string& name) {
  const Tensor& first = capture.samples[0].at(name);
  Shape shape = first.shape();
  shape[0] *= static_cast<std::int64_t>(capture.samples.size());
  Tensor all(first.dtype(), shape);
  auto to = all.bytes().begin();
  for (const Sample& sample : capture.samples)
    to = std::ranges::copy(sample.at(name).bytes(), to).out;
  return all;
}

class Forms : public testing::Test {
 protected:
  void SetUp() override {
    folder = (fs::path(testing::TempDir()) / "lockstep_forms").string();
    fs::remove_all(folder);
    fs::create_directories(folder);
    auto imported = import_model(example + "tcn_int8.onnx");
    ASSERT_TRUE(imported.ok()) << imported.error().line();
    model = std::move(*imported);
    auto made = Executor::make(model, *find_arithmetic("ort"));
    ASSERT_TRUE(made.ok()) << made.error().line();
    executor = std::make_unique<Executor>(std::move(*made));
    std::vector<std::string> notes;
    auto inputs = read_inputs(example + "golden.npz", model, notes);
    ASSERT_TRUE(inputs.ok()) << inputs.error().line();
    inputs->resize(3);
    sent = std::move(*inputs);
    truth = std::move(executor->run(sent)).value();
    for (const std::string& name : truth.order)
      if (const TensorInfo& info = truth.infos.at(name);
          info.dtype == DType::i8 && info.shape[0] == 1)
        codes.push_back(name);
    ASSERT_GT(codes.size(), 20u);
  }

  // Reads `path` and expects every named tensor as the reference has it.
  void expect_same(const std::string& path, const std::vector<std::string>& names) {
    const auto recording = read_recording(path);
    ASSERT_TRUE(recording.ok()) << recording.error().line();
    const auto capture = capture_from(*recording, model, 3);
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    const auto pairing = pair_tensors(executor->graph(), *capture);
    ASSERT_TRUE(pairing.ok()) << pairing.error().line();
    ASSERT_EQ(pairing->samples.size(), 3u);
    for (std::size_t s = 0; s < 3; ++s)
      for (const std::string& name : names) {
        const auto it = pairing->samples[s].find(name);
        ASSERT_NE(it, pairing->samples[s].end()) << name;
        EXPECT_EQ(it->second, truth.samples[s].at(name)) << name << " of sample " << s;
      }
  }

  std::string codes_of(const std::string& what) const {
    for (const std::string& name : codes)
      if (name.starts_with(what)) return name;
    return "";
  }

  std::string folder;
  Graph model;
  std::unique_ptr<Executor> executor;
  std::vector<Sample> sent;
  Capture truth;
  std::vector<std::string> codes;
};

TEST_F(Forms, our_own_npz) {
  ASSERT_TRUE(write_capture(folder + "/own.npz", truth).ok());
  expect_same(folder + "/own.npz", codes);
}

TEST_F(Forms, st_val_io_with_codes_channel_last_and_padded_rank) {
  const std::string in = codes_of("window"), out = codes_of("ppm");
  ASSERT_FALSE(in.empty() || out.empty());
  ASSERT_TRUE(write_npz(folder + "/st_val_io.npz",
                        {{"c_inputs_1", array_of(channel_last(stacked(truth, in)))},
                         {"c_outputs_1", array_of(stacked(truth, out).reshaped({3, 1, 1, 1}))}})
                  .ok());
  expect_same(folder + "/st_val_io.npz", {in, out});
  std::vector<std::string> notes;
  const auto inputs = read_inputs(folder + "/st_val_io.npz", model, notes);
  ASSERT_TRUE(inputs.ok()) << inputs.error().line();
  const std::vector<std::string> wanted = {out};
  const auto again = executor->run(*inputs, wanted);
  ASSERT_TRUE(again.ok());
  for (std::size_t s = 0; s < 3; ++s)
    EXPECT_EQ(again->samples[s].at(out), truth.samples[s].at(out));
}

TEST_F(Forms, a_folder_of_channel_last_npy_with_spoilt_names) {
  for (const std::string& name : codes) {
    std::string file = name.substr(0, name.find("_QuantizeLinear_Output"));
    std::ranges::replace(file, '/', '_');
    const Bytes bytes = format_npy(array_of(channel_last(stacked(truth, name))));
    ASSERT_TRUE(write_file(folder + "/" + file + ".npy", bytes).ok());
  }
  expect_same(folder, codes);
}

TEST_F(Forms, a_folder_for_each_sample) {
  for (std::size_t s = 0; s < 3; ++s) {
    const std::string sample = folder + "/sample_" + std::to_string(s);
    fs::create_directory(sample);
    for (const std::string& name : codes) {
      std::string file;
      for (const char c : name) file += c == '/' ? "%2F" : std::string(1, c);
      ASSERT_TRUE(
          write_file(sample + "/" + file + ".npy", format_npy(array_of(truth.samples[s].at(name))))
              .ok());
    }
  }
  expect_same(folder, codes);
}

TEST_F(Forms, a_raw_dump_without_names_by_scale_shape_and_order) {
  std::ofstream raw(folder + "/dump.raw", std::ios::binary);
  std::ofstream json(folder + "/dump.json");
  json << R"({"samples": 3, "tensors": [)";
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const Tensor all = channel_last(stacked(truth, codes[i]));
    raw.write(reinterpret_cast<const char*>(all.bytes().data()), all.count());
    const QuantParams& q = truth.infos.at(codes[i]).quant;
    json.precision(17);
    json << (i ? "," : "") << R"({"name": "buffer_)" << i << R"(", "offset": )" << offset
         << R"(, "dtype": "int8", "shape": [3, )" << all.count() / 3
         << R"(], "layout": "NHWC", "scale": )" << q.scale[0] << R"(, "zero": )" << q.zero[0]
         << "}";
    offset += all.count();
  }
  json << "]}";
  raw.close();
  json.close();
  expect_same(folder + "/dump.raw", codes);
}

TEST_F(Forms, dequantized_floats) {
  NpzMembers members;
  for (const std::string& name : codes) {
    const Tensor all = stacked(truth, name);
    const QuantParams& q = truth.infos.at(name).quant;
    Tensor reals(DType::f32, all.shape());
    for (std::int64_t i = 0; i < all.count(); ++i)
      reals.set_number(
          i, static_cast<float>(q.scale[0]) * static_cast<float>(all.code(i) - q.zero[0]));
    members.emplace_back(name, array_of(reals));
  }
  ASSERT_TRUE(write_npz(folder + "/reals.npz", members).ok());
  expect_same(folder + "/reals.npz", codes);
}

}  // namespace
}  // namespace lockstep
