#include <cstring>
#include <limits>

#include "base/npy.h"
#include "base/random.h"
#include "support/command.h"
#include "support/folders.h"

namespace lockstep {
namespace {

const std::string model = "examples/s1/tcn_int8.onnx";
const std::string golden = "examples/s1/golden.npz";

std::string bytes_of(const std::string& path) {
  return test::text_of(test::source_folder() + "/" + path);
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_array(const std::string& path, const std::string& name, DType dtype,
                 std::vector<std::int64_t> shape, float first = 0.5f) {
  NpyArray array{dtype, shape, {}};
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  array.bytes.resize(static_cast<std::size_t>(count) * size_of(dtype));
  if (dtype == DType::f32 && count > 0) std::memcpy(array.bytes.data(), &first, sizeof first);
  ASSERT_TRUE(write_npz(path, {{name, array}}).ok());
}

TEST(BadInput, a_truncated_model_is_refused) {
  const test::Folder folder;
  const std::string whole = bytes_of(model);
  for (const std::size_t part : {0, 1, 7, 50, 99}) {
    write(folder / "m.onnx", whole.substr(0, whole.size() * part / 100));
    test::expect_refused(test::run_tool("run " + folder / "m.onnx" + " --input " + golden + " -o " +
                                        folder / "o.npz"),
                         "m.onnx");
    EXPECT_EQ(folder.files(), 1u);
  }
}

TEST(BadInput, a_model_with_a_flipped_bit_runs_or_is_refused_and_never_crashes) {
  const test::Folder folder;
  const std::string whole = bytes_of(model);
  Random random(11);
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    std::string broken = whole;
    // Half of the flips hit the first 4000 bytes: structure rather than weights.
    const auto most = static_cast<std::int64_t>(i % 2 ? broken.size() : 4000) - 1;
    broken[static_cast<std::size_t>(random.between(0, most))] ^=
        static_cast<char>(1 << random.between(0, 7));
    write(folder / "m.onnx", broken);
    const test::Ran ran =
        test::run_tool("run " + folder / "m.onnx" + " --samples 1 -o " + folder / "o.npz");
    ASSERT_TRUE(ran.code == 0 || ran.code == 2)
        << "flip " << i << " ended with " << ran.code << ": " << ran.err;
    refused += ran.code == 2;
    if (ran.code == 2) {
      test::expect_refused(ran, "m.onnx");
      EXPECT_EQ(folder.files(), 1u);
    }
    std::filesystem::remove(folder / "o.npz");
  }
  EXPECT_GT(refused, 0);
}

TEST(BadInput, a_truncated_or_flipped_npz_is_refused_or_read_and_never_crashes) {
  const test::Folder folder;
  const std::string whole = bytes_of(golden);
  Random random(12);
  for (int i = 0; i < 40; ++i) {
    std::string broken = whole;
    if (i % 2)
      broken.resize(
          static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(whole.size()) - 1)));
    else
      broken[static_cast<std::size_t>(
          random.between(0, static_cast<std::int64_t>(whole.size()) - 1))] ^= 0x10;
    write(folder / "x.npz", broken);
    const test::Ran ran =
        test::run_tool("run " + model + " --input " + folder / "x.npz" + " -o " + folder / "o.npz");
    ASSERT_TRUE(ran.code == 2 || (ran.code == 0 && i % 2 == 0))
        << "case " << i << " ended with " << ran.code << ": " << ran.err;
    if (ran.code == 2) {
      test::expect_refused(ran, "x.npz");
      EXPECT_EQ(folder.files(), 1u);
    }
    std::filesystem::remove(folder / "o.npz");
  }
}

