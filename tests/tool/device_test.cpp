#include <gtest/gtest.h>

#include <filesystem>

#include "import/import.h"
#include "link/emulator.h"
#include "link/recorded_network.h"
#include "run/generated.h"
#include "run/recording.h"
#include "support/command.h"

namespace lockstep::test {
namespace {

const char* const model = "examples/s1/tcn_int8.onnx";

// The example network on an emulated board that answers as the reference does to seeded random
// inputs.
std::string board_of_the_example(const Folder& folder, int samples) {
  const auto graph = import_model(source_folder() + "/" + model);
  const auto reference = Executor::make(*graph, *find_arithmetic("ort"));
  return "--stock --network '" +
         write_network(folder / "network.json", *reference, generated_inputs(*graph, samples, 42)) +
         "'";
}

TEST(ValidateDevice, says_what_a_stock_board_yields_and_judges_with_that) {
  Folder folder;
  Emulator board(board_of_the_example(folder, 4));
  const Ran ran = run_tool(std::string("validate ") + model + " --target " + board.uri() +
                           " --json " + (folder / "r.json"));
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("STM32N6, Neural-ART runtime, protocol 3.1"), std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("this firmware yields final outputs and times of every epoch"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(text_of(folder / "r.json").find("\"healthy\""), std::string::npos);
}

TEST(ValidateDevice, a_board_out_of_reach_is_exit_code_3_and_another_network_2) {
  const Ran gone = run_tool(std::string("validate ") + model + " --target tcp:127.0.0.1:1");
  EXPECT_EQ(gone.code, 3) << gone.err;
  EXPECT_EQ(gone.out, "");
  EXPECT_TRUE(gone.err.starts_with("lockstep: tcp:127.0.0.1:1: cannot be reached")) << gone.err;
  Emulator other("");
  expect_refused(run_tool(std::string("validate ") + model + " --target " + other.uri()),
                 "is not this model");
}

TEST(ValidateDevice, goes_on_from_what_was_kept) {
  Folder folder;
  Emulator board(board_of_the_example(folder, 4));
  const std::string kept = folder / "kept.npz";
  {  // as an interrupted validation keeps it: the first two samples
    const auto graph = import_model(source_folder() + "/" + model);
    const auto reference = Executor::make(*graph, *find_arithmetic("ort"));
    const auto inputs = generated_inputs(*graph, 2, 42);
    std::vector<std::string> names;
    for (const ValueId id : reference->graph().inputs())
      names.push_back(reference->graph().value(id).name);
    for (const ValueId id : reference->graph().outputs())
      names.push_back(reference->graph().value(id).name);
    ASSERT_TRUE(write_capture(kept, *reference->run(inputs, names)).ok());
  }
  const std::string command =
      std::string("validate ") + model + " --target " + board.uri() + " --resume " + kept;
  const Ran ran = run_tool(command);
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("2 of 4 samples taken from " + kept), std::string::npos) << ran.out;
  const Ran others = run_tool(command + " --seed 7");
  EXPECT_EQ(others.code, 2) << others.out << others.err;
  EXPECT_NE(others.err.find("was made from another"), std::string::npos) << others.err;
}

}  // namespace
}  // namespace lockstep::test
