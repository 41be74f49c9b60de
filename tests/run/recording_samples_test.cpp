#include "run/recording_samples.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/npy.h"
#include "support/nets.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

constexpr std::int64_t elements = 4 * 6 * 6;

Recording recorded(const std::vector<std::string>& names, std::int64_t count = elements) {
  Recording r;
  r.source = "c.npz";
  for (std::size_t i = 0; i < names.size(); ++i) {
    Tensor t(DType::f32, {count});
    t.set_number(0, static_cast<double>(i));
    r.arrays.push_back({names[i], std::move(t), {}, {}, -1});
  }
  return r;
}

Result<Capture> capture(const std::vector<std::string>& names) {
  return capture_from(recorded(names), test::relu_chain(), 0);
}

TEST(SampleNames, before_behind_and_around_the_tensors_name) {
  const std::vector<std::string> forms[] = {{"sample_0/t1", "sample_1/t1"},
                                            {"t1_0", "t1_1"},
                                            {"1/t1", "2/t1"},
                                            {"t1_sample1", "t1_sample2"},
                                            {"Frame 7 t1", "Frame 9 t1"}};
  for (const auto& names : forms) {
    const auto c = capture(names);
    ASSERT_TRUE(c.ok()) << names[0] << ": " << c.error().line();
    ASSERT_EQ(c->samples.size(), 2u) << names[0];
    EXPECT_EQ(c->samples[1].at("t1").number(0), 1) << names[0];
  }
}

TEST(SampleNames, stand_in_numeric_order) {
  std::vector<std::string> names;
  for (const int i : {10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9}) names.push_back("y_" + std::to_string(i));
  const auto c = capture(names);
  ASSERT_TRUE(c.ok()) << c.error().line();
  ASSERT_EQ(c->samples.size(), 11u);
  EXPECT_EQ(c->samples[10].at("y").number(0), 0);
  EXPECT_EQ(c->samples[2].at("y").number(0), 1);
}

TEST(SampleNames, a_firmwares_own_name_with_a_number_is_the_only_output) {
  const auto c = capture({"out_0", "out_1", "out_2"});
  ASSERT_TRUE(c.ok()) << c.error().line();
  EXPECT_EQ(c->samples.size(), 3u);
}

// t1, t2 and t3 are tensors, not samples of t; a tensor with fewer samples than another leaves all
// names alone.
TEST(SampleNames, numbers_of_the_models_own_names_are_no_samples) {
  EXPECT_EQ(with_samples_named(recorded({"t1", "t2", "y"}), test::relu_chain(4)).samples, 0);
  EXPECT_EQ(with_samples_named(recorded({"t1_0", "t1_1", "y_0"}), test::relu_chain()).samples, 0);
  EXPECT_EQ(with_samples_named(recorded({"t1_0", "other"}), test::relu_chain()).samples, 0);
  EXPECT_EQ(
      with_samples_named(recorded({"t1_0", "t1_1"}, elements * 2), test::relu_chain()).samples, 0);
}

// A folder of dumps often holds the notes or the source that made them.
TEST(SampleFiles, text_beside_arrays_is_left_out_and_text_without_numbers_too) {
  const test::TemporaryFolder scratch;
  ASSERT_TRUE(write_file(scratch / "table.c", "const int t[2] = {1, 2};").ok());
  ASSERT_TRUE(write_file(scratch / "out.txt", "1 2 3\n").ok());
  ASSERT_TRUE(write_file(scratch / "read.txt", "how it was made\n").ok());
  const auto text = read_recording(scratch / ".");
  ASSERT_TRUE(text.ok()) << text.error().line();
  EXPECT_EQ(text->arrays.size(), 2u);
  ASSERT_TRUE(write_file(scratch / "a.csv", "1,2\n").ok());
  const auto beside = read_recording(scratch / ".");
  ASSERT_TRUE(beside.ok()) << beside.error().line();
  EXPECT_EQ(beside->arrays.size(), 1u);
  EXPECT_NE(beside->notes.back().find("3 files of other kinds"), std::string::npos)
      << beside->notes.back();
}

TEST(SampleFiles, numbered_npz_files_of_the_same_names_are_samples) {
  const test::TemporaryFolder scratch;
  for (const int i : {0, 1, 10, 2}) {
    NpyArray a{DType::i8, {2}, Bytes(2, static_cast<std::byte>(i))};
    ASSERT_TRUE(
        write_npz(scratch / ("sample_" + std::to_string(i) + ".npz"), {{"a", a}, {"b", a}}).ok());
  }
  const auto r = read_recording(scratch / ".");
  ASSERT_TRUE(r.ok()) << r.error().line();
  EXPECT_EQ(r->samples, 4);
  ASSERT_EQ(r->arrays.size(), 8u);
  EXPECT_EQ(r->arrays[6].sample, 3);
  EXPECT_EQ(r->arrays[6].tensor.code(0), 10);
}

}  // namespace
}  // namespace lockstep
