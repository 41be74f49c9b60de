#include <gtest/gtest.h>

#include <algorithm>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/provenance.h"

namespace lockstep {
namespace {

using test::Net;

std::int64_t& number(NpuUnit& u, const char* field) {
  return u.fields[field].integer;
}

bool names(const std::vector<NpuFinding>& found, const char* rule, int epoch) {
  return std::ranges::any_of(
      found, [&](const NpuFinding& f) { return f.rule == rule && f.epoch == epoch; });
}

// As in a blob: no stream says what it touches.
void forget_names(NpuProgram& p) {
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream) u.buffer.clear();
}

std::uint64_t place(NpuUnit& u) {
  return static_cast<std::uint64_t>(number(u, "addr_base") + number(u, "offset_start"));
}
void move_to(NpuUnit& u, std::uint64_t address) {
  const auto by = static_cast<std::int64_t>(address) - static_cast<std::int64_t>(place(u));
  number(u, "offset_start") += by;
  if (number(u, "offset_end") != 0) number(u, "offset_end") += by;
}

// The stream that reads a tensor in an epoch.
NpuUnit* reader(NpuProgram& p, int epoch, const NpuBuffer& b) {
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (e.number == epoch && u.id.kind == NpuKind::stream && number(u, "dir") == 0 &&
          place(u) == b.address())
        return &u;
  return nullptr;
}
const NpuBuffer& made(const NpuProgram& p, std::string_view name) {
  const auto it = std::ranges::find_if(
      p.buffers, [&](const NpuBuffer& b) { return without_copies(b.name).starts_with(name); });
  EXPECT_NE(it, p.buffers.end()) << name;
  return *it;
}

// x -> a -> b -> c -> d, of one shape; the sum of a and d keeps a alive until the end.
Graph chain_with_a_skip(std::string* a = nullptr, std::string* b = nullptr,
                        std::string* c = nullptr, std::string* d = nullptr) {
  Net n(11);
  const auto layer = [&](ValueId x) { return n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -20); };
  const ValueId one = layer(n.input({1, 8, 6, 6})), two = layer(one), three = layer(two),
                four = layer(three);
  std::string* const names[] = {a, b, c, d};
  const ValueId values[] = {one, two, three, four};
  for (int i = 0; i < 4; ++i)
    if (names[i]) *names[i] = n.value_of(values[i]).name;
  return n.finish(n.add_to(one, four));
}

TEST(NpuAuditFlow, an_older_tensor_of_the_same_size_is_named_where_it_is_read) {
  std::string a, b, c;
  const Graph g = chain_with_a_skip(&a, &b, &c);
  NpuProgram p = test::lowered(g);
  forget_names(p);
  ASSERT_TRUE(test::errors_in(p, g).empty());
  NpuUnit* u = reader(p, made(p, c).epoch, made(p, b));
  ASSERT_TRUE(u);
  move_to(*u, made(p, a).address());
  EXPECT_TRUE(names(test::errors_in(p, g), "other-tensor", made(p, c).epoch));
}

TEST(NpuAuditFlow, a_sum_that_reads_one_operand_twice_is_named) {
  std::string a, d;
  const Graph g = chain_with_a_skip(&a, nullptr, nullptr, &d);
  NpuProgram p = test::lowered(g);
  forget_names(p);
  const int sum = p.epochs.back().number;
  NpuUnit* u = reader(p, sum, made(p, d));
  ASSERT_TRUE(u);
  move_to(*u, made(p, a).address());
  EXPECT_TRUE(names(test::errors_in(p, g), "other-tensor", sum));
}

TEST(NpuAuditFlow, a_joined_tensor_that_takes_a_whole_tensor_of_another_branch_is_named) {
  Net n(12);
  const auto layer = [&](ValueId x) { return n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -20); };
  const ValueId x = n.input({1, 8, 6, 6}), a = layer(x), b = layer(x), other = layer(x);
  n.value_of(b).quant = n.value_of(a).quant, n.value_of(other).quant = n.value_of(a).quant;
  const ValueId joined = n.joined({a, b});
  n.output(other);
  const std::string name_b = n.value_of(b).name, name_other = n.value_of(other).name;
  const Graph g = n.finish(joined);
  NpuProgram p = test::lowered(g);
  forget_names(p);
  ASSERT_TRUE(test::errors_in(p, g).empty());
  const int at = p.epochs.back().number;
  NpuUnit* u = reader(p, at, made(p, name_b));
  ASSERT_TRUE(u);
  move_to(*u, made(p, name_other).address());
  EXPECT_TRUE(names(test::errors_in(p, g), "other-tensor", at));
}

