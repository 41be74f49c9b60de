// The C text of a generated network: interface, pools, calls.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/text.h"
#include "emit/network_templates.h"
#include "emit/work.h"

namespace lockstep {

std::string c_upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// C comments must not end early.
std::string c_comment(std::string text) {
  for (std::size_t at = text.find("*/"); at != std::string::npos; at = text.find("*/"))
    text.replace(at, 2, "* ");
  for (std::size_t at = text.find("/*"); at != std::string::npos; at = text.find("/*"))
    text.replace(at, 2, "/ ");
  return text;
}

namespace {

// Text with @name@ (the prefix), @NAME@ and given words replaced.
class Template {
 public:
  explicit Template(const std::string& name) { set("name", name), set("NAME", c_upper(name)); }
  Template& set(const std::string& word, const std::string& text) {
    words_.emplace_back("@" + word + "@", text);
    return *this;
  }
  std::string fill(std::string_view from) const {
    std::string out(from);
    for (const auto& [word, text] : words_)
      for (std::size_t at = out.find(word); at != std::string::npos;
           at = out.find(word, at + text.size()))
        out.replace(at, word.size(), text);
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> words_;
};

std::string quant_comment(const Value& v) {
  if (!v.quant.quantized()) return "";
  if (v.quant.per_channel())
    return fmt::format(", {} scales along axis {}", v.quant.scale.size(), v.quant.axis);
  return fmt::format(", scale {:.9g}, zero {}", v.quant.scale_at(0), v.quant.zero_at(0));
}

std::string ends_text(const GenerateWork& w, std::span<const ValueId> ids,
                      const std::string& what) {
  std::string out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value& v = w.graph.value(ids[i]);
    const std::string prefix = c_upper(w.options.name) + "_" + what + "_" + std::to_string(i);
    out +=
        fmt::format("/* {}: {}{}{} */\n#define {}_BYTES {}u\n", c_comment(v.name), name_of(v.dtype),
                    shape_text(v.shape), quant_comment(v), prefix, bytes_of(v));
    if (v.quant.quantized() && !v.quant.per_channel())
      out +=
          fmt::format("#define {}_SCALE {}\n#define {}_ZERO {}\n", prefix,
                      c_float(static_cast<float>(v.quant.scale_at(0))), prefix, v.quant.zero_at(0));
  }
  return out;
}

std::string pools_text(const GenerateWork& w) {
  std::string out;
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i) {
    const Pool& p = w.plan.pools[i];
    if (w.plan.used[i] == 0) continue;
    const std::string macro =
        c_upper(w.options.name) + "_" + c_upper(c_identifier(p.name)) + "_SECTION";
    const std::string array = fmt::format(
        "#ifndef {0}\n#define {0}\n#endif\nstatic uint8_t {1}[{2}] {3}_ALIGNED {0};\n", macro,
        c_identifier(p.name), w.plan.used[i] + pool_slack, c_upper(w.options.name));
    // At its address, or where the linker puts it, for a machine that has no such memory.
    out += p.base < 0 ? array
                      : fmt::format(
                            "#ifdef {}_POOLS_ANYWHERE\n{}#else\n#define {} ((uint8_t "
                            "*)(uintptr_t){:#x}u)\n#endif\n",
                            c_upper(w.options.name), array, c_identifier(p.name), p.base);
  }
  return out;
}

std::string pool_cases(const GenerateWork& w) {
  std::string out;
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i)
    if (w.plan.used[i] > 0)
      out += fmt::format("    case {}: *bytes = {}u; return {};\n", i, w.plan.used[i],
                         c_identifier(w.plan.pools[i].name));
  return out;
}

std::string end_cases(GenerateWork& w, std::span<const ValueId> ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size(); ++i)
    out += fmt::format("    case {}: return {};\n", i, w.address_of(ids[i]));
  return out;
}

bool calls_library(const GenerateWork& w) {
  return !w.library_sources.empty();
}

// States start at their first values, or at all zero points.
std::string init_text(GenerateWork& w) {
  std::string out;
  for (const State& s : w.graph.states()) {
    const Value& v = w.graph.value(s.in);
    if (s.initial)
      out += fmt::format("  memcpy({}, {}, {}u);\n", w.address_of(s.in),
                         w.constants.add_tensor(*s.initial, "state_" + std::to_string(s.in)),
                         bytes_of(v));
    else
      out += fmt::format("  memset({}, {}, {}u);\n", w.address_of(s.in),
                         v.quant.quantized() && size_of(v.dtype) == 1 ? v.quant.zero_at(0) : 0,
                         bytes_of(v));
  }
  if (calls_library(w)) out += "  library_status = 0;\n";
  return out.empty() ? "  /* no states */\n" : out;
}

