#include <gtest/gtest.h>

#include <chrono>

#include "link/gdb_server.h"
#include "run/generated.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

constexpr std::uint32_t arena = 0x31000000;
constexpr std::int64_t count = 300;

Value value(const std::string& name) {
  Value v;
  v.name = name;
  v.dtype = DType::i8;
  v.shape = {1, count};
  v.quant.scale = {0.5};
  v.quant.zero = {-3};
  return v;
}

// x -> Relu -> a -> Relu -> b -> Relu -> y
Graph chain() {
  GraphBuilder g("chain.onnx", "onnx");
  std::vector<ValueId> ids;
  for (const char* name : {"x", "a", "b", "y"}) ids.push_back(g.add_value(value(name)));
  for (std::size_t i = 0; i < 3; ++i) {
    Node n;
    n.name = "relu" + std::to_string(i);
    n.op = "Relu";
    n.inputs = {ids[i]};
    n.outputs = {ids[i + 1]};
    g.add_node(n);
  }
  g.add_input(ids[0]);
  g.add_output(ids[3]);
  return std::move(std::move(g).finish()).value();
}

std::string tensor_text(const std::string& name, int offset) {
  return fmt::format(R"({{"name": "{}", "dtype": "int8", "shape": [1, {}], "scale": [0.5], "zero": [-3], "pool": "arena", "offset": {}}})", name, count, offset);
}

// x and b share memory, and a and y: a whole run leaves b and y.
struct Bench {
  test::TemporaryFolder folder;
  Graph graph = chain();
  Executor reference = std::move(Executor::make(graph, *find_arithmetic("ort-noopt"))).value();
  std::vector<Sample> samples = generated_inputs(graph, 3, 5);
  Capture expected = std::move(reference.run(samples)).value();

  explicit Bench(bool with_stops = true) {
    const std::string text = R"({"format": "lockstep-network", "version": 1, "name": "network", "model_hash": "0",
      "pools": [{"name": "arena", "symbol": "arena", "bytes": 608}], "inputs": [)" + tensor_text("x", 0) + R"(], "outputs": [)" + tensor_text("y", 304) +
      R"(], "states": [], "nodes": [{"index": 0, "name": "relu0", "outputs": [)" + tensor_text("a", 304) + R"(]}, {"index": 1, "name": "relu1", "outputs": [)" +
      tensor_text("b", 0) + R"(]}, {"index": 2, "name": "relu2", "outputs": [)" + tensor_text("y", 304) + "]}]}";
    EXPECT_TRUE(write_file(folder / "network.json", std::string_view(text)).ok());
    std::vector<test::ElfEntry> symbols = {{"arena", arena, 608, false}, {"network_run", test::GdbServer::run, 4, true}, {"network_init", test::GdbServer::init, 4, true}};
    if (with_stops) symbols.push_back({"network_node_done", test::GdbServer::node_done, 4, true});
    EXPECT_TRUE(write_file(folder / "firmware.elf", test::elf_with(symbols)).ok());
  }

  static void compute(test::GdbServer& machine, int node) {
    const std::uint32_t from = arena + (node % 2 ? 304 : 0), to = arena + (node % 2 ? 0 : 304);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto code = static_cast<std::int8_t>(machine.at(from + i));
      machine.at(to + i) = static_cast<std::uint8_t>(std::max<std::int8_t>(code, -3));
    }
  }

  std::string uri(const test::GdbServer& server, const std::string& more = "") const {
    return "gdb:" + server.address() + ",net=" + (folder / "network.json") + ",elf=" + (folder / "firmware.elf") + more;
  }
  Result<Capture> run(const test::GdbServer& server, const std::string& more = ",patience=2") {
    auto target = open_target(uri(server, more), {graph, reference.arithmetic()});
    if (!target.ok()) return target.error();
    notes = (*target)->describe().notes;
    return (*target)->run(samples, {});
  }
  void expect_tensors(const Result<Capture>& capture, const std::vector<std::string>& names) {
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    ASSERT_EQ(capture->samples.size(), samples.size());
    for (std::size_t s = 0; s < samples.size(); ++s) {
      EXPECT_EQ(capture->samples[s].size(), names.size());
      for (const std::string& name : names) {
        ASSERT_TRUE(capture->samples[s].contains(name)) << name;
        EXPECT_EQ(capture->samples[s].at(name), expected.samples[s].at(name)) << name << " of sample " << s;
      }
    }
  }
  std::vector<std::string> notes;
};