// c is put onto a, which the sum still has to read.
TEST(NpuAuditFlow, a_tensor_that_is_put_onto_one_still_to_be_read_is_named_where_it_is_put) {
  std::string a, c, d;
  const Graph g = chain_with_a_skip(&a, nullptr, &c, &d);
  NpuProgram p = test::lowered(g);
  forget_names(p);
  const int last = made(p, d).epoch;
  const auto at = std::ranges::find_if(
      p.buffers, [&](const NpuBuffer& b) { return without_copies(b.name).starts_with(c); });
  const std::uint64_t from = at->address(), to = made(p, a).address();
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && e.number >= at->epoch && e.number <= last &&
          place(u) == from && (e.number > at->epoch || number(u, "dir") == 1))
        move_to(u, to);
  const auto by = static_cast<std::int64_t>(to) - static_cast<std::int64_t>(from);
  at->start += by, at->end += by;
  EXPECT_TRUE(names(test::errors_in(p, g), "overwritten", at->epoch));
}

TEST(NpuAuditFlow, a_table_that_claims_a_tensor_of_four_gigabytes_is_not_walked_through) {
  const Graph g = chain_with_a_skip();
  NpuProgram p = test::lowered(g);
  const auto it = std::ranges::find_if(
      p.buffers, [](const NpuBuffer& b) { return !b.is_param && b.epoch > 0; });
  it->end = it->limit = std::int64_t{1} << 32;
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok()) << sim.error().line();  // the pools are as they were
  EXPECT_TRUE(npu_provenance(*sim).makings.empty());
}

std::vector<NpuFinding> errors_alone(const NpuProgram& p) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  EXPECT_TRUE(sim.ok());
  auto found = sim.ok() ? audit_npu(*sim, nullptr) : Result<std::vector<NpuFinding>>(sim.error());
  EXPECT_TRUE(found.ok());
  if (!found.ok()) return {};
  std::erase_if(*found, [](const NpuFinding& f) { return f.severity != NpuSeverity::error; });
  return std::move(found).value();
}

TEST(NpuAuditAlone, a_wrong_shift_a_wrong_factor_and_a_lost_zero_point_need_no_model) {
  std::string a, b;
  const Graph g = chain_with_a_skip(&a, &b);
  const NpuProgram clean = test::lowered(g);
  ASSERT_TRUE(errors_alone(clean).empty());
  const int epoch = made(clean, b).epoch;
  const auto planted = [&](NpuKind kind, const char* field, auto edit, auto fits) {
    NpuProgram p = clean;
    for (NpuEpoch& e : p.epochs)
      for (NpuUnit& u : e.units)
        if (e.number == epoch && u.id.kind == kind && fits(u)) edit(number(u, field));
    return errors_alone(p);
  };
  const auto any = [](NpuUnit&) { return true; };
  const auto single = [](NpuUnit& u) {
    return number(u, "A_scalar") > 1 && number(u, "A_scalar") != 16384;
  };
  EXPECT_TRUE(names(planted(
                        NpuKind::conv, "shift_o", [](auto& v) { ++v; }, any),
                    "multiplier-wrong", epoch));
  EXPECT_TRUE(names(planted(
                        NpuKind::arith, "A_scalar", [](auto& v) { v -= v / 50; }, single),
                    "multiplier-wrong", epoch));
  EXPECT_TRUE(names(planted(
                        NpuKind::arith, "shift_o", [](auto& v) { --v; }, single),
                    "multiplier-wrong", epoch));
}

TEST(NpuAuditAlone, the_coefficients_of_a_sum_are_held_to_the_scales_of_the_tables) {
  const Graph g = chain_with_a_skip();
  NpuProgram p = test::lowered(g);
  const int sum = p.epochs.back().number;
  for (NpuUnit& u : p.epochs.back().units)
    if (u.id.kind == NpuKind::arith && number(u, "dualinput") == 1)
      std::swap(number(u, "A_scalar"), number(u, "B_scalar")), number(u, "B_scalar") /= 2;
  EXPECT_TRUE(names(errors_alone(p), "operands-wrong", sum));
}

}  // namespace
}  // namespace lockstep
