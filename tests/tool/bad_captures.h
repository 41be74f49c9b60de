#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "run/recording.h"
#include "support/command.h"
#include "support/temporary.h"

namespace lockstep::test {

inline const std::string model = "examples/s1/tcn_int8.onnx", golden = "examples/s1/golden.npz";
inline constexpr std::int64_t samples = 16;

// Right captures of examples/s1, for a test to spoil.
class BadCaptures : public testing::Test {
 protected:
  void SetUp() override {
    const auto ran =
        run_tool("run " + model + " --input " + golden + " --all -o " + scratch / "all.npz");
    ASSERT_EQ(ran.code, 0) << ran.err;
    auto read = read_npz(scratch / "all.npz");
    ASSERT_TRUE(read.ok());
    for (auto& [name, array] : *read)
      if (array.shape.size() > 1 && array.shape[0] == samples) all.emplace_back(name, array);
    ASSERT_GT(all.size(), 20u);
  }

  NpyArray& array(const std::string& name) {
    for (auto& [own, value] : all)
      if (own == name) return value;
    ADD_FAILURE() << "no " << name;
    return all[0].second;
  }
  void leave_out(const std::string& name) {
    std::erase_if(all, [&](const auto& m) { return m.first == name; });
  }
  void only(const std::string& name) {
    std::erase_if(all, [&](const auto& m) { return m.first != name; });
  }

  // Sample i of every array becomes its sample order[i].
  void resample(const std::vector<std::size_t>& order) {
    for (auto& [name, a] : all) {
      const std::size_t each = a.bytes.size() / samples;
      Bytes bytes;
      for (const std::size_t i : order)
        bytes.insert(bytes.end(), a.bytes.begin() + static_cast<std::ptrdiff_t>(i * each),
                     a.bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * each));
      a.bytes = std::move(bytes);
      a.shape[0] = static_cast<std::int64_t>(order.size());
    }
  }

  std::string verdict(int code) {
    EXPECT_TRUE(write_npz(scratch / "bad.npz", all).ok());
    const auto ran = run_tool("validate " + model + " --input " + golden + " --target " +
                              scratch / "bad.npz" + " --json " + scratch / "r.json");
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    if (ran.code == 2) return ran.err;
    report = nlohmann::json::parse(text_of(scratch / "r.json"));
    return report["verdict"];
  }

  // Said in so many words, with exit code 1 and no suspect that could be taken for a cause.
  void refused(const std::string& words) {
    const std::string said = verdict(1);
    EXPECT_NE(said.find("the captures do not belong to this run"), said.npos) << said;
    EXPECT_NE(said.find(words), said.npos) << said;
    EXPECT_TRUE(report["suspects"].empty()) << report["suspects"];
  }

  std::vector<std::size_t> in_order() const {
    std::vector<std::size_t> order(samples);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
  }

  TemporaryFolder scratch;
  NpzMembers all;
  nlohmann::json report;
};

}  // namespace lockstep::test
