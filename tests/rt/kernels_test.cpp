// Every kernel of rt/ against the operators' own `eval`: seeded problems of one node, side by side
// in one generated network, compiled here and for the emulated Cortex-M55.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "arith/arith.h"
#include "emit/emit.h"
#include "emit/library.h"
#include "support/generated_network.h"
#include "support/programs.h"
#include "support/rt_cases.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

struct Problem {
  std::string name;  // "ort/conv/17": what LOCKSTEP_RT_PROBLEM takes
  test::KernelCase one;
  std::vector<Tensor> want;  // by output
};

// The arithmetic without its passes: the problems are lowered already.
Arithmetic as_it_is(const Arithmetic& arithmetic) {
  Arithmetic a = arithmetic;
  a.passes = {};
  return a;
}

// What eval yields; nothing where the operator refuses the node.
std::optional<std::vector<Tensor>> evaluated(const test::KernelCase& c,
                                             const Arithmetic& arithmetic) {
  const NodeView view{c.graph, c.graph.nodes()[0]};
  if (c.graph.inputs().empty()) return {};  // it would be folded
  if (!check_node(view).ok()) return {};
  if (arithmetic.unsupported && !arithmetic.unsupported(view).empty()) return {};
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < c.tensors.size(); ++i)
    in.push_back(view.has_input(i) ? &c.tensors[i] : nullptr);
  std::vector<Tensor> out;
  for (std::size_t o = 0; o < view.node.outputs.size(); ++o)
    if (view.node.outputs[o] == no_id)
      out.emplace_back();
    else
      out.emplace_back(view.output(o).dtype, view.output(o).shape);
  EvalContext context{view, *arithmetic.numerics, in, out};
  if (!find_op(view.node.op)->eval(context).ok()) return {};
  return out;
}

// As many problems of each source as asked for; those without C are counted by reason.
std::vector<Problem> problems_of(const Arithmetic& arithmetic, int each,
                                 std::map<std::string, int>& refused) {
  const char* const alone = std::getenv("LOCKSTEP_RT_PROBLEM");
  std::vector<Problem> problems;
  for (const test::RtSource& source : test::rt_sources()) {
    int made = 0;
    const int most = each * source.weight;
    for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(most) * 6 && made < most;
         ++seed) {
      const std::string name = std::string(arithmetic.name) + "/" + std::string(source.name) + "/" +
                               std::to_string(seed);
      if (alone && name != alone) continue;
      test::CaseMaker m(seed);
      auto one = source.make(m);
      if (!one) continue;
      auto want = evaluated(*one, arithmetic);
      if (!want) continue;
      const auto executor = Executor::make(one->graph, arithmetic);
      if (!executor.ok()) continue;
      if (const auto generated = generate(*executor, {}); !generated.ok()) {
        ++refused[generated.error().what];
        continue;
      }
      ++made;
      problems.push_back({name, std::move(*one), std::move(*want)});
    }
  }
  return problems;
}

bool same(const Tensor& got, const Tensor& want, std::int64_t i) {
  if (want.dtype() == DType::f32 && std::isnan(want.number(i))) return std::isnan(got.number(i));
  const std::size_t width = size_of(want.dtype()), at = static_cast<std::size_t>(i) * width;
  return std::memcmp(got.bytes().data() + at, want.bytes().data() + at, width) == 0;
}

void expect_same(const Problem& p, std::size_t output, const Tensor& got) {
  const Tensor& want = p.want[output];
  ASSERT_EQ(got.bytes().size(), want.bytes().size()) << p.name << ", output " << output;
  std::int64_t differ = 0, first = -1;
  for (std::int64_t i = 0; i < got.count(); ++i)
    if (!same(got, want, i) && differ++ == 0) first = i;
  if (differ == 0) return;
  ADD_FAILURE() << differ << " of " << got.count() << " differ in output " << output
                << ", the first at " << first << ": " << got.number(first) << ", eval "
                << want.number(first) << "\n  " << p.one.graph.nodes()[0].op << p.one.text
                << "\n  LOCKSTEP_RT_PROBLEM=" << p.name << " runs it alone";
}

// Functions of rt/ that the networks of this process called.
std::set<std::string>& called() {
  static std::set<std::string> names;
  return names;
}

