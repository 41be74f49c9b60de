// Conversations with the agent byte by byte, each side as the protocol's specification has it, on a
// clock of the test's own.
#include <gtest/gtest.h>

#include "link/agent_line.h"

namespace lockstep::test {
namespace {

class BothHeaders : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(AgentBytes, BothHeaders, testing::Values(1u, 2u));

TEST_P(BothHeaders, greeting_is_what_a_client_of_that_header_reads) {
  Line line(GetParam());
  line.raw(GetParam() == 1 ? joined({bytes_from({0x0b, 0x0a, 0x08, 0x01, 0x10, 0x00, 0x18, 0x00,
                                                 0x22, 0x00, 0x28, 0x00}),
                                     Bytes(21)})
                           : joined({bytes_from({0x00, 0x0b, 0x0a, 0x08, 0x01, 0x10, 0x00, 0x18,
                                                 0x00, 0x22, 0x00, 0x28, 0x00}),
                                     Bytes(21)}));
  line.device(sync_answer(1), "the answer to SYNC");
  line.host(request(2, 1));
  line.device(system_answer(2, GetParam(), 0), "SYS_INFO");
  line.host(request(3, 10, 0));
  const Bytes segment_a = desc("", LOCKSTEP_FORMAT_U8, {4096}, 0, 0, 0, 8),
              segment_p = desc("", LOCKSTEP_FORMAT_U8, {512}, 0, 0, 0, 8);
  Bytes info = joined(
      {text(1, "network"), number(2, 1 | 1u << 8 | 1u << 16), text(3, "a signature"),
       text(4, "Jan  1 2026 00:00:00"), number(5, 1u << 24), number(6, 1u << 24), number(7, 1234),
       number(8, 2), number(10, 1),
       bytes(11, desc("in0", LOCKSTEP_FORMAT_U8, {1, 8, 8, 3}, 0.5f, 7, 0x34000000, 1)),
       number(12, 1), bytes(13, desc("out0", LOCKSTEP_FORMAT_F32, {1, 10}, 0, 0, 0x34001000, 2)),
       number(14, 1), bytes(15, segment_a), number(16, 1), bytes(17, segment_p),
       text(20, "lockstep 1.0")});
  if (GetParam() == 2) append(info, joined({real(21, 0), real(22, 0)}));
  line.device(answer(3, 0, 22, info), "NETWORK_INFO");
  line.host(request(4, 10, 1));
  line.device(device_ack(4, 4, 4, 4), "the end of the list of networks");
  line.play();
}

TEST_P(BothHeaders, run_goes_as_the_specification_says) {
  Line line(GetParam());
  expect_sync(line);
  upload(line, 5, 1, ramp(192));
  expect_output(line, 5);
  upload(line, 6, 3, ramp(192), "network", 0);
  expect_nodes(line, 6, false);
  expect_output(line, 6);
  upload(line, 7, 7, ramp(192), "");
  expect_nodes(line, 7, true);
  expect_output(line, 7);
  line.play();
  EXPECT_EQ(line.runs(), 3);
  EXPECT_EQ(line.firsts(), 2);
  for (int i = 0; i < 192; ++i) ASSERT_EQ(line.input()[static_cast<std::size_t>(i)], i);
}

TEST_P(BothHeaders, benchmark_modes_take_one_element_and_send_no_data) {
  Line line(GetParam());
  expect_sync(line);
  upload(line, 2, 9 | 0x200, ramp(1, 77));
  expect_output(line, 2, false);
  upload(line, 3, 1 | 0x400, ramp(1, 3));  // a debugger writes the input: the element stands for it
  expect_output(line, 3);
  line.play();
  for (const std::uint8_t b : line.input()) ASSERT_EQ(b, 77);
}

TEST_P(BothHeaders, errors_end_a_transaction_and_nothing_else) {
  Line line(GetParam());
  expect_sync(line);
  line.host(request(2, 11, 1, "no such network", 1));
  line.device(device_ack(2, 4, 4, 4), "an unknown network");
  line.host(request(3, 77));
  line.device(device_ack(3, 4, 4, 4), "an unknown command");
  line.host(request(4, 11, 1, "network", 1));
  line.device(device_ack(4, 1, 192), "how many bytes the input has");
  line.host(data(ramp(100)));
  line.device(device_ack(4, 4, 100, 1), "an input of another size");
  line.host(request(5, 20, 0x10, "", 4));
  line.device(device_ack(5, 4, 4, 4), "memory out of reach");
  line.host(request(6, 100, 5));
  line.device(device_ack(6, 4, 4, 4), "self tests are not offered");
  expect_sync(line, 9);
  line.fail_runs = true;
  upload(line, 10, 7, ramp(192));
  line.device(device_ack(10, 4, 10, 10), "a run that failed");
  expect_sync(line, 11);
  line.play();
}

TEST_P(BothHeaders, requests_that_cannot_be_decoded_are_dropped_without_a_word) {
  Line line(GetParam());
  line.host(
      joined({number(1, 1), number(2, 0), number(3, 0), text(4, "")}));  // without its fifth field
  line.host(request(2, 10, 0, std::string(64, 'n')));                    // a name too long
  line.host(request(3, 10, 0, std::string(63, 'n')));                    // the longest
  line.device(device_ack(3, 4, 4, 4), "no network of that name");
  if (GetParam() ==
      2) {  // an empty packet asks for another; a first byte of 0 is the header of two bytes
    line.raw(Bytes(34));
    line.expect_raw(bytes_from({0xAA}), "the request for a packet");
  }
  expect_sync(line, 4);
  line.host(Bytes());  // an empty message
  expect_sync(line, 5);
  line.play();
}

// A request for one more packet after the end would be the first byte of the answer; a message that
// fills its last packet is followed by an empty one.
TEST_P(BothHeaders, every_length_of_message_is_framed_right) {
  Line line(GetParam());
  expect_sync(line);
  std::uint32_t id = 10;
  for (std::uint32_t n = 1; n <= 140; ++n) {
    line.host(request(++id, 21, 0x34000000, "", n));
    line.device(device_ack(id, 1, n), "the piece that it takes");
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < n; ++i) sum = ((sum >> 1 | (sum & 1) << 15) + i) & 0xFFFF;
    line.host(data(ramp(n), 0x34000000));
    line.device(device_ack(id, 3, sum), "the checksum of what it took");
    line.host(request(++id, 20, 0x34000000, "", n));
    line.device(device_ack(id, 2, n), "the first piece");
    line.device(answer(id, 3, 15, data(ramp(n), 0x34000000)), "the bytes read");
  }
  line.play();
}

TEST_P(BothHeaders, memory_goes_in_pieces_of_1024_bytes) {
  Line line(GetParam());
  expect_sync(line);
  line.host(request(2, 21, 0x34000010, "", 1500));
  line.device(device_ack(2, 1, 1024), "the piece that it takes");
  const Bytes all = ramp(1500);
  const auto sum_of = [&](std::size_t from, std::size_t to) {
    std::uint32_t sum = 0;
    for (std::size_t i = from; i < to; ++i)
      sum = ((sum >> 1 | (sum & 1) << 15) + static_cast<std::uint32_t>(all[i])) & 0xFFFF;
    return sum;
  };
  line.host(data(Bytes(all.begin(), all.begin() + 1024), 0x34000010));
  line.device(device_ack(2, 1, sum_of(0, 1024)), "the first piece");
  line.host(data(Bytes(all.begin() + 1024, all.end()), 0x34000410));
  line.device(device_ack(2, 3, sum_of(1024, 1500)), "the last piece");
  line.play();
  EXPECT_EQ(line.memory_[0x10], 0);
  EXPECT_EQ(line.memory_[0x10 + 1499], 1499 & 0xFF);
}

TEST(AgentBytes, reading_memory_is_acknowledged_piece_by_piece_and_not_at_the_end) {
  Line line(2);
  expect_sync(line);
  line.host(request(3, 20, 0x34000010, "", 1500));
  line.device(device_ack(3, 2, 1024), "the first piece's size");
  line.device(answer(3, 2, 15, data(Bytes(1024), 0x34000010)), "the first piece");
  line.host(host_ack());
  line.device(answer(3, 3, 15, data(Bytes(476), 0x34000410)), "the last piece");
  line.host(request(4, 22, 0x34000010, "", 1500));
  line.device(device_ack(4, 3, 0), "the checksum");
  line.host(request(5, 20, 0x34000010, "", 0));
  line.device(device_ack(5, 3, 0), "nothing to read");
  line.host(request(6, 21, 0x34000010, "", 4));
  line.device(device_ack(6, 1, 4), "the piece that it takes");
  line.host(data(Bytes(7), 0x34000010));
  line.device(device_ack(6, 4, 3, 8), "three bytes too many");
  line.play();
}

// ST's clients give SYNC half a second and do not try again.
constexpr std::uint32_t patience = 500;

// What a host that died has left: the agent is inside a message, before one, or inside a packet.
TEST_P(BothHeaders, sync_of_a_new_host_is_answered_wherever_the_last_one_died) {
  for (const std::size_t next : {1u, 2u}) {  // the header of the new host
    for (int where = 0; where < 4; ++where) {
      SCOPED_TRACE(fmt::format("header {} after {}, left at {}", next, GetParam(), where));
      Line line(GetParam());
      expect_sync(line);
      line.host(request(5, 11, 1, "network", 1));
      line.device(device_ack(5, 1, 192), "how many bytes the input has");
      const std::vector<Bytes> packets = line.form.from_host(data(ramp(192)));
      if (where == 1 || where == 2) {  // inside the input: after a packet, after a part of one
        line.raw(packets[0]);
        line.expect_raw(bytes_from({0xAA}), "the request for a packet");
        if (where == 2) line.raw(Bytes(packets[1].begin(), packets[1].begin() + 12));
      }
      if (where == 3) {  // before its acknowledgement
        line.host(data(ramp(192)));
        line.device(device_ack(5, 2, 192), "how many it took");
      }
      line.silence(where == 2 ? 1100 : 600);  // a client opens the port, drains it and waits
      line.play();
      const std::uint32_t before = line.now();
      line.form.header = next;
      expect_sync(line, 1);
      line.host(request(2, 10, 1));
      line.device(device_ack(2, 4, 4, 4), "the end of the list of networks");
      line.play();
      EXPECT_LT(line.now() - before, patience + 200);
      EXPECT_EQ(line.runs(), 0);
    }
  }
}

TEST(AgentBytes, sync_is_answered_though_the_end_of_large_packets_was_lost) {
  for (const std::uint32_t payload : {64u, 510u, 4094u}) {
    for (const std::size_t next : {1u, 2u}) {
      SCOPED_TRACE(fmt::format("{} bytes, then header {}", payload, next));
      Line line(2, payload);
      const std::uint32_t usb = offered | 64;
      expect_sync(line, 1, usb);
      line.host(request(2, 1));
      line.device(system_answer(2, 2, payload), "SYS_INFO");
      line.form.payload = payload;
      line.host(request(3, 10, 1));
      line.device(device_ack(3, 4, 4, 4), "the end of the list of networks");
      line.silence(600);
      line.play();
      const std::uint32_t before = line.now();
      line.form = {next, 32};
      expect_sync(line, 1, next == 2 ? usb : offered);
      line.play();
      EXPECT_LT(line.now() - before, patience);
      line.form = {2, 32};  // and with an end
      expect_sync(line, 2, usb);
      line.host(request(3, 1));
      line.device(system_answer(3, 2, payload), "SYS_INFO");
      line.form.payload = payload;
      line.host(request(4, 2));
      line.form.payload = 32;
      expect_sync(line, 5, usb);
      line.play();
    }
  }
}

// A build with a smaller buffer announces what it has.
TEST(AgentBytes, packets_are_never_larger_than_the_agents_own) {
  Line line(2, LOCKSTEP_AGENT_PAYLOAD + 1000);
  line.host(request(2, 1));
  line.device(system_answer(2, 2, LOCKSTEP_AGENT_PAYLOAD), "SYS_INFO");
  line.play();
}

TEST(AgentBytes, a_network_that_shows_no_node_is_one_node) {
  Line line(2);
  line.shown_nodes = 0;
  upload(line, 5, 3, ramp(192));
  line.device(answer(5, 2, 16, operation("network", 5u << 24, 0, 0, {0, 0})), "the only node");
  expect_output(line, 5);
  line.play();
}

TEST(AgentBytes, counters_of_an_npu_are_three_a_node_and_five_pairs_in_all) {
  Line line(2, 0, 4);
  line.host(request(1, 0));
  line.device(sync_answer(1, offered, 4), "the answer to SYNC");
  upload(line, 5, 3, ramp(192));
  line.device(answer(5, 2, 16, operation("", 1u << 24 | 2, 0, 0x10000, {100, 1000, 10})),
              "the first epoch");
  line.device(answer(5, 2, 17, node_tensor(0, "", 0x100, false)), "its tensor, the last");
  line.device(answer(5, 2, 16, operation("", 1u << 24 | 2, 1u << 16 | 1, 0x10000, {100, 1000, 10})),
              "the second epoch");
  line.device(answer(5, 2, 17, node_tensor(1, "pooled", 0, false)), "the first of two tensors");
  line.device(answer(5, 2, 17, node_tensor(2, "", 0x100, false)), "the last of two tensors");
  line.device(
      answer(5, 2, 16, operation("network", 0, 0, 0, {200, 0, 2000, 0, 20, 0, 0, 0, 2000, 0})),
      "the whole inference");
  line.device(answer(5, 3, 17,
                     tensor(desc("out0", LOCKSTEP_FORMAT_F32, {1, 10}, 0, 0, 0x34001000, 2 | 0x100),
                            0x34001000, ramp(40))),
              "the output");
  line.play();
}

}  // namespace
}  // namespace lockstep::test
