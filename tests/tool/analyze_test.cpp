#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/command.h"
#include "support/shared.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;

// What `analyze` prints and what it writes, of one model.
struct Both {
  std::vector<std::string> lines;
  Json json;

  // Lines that match, each as its groups.
  std::vector<std::smatch> all(const std::string& form) const {
    std::vector<std::smatch> found;
    const std::regex pattern(form);
    for (const std::string& line : lines)
      if (std::smatch m; std::regex_match(line, m, pattern)) found.push_back(m);
    return found;
  }
  std::string one(const std::string& form) const {
    const auto found = all(form);
    EXPECT_EQ(found.size(), 1) << form;
    return found.size() == 1 ? found[0].str(1) : "";
  }
};

Both both_of(const std::string& model) {
  const test::Folder folder;
  const test::Ran ran =
      test::run_tool("analyze '" + model + "' --json " + (folder / "analysis.json"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  Both b;
  std::istringstream text(ran.out);
  for (std::string line; std::getline(text, line);) b.lines.push_back(line);
  b.json = Json::parse(test::text_of(folder / "analysis.json"), nullptr, false);
  EXPECT_TRUE(b.json.is_object());
  return b;
}

std::string text(const Json& j) {
  return j.is_string() ? j.get<std::string>() : j.dump();
}

std::string joined(const Json& shape, const char* between) {
  std::string s;
  for (const Json& e : shape) s += (s.empty() ? "" : between) + e.dump();
  return s;
}

std::string size_of(const Json& bytes) {
  const auto n = bytes.get<std::int64_t>();
  return n < 1024 ? fmt::format("{} B", n)
                  : fmt::format("{} B ({:.2f} KiB)", n, static_cast<double>(n) / 1024);
}

void expect_same_totals(const Both& b) {
  const Json& j = b.json;
  EXPECT_EQ(b.one("model file +: +(.*)"), text(j["model"]));
  EXPECT_EQ(b.one("type +: +(.*)"), text(j["type"]));
  EXPECT_EQ(b.one("target/series +: +(\\S+),.*"), text(j["device"]));
  EXPECT_EQ(b.one("macc +: +(.*)"), text(j["macs"]));
  EXPECT_EQ(b.one("params # +: +(\\d+) items"), text(j["parameters"]));
  EXPECT_EQ(b.one("weights \\(ro\\) +: +(.*)"), size_of(j["weight_bytes"]));
  EXPECT_EQ(b.one("activations \\(rw\\) +: +(.*)"), size_of(j["activation_bytes"]));
  EXPECT_EQ(b.one("ram \\(total\\) +: +(.*)"), size_of(j["activation_bytes"]));
  EXPECT_EQ(b.one("Predicted epochs +: +(.*)"), text(j["epochs"]));
  EXPECT_EQ(b.one("Estimated latency +: +(.*)"),
            fmt::format("{:.2f} ms ({})", j["latency_ms"].get<double>(), text(j["latency_error"])));
  const Json& m = j["mapping"];
  EXPECT_EQ(
      b.one("Mapping +: +(.*)"),
      fmt::format("{} HW, {} DMA, {} CPU integer, {} CPU float, {} without work", text(m["HW"]),
                  text(m["DMA"]), text(m["CPU int"]), text(m["CPU float"]), text(m["-"])));
}

// Inputs and outputs: name, type, shape, size, quantization.
void expect_same_values(const Both& b, const std::string& what) {
  const auto rows = b.all(what +
                          " (\\d+)/(\\d+) +: +'(.*)', (\\w+)\\(([0-9x]*)\\), ([0-9.]+) "
                          "KBytes(?:, QLinear\\(([^)]*)\\))?");
  const Json& values = b.json[what + "s"];
  ASSERT_EQ(rows.size(), values.size()) << what;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& v = values[i];
    EXPECT_EQ(rows[i].str(3), text(v["name"]));
    EXPECT_EQ(rows[i].str(4), text(v["type"]));
    EXPECT_EQ(rows[i].str(5), joined(v["shape"], "x"));
    EXPECT_EQ(rows[i].str(6), fmt::format("{:.2f}", v["bytes"].get<double>() / 1024));
    EXPECT_EQ(rows[i].str(7), v.contains("scale")
                                  ? fmt::format("{:.9f},{},{}", v["scale"].get<double>(),
                                                text(v["zero_point"]), text(v["type"]))
                                  : "");
  }
}

// The table of operations: every column, and their sums against the totals.
void expect_same_nodes(const Both& b) {
  const auto rows = b.all(
      " *(\\d+)  (.{44}) (\\S+) +(\\[[^\\]]*\\]) +(\\d+) +(\\d+) +([0-9.]+)  "
      "(HW|DMA|CPU int|CPU float|-) +(.*)");
  const Json& nodes = b.json["nodes"];
  ASSERT_EQ(rows.size(), nodes.size());
  std::map<std::string, std::int64_t> counted;
  std::int64_t macs = 0, parameters = 0, bytes = 0, epochs = 0;
  double us = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& n = nodes[i];
    const std::string name = text(n["node"]);
    std::string shown = rows[i].str(2);
    shown.erase(shown.find_last_not_of(' ') + 1);
    EXPECT_EQ(rows[i].str(1), std::to_string(i));
    EXPECT_TRUE(shown == name || (shown.starts_with("...") && name.ends_with(shown.substr(3))))
        << shown << " for " << name;
    EXPECT_EQ(rows[i].str(3), text(n["op"]));
    EXPECT_EQ(rows[i].str(4), "[" + joined(n["shape"], ",") + "]");
    EXPECT_EQ(rows[i].str(5), text(n["parameter_bytes"]));
    EXPECT_EQ(rows[i].str(6), text(n["macs"]));
    EXPECT_EQ(rows[i].str(7), fmt::format("{:.1f}", n["us"].get<double>()));
    EXPECT_EQ(rows[i].str(8), text(n["mapping"]));
    const bool odd = !n["channels_aligned"].get<bool>() && n["channels"].get<std::int64_t>() > 1;
    EXPECT_EQ(
        rows[i].str(9),
        text(n["rule"]) + (odd ? fmt::format("; {} channels, no multiple of {}",
                                             text(n["channels"]), text(b.json["channel_group"]))
                               : ""));
    ++counted[text(n["mapping"])];
    macs += n["macs"].get<std::int64_t>(), parameters += n["parameters"].get<std::int64_t>(),
        bytes += n["parameter_bytes"].get<std::int64_t>(),
        epochs += n["epochs"].get<std::int64_t>();
    us += n["us"].get<double>();
  }
  for (const auto& [place, count] : b.json["mapping"].items())
    EXPECT_EQ(counted[place], count.get<std::int64_t>()) << place;
  EXPECT_EQ(macs, b.json["macs"]);
  EXPECT_EQ(parameters, b.json["parameters"]);
  EXPECT_EQ(bytes, b.json["weight_bytes"]);
  EXPECT_EQ(epochs, b.json["epochs"]);
  EXPECT_NEAR(us / 1000, b.json["latency_ms"].get<double>(), 1e-6 * us);
}

