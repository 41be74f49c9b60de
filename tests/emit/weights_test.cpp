// Constants apart from the C: the same tensors, and a check that tells what stands in their place.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/folders.h"
#include "support/generated_network.h"
#include "support/programs.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

std::string network() {
  return test::source_folder() + "/tests/oracle/networks/mobile-int8.tflite";
}

TEST(WeightsBlob, yields_the_tensors_of_the_arrays) {
  const test::TemporaryFolder folder;
  GenerateOptions options;
  options.weights_apart = true;
  const auto made = test::generate_into(network(), "tflite-ref", folder / "net", options);
  ASSERT_TRUE(made.ok()) << made.error().line();
  const test::Compared compared =
      test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 2);
  EXPECT_EQ(compared.different, 0) << "first: " << compared.first;
}

// Ends with what network_check_weights says of the blob in the folder, in either way to it.
int checked(const std::string& folder, const std::string& extra) {
  const std::string program = folder + "/check.c";
  EXPECT_TRUE(write_file(program, "#include \"network.h\"\n" + extra +
                                      "int main(void) { return 10 + network_check_weights(); }\n")
                  .ok());
  const std::string command = "cd '" + folder +
                              "' && cc -std=gnu99 -Wall -Wextra -Wconversion -Werror -O1 check.c "
                              "network_weights.c -o check && ./check";
  return WEXITSTATUS(std::system(command.c_str()));
}

TEST(WeightsBlob, is_told_from_another_one_and_from_none) {
  const test::TemporaryFolder folder;
  GenerateOptions options;
  options.weights_apart = true;
  const auto made = test::generate_into(network(), "tflite-ref", folder / "net", options);
  ASSERT_TRUE(made.ok()) << made.error().line();
  const std::string net = folder / "net", file = net + "/network_weights.bin";
  const std::string in =
      "__asm__(\".section .rodata\\n.balign 16\\n.global network_blob\\n"
      "network_blob:\\n.incbin \\\"network_weights.bin\\\"\\n.text\\n\");\n";
  EXPECT_EQ(checked(net, in), 10);
  const auto whole = read_file(file);
  ASSERT_TRUE(whole.ok());
  const auto changed = [&](std::size_t at) {
    Bytes bytes = *whole;
    bytes[at] ^= std::byte{1};
    EXPECT_TRUE(write_file(file, bytes).ok());
    return checked(net, in);
  };
  EXPECT_EQ(changed(0), 11) << "no blob";
  EXPECT_EQ(changed(20), 12) << "of another model";
  EXPECT_EQ(changed(whole->size() - 20), 13) << "other bytes";
}

}  // namespace
}  // namespace lockstep