TEST(BadInput, wrong_shape_wrong_type_and_nan_are_refused) {
  const test::Folder folder;
  const std::string run =
      "run " + model + " -o " + folder / "o.npz" + " --input " + folder / "x.npz";
  write_array(folder / "x.npz", "window", DType::f32, {1, 8, 1, 47});
  test::expect_refused(test::run_tool(run), "x.npz");
  write_array(folder / "x.npz", "window", DType::i64, {1, 8, 1, 48});
  test::expect_refused(test::run_tool(run), "x.npz");
  write_array(folder / "x.npz", "window", DType::f32, {1, 8, 1, 48},
              std::numeric_limits<float>::quiet_NaN());
  test::expect_refused(test::run_tool(run), "NaN");
  write_array(folder / "x.npz", "window", DType::f32, {1, 8, 1, 48},
              std::numeric_limits<float>::infinity());
  test::expect_refused(test::run_tool(run), "infinity");
  write_array(folder / "x.npz", "window", DType::f32, {0, 8, 1, 48});
  test::expect_refused(test::run_tool(run), "x.npz");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(BadInput, unknown_names_get_the_nearest_one) {
  const test::Folder folder;
  const std::string inject =
      "inject " + model + " --input " + golden + " -o " + folder / "o.npz --fault ";
  test::expect_refused(test::run_tool(inject + "operand-rescal@/block2/add"),
                       "did you mean 'operand-rescale'?");
  test::expect_refused(test::run_tool(inject + "operand-rescale@/block2/ad"),
                       "did you mean '/block");
  const std::string sim = "validate " + model + " --input " + golden + " --target sim:";
  test::expect_refused(test::run_tool(sim + "operand-rescal@/block2/add"),
                       "did you mean 'operand-rescale'?");
  test::expect_refused(test::run_tool(sim + "operand-rescale@/block2/ad"), "did you mean '/block");
  test::expect_refused(test::run_tool(inject + "operand-rescale@/block2/add,kk=1"), "kk");
  test::expect_refused(test::run_tool(inject + "operand-rescale@/block2/add,k=high"), "high");
  test::expect_refused(test::run_tool(inject + "operand-rescale@/head/fc1"), "could not show here");
  test::expect_refused(test::run_tool("run " + model + " --tensor ppn -o " + folder / "o.npz"),
                       "did you mean 'ppm'?");
  test::expect_refused(test::run_tool("run " + model + " --arith orrt -o " + folder / "o.npz"),
                       "did you mean 'ort'?");
  test::expect_refused(test::run_tool("validate " + model + " --target oort"), "no such target");
  test::expect_refused(test::run_tool("validate " + model + " --target ort --tolerance lsb:x"),
                       "lsb:N");
  test::expect_refused(test::run_tool("validdate " + model), "did you mean 'validate'?");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(BadInput, misspelt_commands_and_options_get_the_nearest_one) {
  const auto refused = [](const std::string& words, const std::string& said) {
    test::expect_refused(test::run_tool(words), said);
  };
  refused("validate " + model + " --targt ort", "did you mean '--target'?");
  refused("validate " + model + " --target ort --smaples 3", "did you mean '--samples'?");
  refused("validate " + model + " --smaples=3 --target ort", "no option '--smaples'");
  refused("validate --json r.json", "MODEL is required");
  refused("npu fitt x", "did you mean 'fit'?");
  refused("npu", "one of compare");
  refused("", "no command given");
  refused("help", "lockstep --help");
  refused("--threads 2 validdate", "did you mean 'validate'?");
  refused("validate " + model + " --target ort --samples many", "--samples");
}

// `run --tensor NODE` said that there is no such tensor, with no way on.
TEST(BadInput, a_node_stands_for_what_it_makes) {
  const test::Folder folder;
  const auto ran = test::run_tool("run " + model + " --tensor /head/fc1 -o " + folder / "o.npz");
  EXPECT_EQ(ran.code, 0) << ran.err;
  test::expect_refused(test::run_tool("run " + model + " --tensor head/fc3 -o " + folder / "o.npz"),
                       "did you mean '/head/fc");
}

TEST(BadInput, captures_of_another_model_are_refused) {
  const test::Folder folder;
  write_array(folder / "c.npz", "somebody_elses_output", DType::f32, {3, 17});
  test::expect_refused(test::run_tool("validate " + model + " --target " + folder / "c.npz" +
                                      " --json " + folder / "r.json"),
                       "c.npz");
  write_array(folder / "c.npz", "ppm", DType::f32, {3, 17});
  test::expect_refused(test::run_tool("validate " + model + " --target " + folder / "c.npz" +
                                      " --json " + folder / "r.json"),
                       "ppm");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(BadInput, a_claimed_gigabyte_in_a_small_file_is_refused) {
  const test::Folder folder;
  std::string npy("\x93NUMPY\x01\x00", 8);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (16384, 16384), }";
  header.resize(118, ' ');
  header += '\n';
  npy += static_cast<char>(header.size());
  npy += '\0';
  write(folder / "x.npy", npy + header + "1234");
  test::expect_refused(
      test::run_tool("run " + model + " --input " + folder / "x.npy" + " -o " + folder / "o.npz"),
      "x.npy");
}

TEST(BadInput, absent_files_and_unwritable_places_are_refused) {
  const test::Folder folder;
  test::expect_refused(test::run_tool("inspect absent.onnx"), "absent.onnx");
  test::expect_refused(
      test::run_tool("run " + model + " --input absent.npz -o " + folder / "o.npz"), "absent.npz");
  const test::Ran ran =
      test::run_tool("run " + model + " --samples 1 -o " + folder / "no/such/o.npz");
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(folder.files(), 0u);
}

// The place of the report was tried when all was diagnosed, and the work was lost.
TEST(BadInput, an_unwritable_report_is_refused_before_the_work) {
  const test::Folder folder;
  for (const std::string& place : {folder / "no/such/r.json", std::string(".")}) {
    const test::Ran ran =
        test::run_tool("validate " + model +
                       " --target sim:operand-rescale@/block2/add --samples 1 --json " + place);
    test::expect_refused(ran, "cannot be written");
    EXPECT_EQ(ran.out, "");
  }
}

}  // namespace
}  // namespace lockstep
