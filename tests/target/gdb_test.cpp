#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "target/gdb_bench.h"

namespace lockstep {
namespace {

using test::arena;
using Bench = test::GdbBench;

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
  EXPECT_NE(b.notes[0].find("of 3 nodes the outputs of 2 survive to its end: 'relu1', 'relu2'"),
            std::string::npos)
      << b.notes[0];
}

TEST(GdbTarget, works_with_servers_of_every_habit) {
  for (const test::GdbFaults& habit :
       {test::GdbFaults{.no_ack_mode = false}, test::GdbFaults{.hardware_breakpoints = false},
        test::GdbFaults{.binary_writes = false}, test::GdbFaults{.run_lengths = true},
        test::GdbFaults{.no_ack_mode = false, .damage_every = 7},
        test::GdbFaults{.no_ack_mode = false, .refuse_every = 3}}) {
    Bench b;
    test::GdbServer server(3, &Bench::compute, habit);
    b.expect_tensors(b.run(server), {"a", "b", "y"});
  }
}

// What OpenOCD, ST-LINK's and J-Link's servers, QEMU and small stubs do differently, one at a time.
TEST(GdbTarget, speaks_every_dialect) {
  const std::pair<test::GdbFaults, const char*> dialects[] = {
      {{.features = ""}, "no features at all"},
      {{.features = "PacketSize=78;qXfer:memory-map:read-;vContSupported+", .longest = 0x78},
       "small packets, acknowledged"},
      {{.features = "PacketSize=3fff;QStartNoAckMode+;hwbreak+;qXfer:features:read+",
        .longest = 0x3fff},
       "large packets"},
      {{.refuses_no_ack = true}, "an offer taken back"},
      {{.only_vcont = true}, "vCont alone"},
      {{.notifies = true}, "notifications"},
      {{.no_ack_mode = false, .notifies = true}, "notifications among acknowledgements"},
      {{.talks = true}, "console output"},
      {{.run_lengths = true, .no_whole_writes = true}, "unknown registers"},
      {{.writes_are_errors = true}, "X is an error"},
      {{.hardware_left = 1}, "one comparator"},
      {{.interrupts_steps = true}, "interrupts between steps"},
      {{.runs_at_first = true}, "a core that runs on after connecting"}};
  for (const auto& [habits, what] : dialects) {
    SCOPED_TRACE(what);
    Bench b;
    test::GdbServer server(3, &Bench::compute, habits);
    b.expect_tensors(b.run(server), {"a", "b", "y"});
    EXPECT_EQ(server.too_long(), 0);
  }
}

TEST(GdbTarget, passes_commands_on_to_the_server) {
  Bench b;
  test::GdbServer server(3, &Bench::compute);
  b.expect_tensors(b.run(server, ",patience=2,monitor=reset halt"), {"a", "b", "y"});
  EXPECT_EQ(server.monitored(), "72657365742068616c74 ");
}

// No description of the network: its memory by symbols of the firmware, or by addresses.
TEST(GdbTarget, finds_inputs_and_outputs_by_symbols_alone) {
  Bench b;
  const std::vector<test::ElfEntry> symbols = {{"in_buffer", arena, 304, false},
                                               {"out_buffer", arena + 304, 304, false},
                                               {"infer", test::GdbServer::run, 4, true}};
  ASSERT_TRUE(write_file(b.folder / "firmware.elf", test::elf_with(symbols)).ok());
  test::GdbServer server(3, &Bench::compute);
  const std::string base =
      "gdb:" + server.address() + ",elf=" + (b.folder / "firmware.elf") + ",patience=2,run=infer";
  for (const std::string& where : {std::string(",input=in_buffer,output=out_buffer"),
                                   std::string(",input=0x31000000,output=0x31000130")}) {
    auto target = open_target(base + where, {b.graph, b.reference.arithmetic()});
    ASSERT_TRUE(target.ok()) << target.error().line();
    EXPECT_NE((*target)->describe().notes[0].find("whole runs only"), std::string::npos);
    b.expect_tensors((*target)->run(b.samples, {}), {"y"});
  }
  for (const std::string& wrong :
       {std::string(",input=in_bufer,output=out_buffer"), std::string(",input=in_buffer"),
        std::string(",input=0xzz,output=out_buffer"),
        std::string(",input=infer,output=out_buffer")}) {
    const auto target = open_target(base + wrong, {b.graph, b.reference.arithmetic()});
    ASSERT_FALSE(target.ok()) << wrong;
    EXPECT_EQ(target.error().blame, Blame::request) << wrong;
  }
}

// States live in the firmware: samples kept from an interrupted run are run again, and must yield
// what they did.
TEST(GdbTarget, goes_on_from_what_was_kept_of_this_build_alone) {
  Bench b;
  const std::string kept = b.folder / "kept.npz";
  for (const StateMode state : {StateMode::reset, StateMode::keep}) {
    std::filesystem::remove(kept);
    {
      test::GdbServer server(3, &Bench::compute,
                             {.close_after = state == StateMode::reset ? 75 : 60});
      auto target =
          open_target(b.uri(server, ",patience=2"),
                      {b.graph, b.reference.arithmetic(), state, {.kept = kept, .resume = ""}});
      ASSERT_TRUE(target.ok()) << target.error().line();
      const auto broken = (*target)->run(b.samples, {});
      ASSERT_FALSE(broken.ok());
      ASSERT_NE(broken.error().hint.find("kept in " + kept), std::string::npos)
          << broken.error().line();
    }
    test::GdbServer server(3, &Bench::compute);
    const LinkControl resumed{.kept = kept, .resume = kept};
    const auto go_on = [&](StateMode mode) -> Result<Capture> {
      auto target = open_target(b.uri(server, ",patience=2"),
                                {b.graph, b.reference.arithmetic(), mode, resumed});
      if (!target.ok()) return target.error();
      return (*target)->run(b.samples, {});
    };
    b.expect_tensors(go_on(state), {"a", "b", "y"});
    EXPECT_EQ(server.inits(), state == StateMode::keep ? 1 : server.inits());
    const auto other = go_on(state == StateMode::keep ? StateMode::reset : StateMode::keep);
    ASSERT_FALSE(other.ok());
    EXPECT_NE(other.error().what.find("--state"), std::string::npos) << other.error().line();
    std::vector<test::ElfEntry> symbols = {
        {"arena", arena, 608, false},
        {"network_run", test::GdbServer::run, 4, true},
        {"network_init", test::GdbServer::init, 4, true},
        {"network_node_done", test::GdbServer::node_done, 4, true}};
    const auto before = read_file(b.folder / "firmware.elf");
    symbols.push_back({"another", 0x5000, 4, true});
    ASSERT_TRUE(write_file(b.folder / "firmware.elf", test::elf_with(symbols)).ok());
    const auto rebuilt = go_on(state);
    ASSERT_FALSE(rebuilt.ok());
    EXPECT_EQ(rebuilt.error().blame, Blame::request);
    EXPECT_NE(rebuilt.error().what.find("another device or build"), std::string::npos)
        << rebuilt.error().line();
    ASSERT_TRUE(write_file(b.folder / "firmware.elf", *before).ok());
  }
}

TEST(GdbTarget, an_operation_that_writes_nothing_shows_the_poison) {
  Bench b;
  test::GdbServer server(3, [](test::GdbServer& machine, int node) {
    if (node != 1)
      Bench::compute(machine, node);
    else
      for (std::uint32_t i = 0; i < 100; ++i) machine.at(arena + i) = 1;
  });
  const auto capture = b.run(server);
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->samples[0].at("b").code(0), 1);
  EXPECT_EQ(capture->samples[0].at("a"), b.expected.samples[0].at("a"));
}