void expect_same_memories(const Both& b) {
  const auto rows = b.all("(\\S+) +0x([0-9a-f]{8}) +(\\d+) of +(\\d+) +([0-9.]+) %  .*");
  const Json& memories = b.json["memories"];
  ASSERT_EQ(rows.size(), memories.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& m = memories[i];
    EXPECT_EQ(rows[i].str(1), text(m["name"]));
    EXPECT_EQ(rows[i].str(2), fmt::format("{:08x}", m["base"].get<std::uint64_t>()));
    EXPECT_EQ(rows[i].str(3), text(m["used"]));
    EXPECT_EQ(rows[i].str(4), text(m["size"]));
    EXPECT_EQ(rows[i].str(5),
              fmt::format("{:.2f}", 100 * m["used"].get<double>() / m["size"].get<double>()));
  }
  const auto homeless = b.all("no room    (.*): (.*) in no memory of the device; .*");
  ASSERT_EQ(homeless.size(), b.json["no_room"].size());
  for (std::size_t i = 0; i < homeless.size(); ++i) {
    EXPECT_EQ(homeless[i].str(1), text(b.json["no_room"][i]["name"]));
    EXPECT_EQ(homeless[i].str(2), size_of(b.json["no_room"][i]["bytes"]));
  }
}

void expect_same_edits(const Both& b) {
  const Json &edits = b.json["edits"], &scales = b.json["scales"];
  const auto shown = b.all(" *([0-9.]+) us  (.*)"), advice = b.all(" +do: (.*)");
  ASSERT_EQ(shown.size(), edits.size());
  ASSERT_EQ(advice.size(), edits.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    EXPECT_EQ(shown[i].str(1), fmt::format("{:.1f}", edits[i]["us"].get<double>()));
    EXPECT_EQ(shown[i].str(2), text(edits[i]["node"]) + ": " + text(edits[i]["why"]));
    EXPECT_EQ(advice[i].str(1), text(edits[i]["do"]));
  }
  const auto lost = b.all(
      "(.*): (\\d+) of (\\d+) channels keep fewer than 7 bits \\(largest scale "
      "over smallest (\\d+)\\); .*");
  ASSERT_EQ(lost.size(), scales.size());
  for (std::size_t i = 0; i < lost.size(); ++i) {
    EXPECT_EQ(lost[i].str(1), text(scales[i]["node"]));
    EXPECT_EQ(lost[i].str(2), text(scales[i]["lost"]));
    EXPECT_EQ(lost[i].str(3), text(scales[i]["channels"]));
    EXPECT_EQ(lost[i].str(4), fmt::format("{:.0f}", scales[i]["ratio"].get<double>()));
  }
}

void expect_the_same(const std::string& model) {
  SCOPED_TRACE(model);
  const Both b = both_of(model);
  expect_same_totals(b);
  expect_same_values(b, "input");
  expect_same_values(b, "output");
  expect_same_nodes(b);
  expect_same_memories(b);
  expect_same_edits(b);
}

TEST(Analyze, every_figure_of_its_text_is_in_its_json) {
  expect_the_same("examples/s1/tcn_int8.onnx");
}

// Many layers, floats, tensors without a room, multipliers that lose their bits, 16-bit codes.
TEST(Analyze, every_figure_of_real_models_is_in_their_json) {
  LOCKSTEP_NEEDS_SHARED();
  for (const char* name :
       {"st/yamnet_1024_64x96_qdq_int8.onnx", "st/face_landmarks_v1_192_qdq_int8.onnx",
        "st/blazeface_front_128_int8.tflite", "mlperf/resnet_large_float.tflite",
        "antispoof/facenox_detector_fp32.onnx", "face/mobilefacenet_int8_faces.onnx",
        "birdnet/birdnet_stm32n6_100_int8.tflite", "timeseries/robotarm_lstm_v1.tflite"})
    expect_the_same(test::shared_folder() + "/models/" + name);
}

}  // namespace
}  // namespace lockstep
