#include <gtest/gtest.h>

#include "run/recording.h"
#include "support/chains.h"

namespace lockstep {
namespace {

Graph two_relus() {
  const auto value = [](const char* name) { return test::real_value(name, {1, 4}); };
  return test::chain({value("x"), value("y"), value("z")}, {{"n0"}, {"n1"}});
}

Tensor counted(DType dtype, Shape shape) {
  Tensor t(dtype, std::move(shape));
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_number(i, static_cast<double>(i));
  return t;
}

Recording recording_of(std::vector<std::pair<std::string, Tensor>> arrays) {
  Recording r;
  r.source = "c.npz";
  for (auto& [name, t] : arrays) r.arrays.push_back({name, std::move(t), {}, {}, -1});
  return r;
}

TEST(CaptureFrom, st_files_with_padded_rank_and_other_types) {
  const auto capture =
      capture_from(recording_of({{"m_inputs_1", counted(DType::f32, {10, 4})},
                                 {"m_outputs_1", counted(DType::f32, {10, 4})},
                                 {"c_inputs_1", counted(DType::i8, {10, 1, 1, 4})},
                                 {"c_outputs_1", counted(DType::f64, {10, 1, 1, 4})}}),
                   two_relus());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  ASSERT_EQ(capture->samples.size(), 10u);
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  const Tensor& z = capture->samples[9].at("z");
  EXPECT_EQ(z.shape(), (Shape{1, 1, 1, 4}));
  EXPECT_EQ(z.dtype(), DType::f64);
  EXPECT_EQ(z.number(0), 36);
  EXPECT_EQ(capture->samples[0].at("x").dtype(), DType::f32);
  EXPECT_EQ(capture->notes.size(), 4u);
}

TEST(CaptureFrom, files_that_st_wrote_one_by_one) {
  const auto capture =
      capture_from(recording_of({{"network_val_c_outputs_1", counted(DType::f32, {3, 4})},
                                 {"network_val_c_inputs_1", counted(DType::f32, {3, 4})}}),
                   two_relus());
  ASSERT_TRUE(capture.ok());
  EXPECT_EQ(capture->samples.size(), 3u);
  EXPECT_EQ(capture->order, (std::vector<std::string>{"z", "x"}));
}

TEST(CaptureFrom, a_port_that_the_model_does_not_have_stays_and_is_said) {
  const auto capture = capture_from(recording_of({{"c_outputs_1", counted(DType::f32, {1, 4})},
                                                  {"c_outputs_2", counted(DType::f32, {1, 9})}}),
                                    two_relus());
  ASSERT_TRUE(capture.ok());
  EXPECT_EQ(capture->order[1], "c_outputs_2");
  EXPECT_NE(capture->notes[1].find("no output 2"), std::string::npos);
}

TEST(CaptureFrom, transposed_or_stacked_samples_are_cut_along_the_first_axis) {
  const auto capture = capture_from(
      recording_of({{"y", counted(DType::i8, {3, 4, 1})}, {"z", counted(DType::i8, {3, 1, 4})}}),
      two_relus());
  ASSERT_TRUE(capture.ok());
  EXPECT_EQ(capture->samples[2].at("y").shape(), (Shape{1, 4, 1}));
  EXPECT_EQ(capture->samples[2].at("y").code(0), 8);
}

TEST(CaptureFrom, arrays_that_disagree_about_samples_are_refused) {
  const auto r = capture_from(
      recording_of({{"y", counted(DType::i8, {3, 4})}, {"z", counted(DType::i8, {2, 4})}}),
      two_relus());
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().what.find("'z' holds 2 samples"), std::string::npos);
}

TEST(CaptureFrom, an_array_of_another_size_is_of_another_model) {
  const auto r =
      capture_from(recording_of({{"c_outputs_1", counted(DType::i8, {10, 3})}}), two_relus());
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().hint.find("another model"), std::string::npos);
}

TEST(CaptureFrom, unknown_names_are_cut_into_the_expected_number_of_samples) {
  const Recording r = recording_of({{"t0", counted(DType::i8, {6, 5})}});
  EXPECT_EQ(capture_from(r, two_relus(), 2)->samples.size(), 2u);
  EXPECT_EQ(capture_from(r, two_relus(), 4)->samples.size(), 1u);
}

TEST(CaptureFrom, a_name_that_stands_twice_is_refused) {
  const auto r = capture_from(
      recording_of({{"y", counted(DType::i8, {1, 4})}, {"_y", counted(DType::i8, {1, 4})}}),
      two_relus());
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().what.find("twice"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