void run(std::string_view arithmetic, const std::string& target, int each) {
  const Arithmetic plain = as_it_is(*find_arithmetic(arithmetic));
  std::map<std::string, int> refused;
  const std::vector<Problem> problems = problems_of(plain, each, refused);
  if (std::getenv("LOCKSTEP_RT_PROBLEM") && problems.empty())
    GTEST_SKIP() << "not the problem asked for";
  ASSERT_GE(problems.size(), std::getenv("LOCKSTEP_RT_PROBLEM") ? 1u : 100u);
  std::vector<test::KernelCase> cases;
  Sample sample;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const test::KernelCase& c = problems[i].one;
    const Node& node = c.graph.nodes()[0];
    for (std::size_t k = 0; k < c.tensors.size(); ++k)
      if (node.inputs[k] != no_id && !c.graph.value(node.inputs[k]).constant)
        sample.emplace("p" + std::to_string(i) + "_" + c.graph.value(node.inputs[k]).name,
                       c.tensors[k]);
    cases.push_back(c);
  }
  const auto graph = test::side_by_side(cases);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const auto executor = Executor::make(*graph, plain);
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  // Here every kernel in the layout of its problem, on the board as networks have them.
  GenerateOptions options;
  options.channels_last = target.starts_with("qemu:");
  const auto made = generate(*executor, options);
  ASSERT_TRUE(made.ok()) << made.error().line();
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "net");
  for (const GeneratedFile& f : made->files) {
    ASSERT_TRUE(write_file(folder / "net/" + f.path, f.text).ok());
    if (f.path == "network.c") called().merge(c_names(f.text).mentioned);
  }
  const std::string at =
      target.find(',') == std::string::npos
          ? target + (folder / "net")
          : target.substr(0, target.find(',')) + (folder / "net") + target.substr(target.find(','));
  auto device = open_target(at, {*graph, plain});
  ASSERT_TRUE(device.ok()) << device.error().line();
  const auto capture = (*device)->run(std::span(&sample, 1), {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const Graph& one = problems[i].one.graph;
    for (std::size_t o = 0; o < problems[i].want.size(); ++o) {
      const ValueId y = one.nodes()[0].outputs[o];
      if (y == no_id || count_of(one.value(y).shape) == 0) continue;
      const auto it = capture->samples[0].find("p" + std::to_string(i) + "_" + one.value(y).name);
      ASSERT_NE(it, capture->samples[0].end()) << problems[i].name << ", output " << o;
      expect_same(problems[i], o, it->second);
    }
  }
  std::cout << "  " << arithmetic << " on " << target << " " << problems.size() << " problems";
  for (const auto& [reason, count] : refused) std::cout << ", " << count << " " << reason;
  std::cout << "\n";
}

int asked(int usual) {
  const char* const each = std::getenv("LOCKSTEP_RT_PROBLEMS");
  return each ? std::atoi(each) : usual;
}

// Kernels that generated C calls, but that none of these problems needs.
const std::map<std::string, std::string> elsewhere = {
    {"ls_svdf_any", "tests/emit: keyword_scrambled_8bit"},
    {"ls_resize_any", "tests/oracle"},
    {"ls_compare_codes", "tests/oracle"},
    {"ls_conv_integer", "tests/oracle"},
    {"ls_quantize_dynamic", "tests/oracle: three outputs"},
};

constexpr const char* arithmetics[] = {"ort",      "tflite-ref",      "tflite",
                                       "cmsis-nn", "cmsis-nn-single", "float"};

class Kernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ++ran_; }
  // Every kernel that a header declares was called, where all arithmetics ran.
  static void TearDownTestSuite() {
    if (ran_ < std::size(arithmetics) || std::getenv("LOCKSTEP_RT_PROBLEM")) return;
    std::set<std::string> declared, defined, twice, mentioned;
    for (const RuntimeFile& f : runtime_files()) {
      if (!f.path.starts_with("ls_")) continue;
      const CNames names = c_names(f.text);
      if (f.path.ends_with(".h"))
        declared.insert(names.mentioned.begin(), names.mentioned.end());
      else
        for (const std::string& name : names.mentioned) {
          if (names.defined.contains(name)) defined.insert(name);
          // What one file defines and another calls is a part of kernels.
          else if (!mentioned.insert(name).second || !f.path.ends_with("_helium.c"))
            twice.insert(name);
        }
    }
    int kernels = 0;
    for (const std::string& name : defined) {
      if (!declared.contains(name) || !name.starts_with("ls_") || twice.contains(name)) continue;
      ++kernels;
      EXPECT_TRUE(called().contains(name) != elsewhere.contains(name))
          << name << (elsewhere.contains(name) ? " is called now" : " is called by no problem");
    }
    EXPECT_GT(kernels, 90);
  }
  inline static std::size_t ran_ = 0;
};

TEST_P(Kernels, equal_eval_on_this_machine) {
  run(GetParam(), "c:", asked(12));
}

std::string test_name(const testing::TestParamInfo<const char*>& one) {
  std::string name = one.param;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Rt, Kernels, testing::ValuesIn(arithmetics), test_name);

class BoardKernels : public testing::TestWithParam<const char*> {};

TEST_P(BoardKernels, equal_eval_with_helium) {
  LOCKSTEP_NEEDS_THE_BOARD();
  run(GetParam(), "qemu:", asked(8));
}
INSTANTIATE_TEST_SUITE_P(Rt, BoardKernels, testing::Values("ort", "tflite-ref", "cmsis-nn"),
                         test_name);

}  // namespace
}  // namespace lockstep
