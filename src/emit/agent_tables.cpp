#include "emit/agent_tables.h"

#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/dtype.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;

constexpr std::string_view head =
    R"(/* @name@.c as Lockstep's agent shows it: tables and the way from its observer to the agent's. */
#include <stddef.h>

#include "lockstep_agent.h"
#include "@name@.h"

)";

constexpr std::string_view tail = R"(
typedef struct {
  lockstep_agent_observer observer;
  void *context;
  int seen, failed;
} bridge_state;

/* Outputs of one node come one by one; the agent takes them together. */
static void bridge(void *user, int node, int output, const void *data, size_t bytes) {
  bridge_state *b = (bridge_state *)user;
  lockstep_agent_node told = {0};
  (void)output;
  (void)bytes;
  if (b->failed || node < 0 || node >= @NAME@_NODES) return;
  node_tensors[nodes[node].first + b->seen].data = (void *)(uintptr_t)data;
  if (++b->seen < nodes[node].count) return;
  b->seen = 0;
  told.name = nodes[node].name;
  told.id = (uint32_t)node;
  told.tensors = &node_tensors[nodes[node].first];
  told.tensor_count = (size_t)nodes[node].count;
  if (b->observer(b->context, &told) != 0) b->failed = 1;
}

static int run(void *self, int first, lockstep_agent_observer observer, void *context) {
  bridge_state b = {NULL, NULL, 0, 0};
  (void)self;
  b.observer = observer;
  b.context = context;
  if (first) @name@_init();
  @name@_observe(observer ? bridge : NULL, &b);
  @name@_run();
  @name@_observe(NULL, NULL);
  return b.failed;
}

const lockstep_agent_network *@name@_agent_network(void);
const lockstep_agent_network *@name@_agent_network(void) {
  static lockstep_agent_network network;
  int i;
  for (i = 0; i < @NAME@_INPUTS; ++i) inputs[i].data = @name@_input(i);
  for (i = 0; i < @NAME@_OUTPUTS; ++i) outputs[i].data = (void *)(uintptr_t)@name@_output(i);
  network.name = "@name@";
  network.signature = "lockstep:" @NAME@_MODEL_HASH;
  network.compiled = __DATE__ " " __TIME__;
  network.runtime = "Lockstep " @NAME@_ARITHMETIC;
  network.nodes = @NAME@_NODES;
  network.activation_bytes = @NAME@_ACTIVATION_BYTES;
  network.parameter_bytes = @NAME@_WEIGHT_BYTES;
  network.runtime_id = 1;
  network.inputs = inputs;
  network.outputs = outputs;
  network.input_count = @NAME@_INPUTS;
  network.output_count = @NAME@_OUTPUTS;
  network.run = run;
  return &network;
}
)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 63)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= ' ' && c < 127 ? c : '?';
  }
  return out + "\"";
}

std::string_view format_of(const std::string& dtype) {
  if (dtype == "float32") return "LOCKSTEP_FORMAT_F32";
  if (dtype == "int8") return "LOCKSTEP_FORMAT_S8";
  if (dtype == "uint8") return "LOCKSTEP_FORMAT_U8";
  if (dtype == "int16") return "LOCKSTEP_FORMAT_S16";
  if (dtype == "uint16") return "LOCKSTEP_FORMAT_U16";
  if (dtype == "int32") return "LOCKSTEP_FORMAT_S32";
  if (dtype == "int64") return "LOCKSTEP_FORMAT_S64";
  if (dtype == "bool") return "LOCKSTEP_FORMAT_BOOL";
  return "";
}

// Tables of tensors: extents apart, then one row each. An extent list is cut to six axes by joining
// the first.
class Tables {
 public:
  Result<void> add(const Json& t) {
    const auto dtype = t.at("dtype").get<std::string>();
    if (format_of(dtype).empty())
      return Error{"tensor '" + t.at("name").get<std::string>() + "'", dtype,
                   "a type of the validation protocol", ""};
    auto shape = t.at("shape").get<std::vector<long long>>();
    const bool last = t.contains("order");
    if (last) {
      auto lies = shape;
      for (std::size_t d = 0; d < lies.size(); ++d)
        lies[d] = shape.at(t["order"][d].get<std::size_t>());
      shape = std::move(lies);
    }
    if (shape.empty()) shape.push_back(1);
    while (shape.size() > 6) {
      shape[1] *= shape[0];
      shape.erase(shape.begin());
    }
    std::string extents;
    for (const long long extent : shape)
      extents += (extents.empty() ? "" : ", ") + std::to_string(extent) + "u";
    dims_ += fmt::format("static const uint32_t dims_{}[] = {{{}}};\n", count_, extents);
    const bool scaled = t.contains("scale") && t["scale"].size() == 1;
    const double scale = scaled ? t["scale"][0].get<double>() : 0;
    const int zero =
        scaled && t.contains("zero") && !t["zero"].empty() ? t["zero"][0].get<int>() : 0;
    rows_ += fmt::format("    {{{}, {}, {}u{}, dims_{}, {:.9e}f, {}, NULL, {}u, 0u}},\n",
                         quoted(t.at("name").get<std::string>()), format_of(dtype), shape.size(),
                         last ? " | LOCKSTEP_CHANNELS_LAST" : "", count_, scale, zero,
                         t.at("bytes").get<long long>());
    ++count_;
    return {};
  }
  // The rows since the last call as an array.
  std::string table(const std::string& name) {
    const std::string text =
        fmt::format("static lockstep_agent_tensor {}[] = {{\n{}}};\n\n", name, rows_);
    rows_.clear();
    return text;
  }
  const std::string& dims() const { return dims_; }

 private:
  std::string dims_, rows_;
  int count_ = 0;
};

Result<std::string> tables_of(const Json& j) {
  Tables tables;
  std::string text, rows;
  for (const char* part : {"inputs", "outputs"}) {
    for (const Json& t : j.at(part)) LOCKSTEP_CHECK(tables.add(t));
    text += tables.table(part);
  }
  int first = 0;
  for (const Json& node : j.at("nodes")) {
    int count = 0;
    for (const Json& t : node.at("outputs")) {
      if (t.is_null() || t.value("inner", false)) continue;
      LOCKSTEP_CHECK(tables.add(t));
      ++count;
    }
    rows += fmt::format("    {{{}, {}, {}}},\n", first, count,
                        quoted(node.at("name").get<std::string>()));
    first += count;
  }
  text += tables.table("node_tensors");
  text += "static const struct {\n  int first, count;\n  const char *name;\n} nodes[] = {\n" +
          rows + "};\n";
  return tables.dims() + "\n" + text;
}

}  // namespace

Result<std::string> agent_tables(const std::string& manifest) {
  try {
    const Json j = Json::parse(manifest);
    LOCKSTEP_TRY(const std::string tables, tables_of(j));
    const auto name = j.at("name").get<std::string>();
    std::string upper = name;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const std::string text = std::string(head) + tables + std::string(tail);
    return replaced(replaced(text, "@name@", name), "@NAME@", upper);
  } catch (const std::exception& e) {
    return Error{"network.json", e.what(), "a manifest of lockstep generate", ""};
  }
}

}  // namespace lockstep