std::string body_text(GenerateWork& w) {
  std::string out;
  const std::string name = c_upper(w.options.name);
  for (NodeWriter& n : w.nodes) {
    const NodeView& v = n.view();
    const Value& y = v.output(0);
    out += fmt::format("  /* {}: {} '{}' -> {}{} */\n  {}_NODE_BEGIN({});\n{}  {}_NODE_END({});\n",
                       n.id(), v.node.op, c_comment(v.node.name), name_of(y.dtype),
                       shape_text(y.shape), name, n.id(), n.body(), name, n.id());
    for (std::size_t o = 0; o < v.node.outputs.size(); ++o)
      if (v.node.outputs[o] != no_id &&
          !w.layout.inner[static_cast<std::size_t>(v.node.outputs[o])])
        out += fmt::format("  observe({}, {}, {}, {}u);\n", n.id(), o,
                           w.address_of(v.node.outputs[o]), bytes_of(v.output(o)));
  }
  for (const State& s : w.graph.states())
    out += fmt::format("  memcpy({}, {}, {}u);\n", w.address_of(s.in), w.address_of(s.out),
                       bytes_of(w.graph.value(s.in)));
  return out;
}

// What both files are filled with.
Template network_template(const GenerateWork& w) {
  Template t(w.options.name);
  // Not its folder: the same model yields the same files anywhere.
  t.set("model", c_comment(std::filesystem::path(w.graph.file()).filename().string()))
      .set("hash", w.options.model_hash)
      .set("arithmetic", std::string(w.arithmetic.name))
      .set("nodes", std::to_string(w.nodes.size()))
      .set("inputs", std::to_string(w.graph.inputs().size()))
      .set("outputs", std::to_string(w.graph.outputs().size()))
      .set("arena", std::to_string(w.activation_bytes()))
      .set("weights", std::to_string(w.constants.bytes()));
  return t;
}

}  // namespace

static std::string check_text(const GenerateWork& w) {
  return "/* Whether " + w.options.name +
         "_weights.bin stands where it is read: 0; 1: nothing does, 2: that of another model or "
         "size, "
         "3: its bytes differ. */\nint " +
         w.options.name + "_check_weights(void);\n\n";
}

std::string network_header(GenerateWork& w) {
  return network_template(w)
      .set("check", w.options.weights_apart ? check_text(w) : "")
      .set("status", calls_library(w) ? network_template(w).fill(status_part) : "")
      .set("ends",
           ends_text(w, w.graph.inputs(), "INPUT") + ends_text(w, w.graph.outputs(), "OUTPUT"))
      .fill(header_template);
}

// The widest of the kernels' headers that are needed: each includes those behind it, but the first
// two one another.
static std::string kernel_include(const GenerateWork& w) {
  const std::set<std::string> used = runtime_of(w);
  std::string out;
  for (const char* const header : {"ls_index.h", "ls_layer.h", "ls_number.h", "ls_any.h"}) {
    const bool apart = header == std::string_view("ls_layer.h");
    if (used.contains(header) && (out.empty() || apart))
      out += fmt::format("#include \"{}\"\n", header);
  }
  if (out.empty()) out = "#include \"ls_rt.h\"\n";
  return out + (used.contains("ls_detect.h") ? "#include \"ls_detect.h\"\n" : "");
}

std::string network_source(GenerateWork& w) {
  std::string statics;
  for (const NodeWriter& n : w.nodes) statics += n.statics().empty() ? "" : n.statics() + "\n";
  const std::string body = body_text(w);
  const bool reals = (statics + body).find("INFINITY") != std::string::npos ||
                     statics.find("NAN") != std::string::npos;
  return network_template(w)
      .set("math_include", reals ? "#include <math.h>\n" : "")
      .set("kernel_include", kernel_include(w))
      .set("pools", pools_text(w))
      .set("library_include", calls_library(w) ? "#include \"arm_nnfunctions.h\"\n" : "")
      .set("library", calls_library(w) ? network_template(w).fill(library_part) : "")
      .set("statics", statics)
      .set("init", init_text(w))
      .set("pool_cases", pool_cases(w))
      .set("input_cases", end_cases(w, w.graph.inputs()))
      .set("output_cases", end_cases(w, w.graph.outputs()))
      .set("body", body)
      .fill(source_template);
}

}  // namespace lockstep