TEST(GdbTarget, names_every_fault_of_a_server_within_10_s) {
  const std::pair<test::GdbFaults, const char*> cases[] = {
      {{.damage_every = 5}, "wrong checksum"},
      {{.silent_after = 9}, "no answer"},
      {{.close_after = 9}, "closed the connection"},
      {{.runs_away = true}, "did not reach a breakpoint"},
      {{.hangs = true}, "neither stops nor halts"},
      {{.forbidden = arena + 310}, "cannot be read"},
      {{.babbles_after = 9}, "no answer"},
      {{.no_ack_mode = false, .babbles_after = 9}, "does not acknowledge"},
      {{.trickles_after = 9}, "breaks off"},
      {{.chats_after = 9}, "console output without end"},
      {{.silent_after = 1}, "does not acknowledge"},
      {{.close_after = 1}, "closed the connection"}};
  std::vector<std::thread> threads;  // most of the time they wait
  const auto expect_named = [](const test::GdbFaults& faults, const char* words) {
    Bench b;
    test::GdbServer server(3, &Bench::compute, faults);
    const auto start = std::chrono::steady_clock::now();
    const auto capture = b.run(server);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << words;
    ASSERT_FALSE(capture.ok()) << words;
    EXPECT_EQ(capture.error().blame, Blame::target) << words;
    EXPECT_NE(capture.error().what.find(words), std::string::npos) << capture.error().line();
  };
  for (const auto& [faults, words] : cases) threads.emplace_back(expect_named, faults, words);
  for (std::thread& t : threads) t.join();
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
  for (const std::string& more :
       {std::string(",speed=1"), std::string(",patience=x"), std::string(",run=nothing")}) {
    const auto target = open_target(b.uri(server, more), {b.graph, b.reference.arithmetic()});
    ASSERT_FALSE(target.ok()) << more;
    EXPECT_EQ(target.error().blame, Blame::request) << more;
  }
  EXPECT_FALSE(open_target("gdb:localhost:1", {b.graph, b.reference.arithmetic()}).ok());
}

}  // namespace
}  // namespace lockstep
