#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "arith/arith.h"
#include "fault/fault.h"
#include "op/op.h"
#include "pass/pass.h"
#include "target/target.h"

namespace lockstep {
namespace {

template <class Table>
void expect_unique_names(const Table& table) {
  std::set<std::string_view> names;
  for (const auto* entry : table) {
    EXPECT_FALSE(entry->name.empty());
    EXPECT_TRUE(names.insert(entry->name).second) << entry->name << " stands twice";
  }
  EXPECT_FALSE(names.empty());
}

TEST(Registries, hold_every_name_once) {
  expect_unique_names(op_table());
  expect_unique_names(arith_table());
  expect_unique_names(fault_table());
  expect_unique_names(target_table());
}

TEST(Registries, every_operator_has_a_meaning_a_shape_rule_and_an_evaluation) {
  for (const OpDef* op : op_table()) {
    EXPECT_FALSE(op->meaning.empty()) << op->name;
    EXPECT_NE(op->infer, nullptr) << op->name;
    EXPECT_NE(op->eval, nullptr) << op->name;
    EXPECT_FALSE(op->outputs.empty()) << op->name;
    for (const Rule& rule : op->rules) EXPECT_FALSE(rule.text.empty()) << op->name;
  }
}

TEST(Registries, every_foreign_operator_is_read_by_one_entry) {
  std::set<std::pair<Format, std::string_view>> seen;
  for (const OpDef* op : op_table())
    for (const Foreign& foreign : op->from)
      EXPECT_TRUE(seen.emplace(foreign.format, foreign.op).second)
          << foreign.op << " is read twice";
}

TEST(Registries, every_arithmetic_names_existing_passes) {
  for (const Arithmetic* a : arith_table()) {
    EXPECT_NE(a->numerics, nullptr) << a->name;
    for (const std::string_view pass : a->passes)
      EXPECT_NE(find_pass(pass), nullptr) << a->name << ": " << pass;
  }
}

TEST(Registries, every_fault_has_a_claim_and_an_advice) {
  for (const FaultDef* fault : fault_table()) {
    EXPECT_FALSE(fault->claim.empty()) << fault->name;
    EXPECT_FALSE(fault->advice.empty()) << fault->name;
    EXPECT_NE(fault->applies, nullptr) << fault->name;
    EXPECT_NE(fault->candidates, nullptr) << fault->name;
    EXPECT_NE(fault->replay, nullptr) << fault->name;
  }
}

}  // namespace
}  // namespace lockstep