TEST(GdbTarget, reads_every_node_before_its_memory_is_reused) {
  Bench b;
  test::GdbServer server(3, &Bench::compute);
  b.expect_tensors(b.run(server), {"a", "b", "y"});
  EXPECT_EQ(server.inits(), 3);
  EXPECT_TRUE(b.notes.empty());
}

TEST(GdbTarget, without_a_place_to_stop_says_what_survives_a_whole_run) {
  Bench b(false);
  test::GdbServer server(3, &Bench::compute);
  b.expect_tensors(b.run(server), {"b", "y"});
  ASSERT_EQ(b.notes.size(), 1u);
  EXPECT_NE(b.notes[0].find("of 3 nodes the outputs of 2 survive"), std::string::npos) << b.notes[0];
}

TEST(GdbTarget, works_with_servers_of_every_habit) {
  for (const test::GdbFaults& habit : {test::GdbFaults{.no_ack_mode = false}, test::GdbFaults{.hardware_breakpoints = false}, test::GdbFaults{.binary_writes = false},
                                       test::GdbFaults{.run_lengths = true}, test::GdbFaults{.no_ack_mode = false, .damage_every = 7},
                                       test::GdbFaults{.no_ack_mode = false, .refuse_every = 3}}) {
    Bench b;
    test::GdbServer server(3, &Bench::compute, habit);
    b.expect_tensors(b.run(server), {"a", "b", "y"});
  }
}

TEST(GdbTarget, an_operation_that_writes_nothing_shows_the_poison) {
  Bench b;
  test::GdbServer server(3, [](test::GdbServer& machine, int node) {
    if (node != 1) Bench::compute(machine, node);
    else for (std::uint32_t i = 0; i < 100; ++i) machine.at(arena + i) = 1;
  });
  const auto capture = b.run(server);
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->samples[0].at("b").code(0), 1);
  EXPECT_EQ(capture->samples[0].at("a"), b.expected.samples[0].at("a"));
}

TEST(GdbTarget, names_every_fault_of_a_server_within_10_s) {
  const std::pair<test::GdbFaults, const char*> cases[] = {
      {{.damage_every = 5}, "wrong checksum"},           {{.silent_after = 9}, "no answer"},
      {{.close_after = 9}, "closed the connection"},     {{.runs_away = true}, "did not reach a breakpoint"},
      {{.hangs = true}, "neither stops nor halts"},      {{.forbidden = arena + 310}, "cannot be read"},
      {{.silent_after = 1}, "does not acknowledge"},                {{.close_after = 1}, "closed the connection"}};
  for (const auto& [faults, words] : cases) {
    Bench b;
    test::GdbServer server(3, &Bench::compute, faults);
    const auto start = std::chrono::steady_clock::now();
    const auto capture = b.run(server);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << words;
    ASSERT_FALSE(capture.ok()) << words;
    EXPECT_EQ(capture.error().blame, Blame::target) << words;
    EXPECT_NE(capture.error().what.find(words), std::string::npos) << capture.error().line();
  }
}

TEST(GdbTarget, a_firmware_of_another_network_is_named) {
  Bench b;
  test::GdbServer server(2, &Bench::compute);  // ends after two nodes
  const auto capture = b.run(server);
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(capture.error().what.find("stopped at"), std::string::npos) << capture.error().line();
}

