#include "target/target_m55.h"

#include <cstring>
#include <sstream>

#include "base/files.h"

namespace lockstep {

namespace {

// The first line that says what is wrong.
std::string first_complaint(const std::string& errors) {
  std::istringstream lines(errors);
  std::string line, first;
  while (std::getline(lines, line)) {
    if (line.find("error:") != std::string::npos || line.find("overflowed") != std::string::npos)
      return line;
    if (first.empty()) first = line;
  }
  return first;
}

// Variables in the board's DDR instead of its SRAM.
Result<void> move_variables_to_ddr(const std::string& script) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(script));
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view end = "bss_end = .; } > SRAM";
  const std::size_t at = text.find(end);
  if (at == std::string::npos)
    return Error{script, "no variables in SRAM", "the harness's own script", ""};
  text.replace(at + end.size() - 4, 4, "DDR");
  return write_file(script, text);
}

}  // namespace

Result<void> build_firmware(const GeneratedNetwork& network, const ScratchFolder& folder,
                            const std::vector<std::string>& flags) {
  LOCKSTEP_CHECK(write_harness(folder));
  LOCKSTEP_TRY(const auto sources, linked_sources(network, folder));
  std::vector<std::string> arguments{"arm-none-eabi-gcc",
                                     "-mcpu=cortex-m55",
                                     "-mthumb",
                                     "-mfloat-abi=hard",
                                     "-std=gnu99",
                                     "-O3",
                                     "-ffp-contract=off",
                                     "-fno-math-errno",
                                     "-ffunction-sections",
                                     "-fdata-sections",
                                     "-nostartfiles",
                                     "-T",
                                     folder / "m55.ld",
                                     "-I" + network.folder,
                                     "-I" + folder.path(),
                                     "-DNETWORK_HEADER=\"" + network.name + ".h\"",
                                     "-DNETWORK_NAME=" + network.name,
                                     folder / "main.c",
                                     folder / "m55.c"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), sources.begin(), sources.end());
  arguments.insert(arguments.end(), {"-Wl,--gc-sections", "-lm", "-o", folder / "firmware.elf"});
  const auto compile = [&] {
    return run_process({.arguments = arguments,
                        .folder = "",
                        .input = "",
                        .output = "",
                        .seconds = compile_seconds});
  };
  LOCKSTEP_TRY(ProcessResult done, compile());
  if (done.code != 0 && done.errors.find("region `SRAM' overflowed") != std::string::npos) {
    LOCKSTEP_CHECK(move_variables_to_ddr(folder / "m55.ld"));
    LOCKSTEP_TRY(done, compile());
  }
  if (done.code == 0) return {};
  return Error{network.folder, "does not build for the Cortex-M55",
               "code and data that fit the board", first_complaint(done.errors), Blame::target};
}

Result<void> run_firmware(const ScratchFolder& folder, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"qemu-system-arm",
                                     "-M",
                                     "mps3-an547",
                                     "-display",
                                     "none",
                                     "-monitor",
                                     "none",
                                     "-serial",
                                     "null",
                                     "-semihosting-config",
                                     "enable=on,target=native",
                                     "-kernel",
                                     folder / "firmware.elf"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  LOCKSTEP_TRY(
      const ProcessResult done,
      run_process({.arguments = arguments, .folder = folder.path(), .input = "", .output = ""}));
  if (done.code == 0) return {};
  return Error{"qemu-system-arm", "ended with code " + std::to_string(done.code), "code 0",
               done.errors, Blame::target};
}

namespace {

// Marks as the plugin prints them: number, instructions, those of the vector unit.
struct Mark {
  int number;
  std::int64_t all, vector;
};

Result<std::vector<Mark>> read_marks(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  std::istringstream text(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::vector<Mark> marks;
  for (Mark m{}; text >> m.number >> m.all >> m.vector;) marks.push_back(m);
  return marks;
}

Result<InstructionCount> counted(const GeneratedNetwork& network, const std::vector<Mark>& marks,
                                 const std::string& out) {
  constexpr std::int64_t mark = 3;  // call, hint, return
  InstructionCount count;
  Mark begin{}, whole{};
  for (const Mark& m : marks) {
    if (m.number == 1) begin = m;
    if (m.number == 3) whole = m;
    if (m.number == 4)
      count.instructions = m.all - whole.all - mark, count.vector = m.vector - whole.vector;
    if (m.number != 2) continue;
    const std::size_t n = count.nodes.size();
    if (n >= network.node_names.size()) break;
    count.nodes.push_back({network.node_names[n], network.node_ops[n], m.all - begin.all - mark,
                           m.vector - begin.vector});
  }
  // The marks around the nodes are not the network's.
  count.instructions -= 2 * mark * static_cast<std::int64_t>(count.nodes.size());
  if (count.nodes.size() != network.node_names.size())
    return Error{network.folder, std::to_string(count.nodes.size()) + " nodes counted",
                 std::to_string(network.node_names.size()), "the plugin needs QEMU 7.2",
                 Blame::target};
  LOCKSTEP_TRY(const Bytes answer, read_file(out));
  std::uint32_t stack = 0;
  if (answer.size() >= sizeof stack) std::memcpy(&stack, answer.data(), sizeof stack);
  count.stack = stack;
  return count;
}

}  // namespace

Result<InstructionCount> count_instructions(const std::string& folder, const Sample& input,
                                            const std::vector<std::string>& flags) {
  LOCKSTEP_TRY(const GeneratedNetwork network, read_generated(folder));
  LOCKSTEP_TRY(const ScratchFolder work, ScratchFolder::make());
  std::string prefix = network.name;
  for (char& c : prefix) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::vector<std::string> all{
      "-DLS_COUNT",
      "-D" + prefix + "_NODE_BEGIN(n)=({extern void ls_mark_begin(void); ls_mark_begin();})",
      "-D" + prefix + "_NODE_END(n)=({extern void ls_mark_end(void); ls_mark_end();})"};
  all.insert(all.end(), flags.begin(), flags.end());
  LOCKSTEP_CHECK(build_firmware(network, work, all));
  LOCKSTEP_TRY(const ProcessResult plugin,
               run_process({.arguments = {"cc", "-O2", "-fPIC", "-shared", "-fvisibility=hidden",
                                          work / "count.c", "-o", work / "count.so"},
                            .folder = "",
                            .input = "",
                            .output = ""}));
  if (plugin.code != 0)
    return Error{"count.c", "does not compile", "a C compiler", plugin.errors, Blame::target};
  LOCKSTEP_CHECK(
      write_harness_input(network, std::span(&input, 1), StateMode::reset, work / "in.bin"));
  LOCKSTEP_CHECK(run_firmware(work, {"-plugin", work / "count.so,out=" + (work / "marks")}));
  LOCKSTEP_TRY(const auto marks, read_marks(work / "marks"));
  return counted(network, marks, work / "out.bin");
}

}  // namespace lockstep
