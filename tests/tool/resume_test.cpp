// A validation that breaks off on the command line, and the command it prints to go on.
#include <gtest/gtest.h>

#include <memory>
#include <regex>

#include "base/copy_bytes.h"
#include "import/import.h"
#include "link/elf_bytes.h"
#include "link/emulator.h"
#include "link/gdb_server.h"
#include "link/recorded_network.h"
#include "run/generated.h"
#include "support/command.h"

namespace lockstep::test {
namespace {

constexpr int samples = 5;

std::string example() {
  return source_folder() + "/examples/s1/tcn_int8.onnx";
}

// The example network and its answers to the random inputs of one seed.
struct Example {
  Graph graph = std::move(import_model(example())).value();
  Executor reference = std::move(Executor::make(graph, *find_arithmetic("ort"))).value();

  std::vector<Sample> inputs(unsigned seed) const { return generated_inputs(graph, samples, seed); }
};

// In a folder of its own: what is kept lies where the command ran.
Ran validate_in(const Folder& folder, const std::string& target, unsigned seed,
                const std::string& more = "") {
  return run_tool("validate " + example() + " --target " + target + " --samples " +
                      std::to_string(samples) + " --seed " + std::to_string(seed) + more,
                  folder / ".");
}

// How many samples were kept, by the sentence that names the command; 0 where nothing was.
int kept_by(const Ran& ran) {
  std::smatch m;
  const std::regex said(
      "(\\d) of 5 samples kept in tcn_int8.partial.npz: go on with --resume "
      "tcn_int8.partial.npz");
  return std::regex_search(ran.err, m, said) ? std::stoi(m.str(1)) : 0;
}

void expect_goes_on(const Folder& folder, const std::string& target, unsigned seed, int kept) {
  const std::string resume = " --resume tcn_int8.partial.npz";
  const Ran other = validate_in(folder, target, seed + 1, resume);
  EXPECT_EQ(other.code, 2) << other.out << other.err;
  const Ran ran = validate_in(folder, target, seed, resume);
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find(std::to_string(kept) + " of 5 samples taken from tcn_int8.partial.npz"),
            std::string::npos)
      << ran.out;
}

TEST(Resume, a_board_that_goes_away_is_exit_code_3_and_its_samples_are_not_run_again) {
  const Example e;
  for (const unsigned seed : {7u, 31u, 1234u}) {
    const Folder folder;
    const std::string board = "--stock --network '" +
                              write_network(folder / "network.json", e.reference, e.inputs(seed)) +
                              "'";
    const int alive = 1 + static_cast<int>(seed % 4);
    {
      Emulator dies(board + " --die-after " + std::to_string(alive));
      const Ran broken = validate_in(folder, dies.uri(), seed);
      EXPECT_EQ(broken.code, 3) << broken.out << broken.err;
      EXPECT_EQ(kept_by(broken), alive) << broken.err;
    }
    Emulator again(board);
    expect_goes_on(folder, again.uri(), seed, alive);
  }
}

// Firmware known by its symbols alone: an input, an output, and a function that runs the network.
class Firmware {
 public:
  static constexpr std::uint32_t in = 0x31000000, out = 0x31001000;

  Firmware(const Example& e, const Folder& folder) : e_(e), elf_(folder / "firmware.elf") {
    const auto bytes = static_cast<std::uint32_t>(4 * count_of(input().shape));
    EXPECT_TRUE(write_file(elf_, elf_with({{"in_buffer", in, bytes, false},
                                           {"out_buffer", out, 4, false},
                                           {"infer", GdbServer::run, 4, true}}))
                    .ok());
  }

  std::unique_ptr<GdbServer> serve(GdbFaults faults = {}) const {
    return std::make_unique<GdbServer>(
        1, [this](GdbServer& machine, int) { run(machine); }, std::move(faults));
  }
  std::string uri(const GdbServer& server) const {
    return "gdb:" + server.address() + ",elf=" + elf_ +
           ",patience=2,run=infer,input=in_buffer,output=out_buffer";
  }

 private:
  const Value& input() const { return e_.graph.value(e_.graph.inputs()[0]); }
  void run(GdbServer& machine) const {
    Tensor x(DType::f32, input().shape);
    std::vector<std::byte> bytes;
    for (std::uint32_t i = 0; i < x.bytes().size(); ++i)
      bytes.push_back(static_cast<std::byte>(machine.at(in + i)));
    copy_bytes(bytes, x.bytes().data());
    const std::string y = e_.graph.value(e_.graph.outputs()[0]).name;
    const auto made =
        e_.reference.run(std::vector<Sample>{{{input().name, x}}}, std::vector<std::string>{y});
    if (!made.ok()) return;
    const auto answer = made->samples[0].at(y).bytes();
    for (std::uint32_t i = 0; i < answer.size(); ++i)
      machine.at(out + i) = std::to_integer<std::uint8_t>(answer[i]);
  }

  const Example& e_;
  std::string elf_;
};

TEST(Resume, a_debugger_that_goes_away_is_exit_code_3_and_its_samples_are_not_run_again) {
  const Example e;
  for (const unsigned seed : {7u, 31u}) {
    const Folder folder;
    const Firmware firmware(e, folder);
    int kept = 0;
    for (int packets = 20; kept == 0 && packets < 400; packets += 15) {
      const auto dies = firmware.serve({.close_after = packets});
      const Ran broken = validate_in(folder, firmware.uri(*dies), seed);
      EXPECT_EQ(broken.code, 3) << packets << broken.out << broken.err;
      if (broken.code != 3) return;
      kept = kept_by(broken);
    }
    ASSERT_GT(kept, 0);
    const auto again = firmware.serve();
    expect_goes_on(folder, firmware.uri(*again), seed, kept);
  }
}

}  // namespace
}  // namespace lockstep::test