TEST(GdbTarget, a_request_that_cannot_be_meant_is_refused) {
  Bench b;
  test::GdbServer server(3, &Bench::compute);
  for (const std::string& more : {std::string(",speed=1"), std::string(",patience=x"), std::string(",run=nothing")}) {
    const auto target = open_target(b.uri(server, more), {b.graph, b.reference.arithmetic()});
    ASSERT_FALSE(target.ok()) << more;
    EXPECT_EQ(target.error().blame, Blame::request) << more;
  }
  EXPECT_FALSE(open_target("gdb:localhost:1", {b.graph, b.reference.arithmetic()}).ok());
}

// A c_info.json as its description says, of a network in three epochs; its runtime has start functions.
TEST(GdbTarget, reads_the_epochs_of_a_c_info_where_the_next_one_starts) {
  Bench b;
  const auto buffer = [](int id, const std::string& name, int offset) {
    return fmt::format(R"({{"id": {}, "name": "{}", "mpool_id": 1, "offset_start": {}, "size_bytes": {}, "nbits": 8, "format": "INT8", "shape": [{}], "is_param": false,
      "qmn": {{"m": 7, "n": 0, "sign": 1}}, "intq": {{"scales": [0.5], "offsets": [-3]}}}})", id, name, offset, count, count);
  };
  const std::string text = R"({"memory_pools": [{"id": 1, "name": "npuRAM", "address": "822083584", "size_bytes": 65536}], "buffers": [)" + buffer(1, "x", 0) + "," + buffer(2, "a", 304) + "," +
      buffer(3, "b", 0) + "," + buffer(4, "y", 304) + R"(, {"id": 9, "name": "weights", "is_param": true}],
      "graphs": [{"name": "network", "nodes": [{"id": 1, "name": "epoch_1", "inputs": [1, 9], "outputs": [2]}, {"id": 2, "name": "epoch_2", "inputs": [2], "outputs": [3]},
      {"id": 3, "name": "epoch_3", "inputs": [3], "outputs": [4]}]}]})";
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view(text)).ok());
  const std::vector<test::ElfEntry> symbols = {{"LL_ATON_RT_Main", test::GdbServer::run, 4, true}, {"LL_ATON_Start_EpochBlock_1", 0x3000, 4, true},
                                               {"LL_ATON_Start_EpochBlock_2", 0x3100, 4, true}, {"LL_ATON_Start_EpochBlock_3", 0x3200, 4, true}};
  ASSERT_TRUE(write_file(b.folder / "firmware.elf", test::elf_with(symbols)).ok());
  test::GdbServer server(3, &Bench::compute, {.epochs = {0x3000, 0x3100, 0x3200}});
  b.expect_tensors(b.run(server), {"a", "b", "y"});

  // A pool without an address, a pool too small, and a file of something else.
  std::string small = text;
  small.replace(small.find("65536"), 5, "  400");
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view(small)).ok());
  EXPECT_NE(b.run(server).error().what.find("lies outside its pool"), std::string::npos);
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view(R"({"memory_pools": [{"id": 1, "address": "x", "size_bytes": 1}], "buffers": [], "graphs": [{}]})")).ok());
  EXPECT_EQ(b.run(server).error().blame, Blame::request);
  ASSERT_TRUE(write_file(b.folder / "network.json", std::string_view("{}")).ok());
  EXPECT_NE(b.run(server).error().what.find("describes no network"), std::string::npos);
}

// Every cut of the ELF file is an error or the same symbols, never a crash.
TEST(GdbTarget, a_cut_elf_file_is_an_error) {
  Bench b;
  test::GdbServer server(3, &Bench::compute);
  const auto whole = read_file(b.folder / "firmware.elf");
  ASSERT_TRUE(whole.ok());
  for (std::size_t n = 0; n + 8 < whole->size(); n += 3) {
    ASSERT_TRUE(write_file(b.folder / "firmware.elf", std::span(*whole).first(n)).ok());
    const auto target = open_target(b.uri(server), {b.graph, b.reference.arithmetic()});
    ASSERT_FALSE(target.ok()) << n;
    EXPECT_EQ(target.error().blame, Blame::request) << n;
  }
}

}  // namespace
}  // namespace lockstep
