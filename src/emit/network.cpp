// The files of a generated network.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "emit/emit.h"
#include "emit/node.h"

namespace lockstep {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Text with @name@ (the prefix), @NAME@ and given words replaced.
class Template {
 public:
  explicit Template(const std::string& name) { set("name", name), set("NAME", upper(name)); }
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

// Bytes behind each pool: vector kernels read whole vectors, beyond a tensor's end.
constexpr std::int64_t slack = 16;

// What holds the pieces of one generation.
struct Work {
  const Graph& lowered;
  const Arithmetic& arithmetic;
  const GenerateOptions& options;
  Lives lives;
  MemoryPlan plan;
  ConstantPool constants;
  std::vector<NodeWriter> nodes;
  const Graph& graph() const { return lowered; }
};

// Every node that has no C, the first as the error, the kinds of the others in its hint.
class Missing {
 public:
  void add(const Error& error, const std::string& op) {
    if (!first_) first_ = error;
    kinds_.insert(op);
    ++count_;
  }
  Result<void> answer() const {
    if (!first_) return {};
    Error e = *first_;
    if (count_ > 1)
      e.hint = std::to_string(count_) + " nodes have none: " +
               join(std::vector<std::string>(kinds_.begin(), kinds_.end()), ", ");
    return e;
  }

 private:
  std::optional<Error> first_;
  std::set<std::string> kinds_;
  int count_ = 0;
};

const Place& place_of(const Work& w, ValueId v) {
  return w.plan.places[static_cast<std::size_t>(w.lives.of_value[static_cast<std::size_t>(v)])];
}

std::string address_of(Work& w, ValueId v) {
  const Value& value = w.graph().value(v);
  if (value.constant)
    return w.constants.add_tensor(*value.constant, "constant_" + std::to_string(v));
  const Place& p = place_of(w, v);
  return fmt::format("{} + {}", c_identifier(w.plan.pools[static_cast<std::size_t>(p.pool)].name),
                     p.offset);
}

std::string quant_comment(const Value& v) {
  if (!v.quant.quantized()) return "";
  if (v.quant.per_channel())
    return fmt::format(", {} scales along axis {}", v.quant.scale.size(), v.quant.axis);
  return fmt::format(", scale {:.9g}, zero {}", v.quant.scale_at(0), v.quant.zero_at(0));
}

// C comments must not end early.
std::string comment_text(std::string text) {
  for (std::size_t at = text.find("*/"); at != std::string::npos; at = text.find("*/"))
    text.replace(at, 2, "* ");
  for (std::size_t at = text.find("/*"); at != std::string::npos; at = text.find("/*"))
    text.replace(at, 2, "/ ");
  return text;
}

std::string ends_text(const Work& w, std::span<const ValueId> ids, const std::string& what) {
  std::string out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value& v = w.graph().value(ids[i]);
    const std::string prefix = upper(w.options.name) + "_" + what + "_" + std::to_string(i);
    out +=
        fmt::format("/* {}: {}{}{} */\n#define {}_BYTES {}u\n", comment_text(v.name),
                    name_of(v.dtype), shape_text(v.shape), quant_comment(v), prefix, bytes_of(v));
    if (v.quant.quantized() && !v.quant.per_channel())
      out +=
          fmt::format("#define {}_SCALE {}\n#define {}_ZERO {}\n", prefix,
                      c_float(static_cast<float>(v.quant.scale_at(0))), prefix, v.quant.zero_at(0));
  }
  return out;
}

constexpr std::string_view header = R"(/*
 * @model@, arithmetic @arithmetic@: generated C99.
 *
 *   @name@_init();
 *   memcpy(@name@_input(0), pixels, @NAME@_INPUT_0_BYTES);
 *   @name@_run();
 *   use(@name@_output(0));
 *
 * Inputs are overwritten by the run unless generated with --keep-inputs; outputs stay until the next one.
 * Nothing is allocated; not reentrant. Compile with -ffp-contract=off.
 */
#ifndef @NAME@_H
#define @NAME@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define @NAME@_API_VERSION 1
#define @NAME@_MODEL_HASH "@hash@" /* FNV-1a, 64 bits, of the model's file */
#define @NAME@_ARITHMETIC "@arithmetic@"
#define @NAME@_NODES @nodes@
#define @NAME@_INPUTS @inputs@
#define @NAME@_OUTPUTS @outputs@
#define @NAME@_ACTIVATION_BYTES @arena@u
#define @NAME@_WEIGHT_BYTES @weights@u

@ends@
/* Puts the states to their first values. Call before the first run, and to start a sequence anew. */
void @name@_init(void);

/* Buffers of input and output `index`; NULL beyond the last. 16-byte aligned. */
void *@name@_input(int index);
const void *@name@_output(int index);

/* One inference. */
void @name@_run(void);

/*
 * Called after every node for each of its outputs, while the buffer still holds it: the next nodes reuse
 * the memory. `node` and `output` count as in @name@.json. NULL switches it off.
 */
typedef void (*@name@_observer)(void *user, int node, int output, const void *data, size_t bytes);
void @name@_observe(@name@_observer observer, void *user);

/* The static memory that activations stand in. */
void *@name@_pool(int index, size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
)";

constexpr std::string_view source = R"(/* Generated from @model@; see @name@.h. */
#include "@name@.h"

#include <math.h>
#include <string.h>

#include "@name@_weights.h"
#include "ls_rt.h"

/* Called around every node, for instance to read a cycle counter: define both before this file is compiled. */
#ifndef @NAME@_NODE_BEGIN
#define @NAME@_NODE_BEGIN(node) ((void)0)
#define @NAME@_NODE_END(node) ((void)0)
#endif

/* Where a pool stands, for instance __attribute__((section(".dtcm"))). */
#ifndef @NAME@_ALIGNED
#define @NAME@_ALIGNED __attribute__((aligned(16)))
#endif
@pools@
static @name@_observer observer;
static void *observer_user;

static void observe(int node, int output, const void *data, size_t bytes) {
  if (observer != NULL) observer(observer_user, node, output, data, bytes);
}

@statics@
void @name@_init(void) {
@init@}

void *@name@_input(int index) {
  switch (index) {
@input_cases@    default: return NULL;
  }
}

const void *@name@_output(int index) {
  switch (index) {
@output_cases@    default: return NULL;
  }
}

void @name@_observe(@name@_observer new_observer, void *user) {
  observer = new_observer;
  observer_user = user;
}

void *@name@_pool(int index, size_t *bytes) {
  switch (index) {
@pool_cases@    default: *bytes = 0; return NULL;
  }
}

void @name@_run(void) {
@body@}
)";

std::int64_t activation_bytes(const Work& w) {
  std::int64_t bytes = 0;
  for (const std::int64_t used : w.plan.used) bytes += used > 0 ? used + slack : 0;
  return bytes;
}

std::string pools_text(const Work& w) {
  std::string out;
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i) {
    const Pool& p = w.plan.pools[i];
    if (w.plan.used[i] == 0) continue;
    const std::string macro =
        upper(w.options.name) + "_" + upper(c_identifier(p.name)) + "_SECTION";
    if (p.base >= 0) {
      out +=
          fmt::format("#define {} ((uint8_t *)(uintptr_t){:#x}u)\n", c_identifier(p.name), p.base);
      continue;
    }
    out +=
        fmt::format("#ifndef {0}\n#define {0}\n#endif\nstatic uint8_t {1}[{2}] {3}_ALIGNED {0};\n",
                    macro, c_identifier(p.name), w.plan.used[i] + slack, upper(w.options.name));
  }
  return out;
}

std::string pool_cases(const Work& w) {
  std::string out;
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i)
    if (w.plan.used[i] > 0)
      out += fmt::format("    case {}: *bytes = {}u; return {};\n", i, w.plan.used[i],
                         c_identifier(w.plan.pools[i].name));
  return out;
}

std::string end_cases(Work& w, std::span<const ValueId> ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size(); ++i)
    out += fmt::format("    case {}: return {};\n", i, address_of(w, ids[i]));
  return out;
}

// States start at their first values, or at all zero points.
std::string init_text(Work& w) {
  std::string out;
  for (const State& s : w.graph().states()) {
    const Value& v = w.graph().value(s.in);
    if (s.initial)
      out += fmt::format("  memcpy({}, {}, {}u);\n", address_of(w, s.in),
                         w.constants.add_tensor(*s.initial, "state_" + std::to_string(s.in)),
                         bytes_of(v));
    else
      out += fmt::format("  memset({}, {}, {}u);\n", address_of(w, s.in),
                         v.quant.quantized() && size_of(v.dtype) == 1 ? v.quant.zero_at(0) : 0,
                         bytes_of(v));
  }
  return out.empty() ? "  /* no states */\n" : out;
}

std::string body_text(Work& w) {
  std::string out;
  const std::string name = upper(w.options.name);
  for (NodeWriter& n : w.nodes) {
    const NodeView& v = n.view();
    const Value& y = v.output(0);
    out += fmt::format("  /* {}: {} '{}' -> {}{} */\n  {}_NODE_BEGIN({});\n{}  {}_NODE_END({});\n",
                       n.id(), v.node.op, comment_text(v.node.name), name_of(y.dtype),
                       shape_text(y.shape), name, n.id(), n.body(), name, n.id());
    for (std::size_t o = 0; o < v.node.outputs.size(); ++o)
      if (v.node.outputs[o] != no_id)
        out += fmt::format("  observe({}, {}, {}, {}u);\n", n.id(), o,
                           address_of(w, v.node.outputs[o]), bytes_of(v.output(o)));
  }
  for (const State& s : w.graph().states())
    out += fmt::format("  memcpy({}, {}, {}u);\n", address_of(w, s.in), address_of(w, s.out),
                       bytes_of(w.graph().value(s.in)));
  return out;
}

nlohmann::ordered_json tensor_json(const Work& w, ValueId id) {
  const Value& v = w.graph().value(id);
  nlohmann::ordered_json j{
      {"name", v.name}, {"dtype", name_of(v.dtype)}, {"shape", v.shape}, {"bytes", bytes_of(v)}};
  if (v.quant.quantized())
    j["scale"] = v.quant.scale, j["zero"] = v.quant.zero, j["axis"] = v.quant.axis;
  if (!v.constant) {
    const Place& p = place_of(w, id);
    j["pool"] = w.plan.pools[static_cast<std::size_t>(p.pool)].name;
    j["offset"] = p.offset;
  }
  return j;
}

std::string manifest(const Work& w) {
  nlohmann::ordered_json j{{"format", "lockstep-network"},
                           {"version", 1},
                           {"name", w.options.name},
                           {"model", w.graph().file()},
                           {"model_hash", w.options.model_hash},
                           {"arithmetic", w.arithmetic.name}};
  for (std::size_t i = 0; i < w.plan.pools.size(); ++i) {
    const Pool& p = w.plan.pools[i];
    nlohmann::ordered_json pool{
        {"name", p.name}, {"symbol", c_identifier(p.name)}, {"bytes", w.plan.used[i]}};
    if (p.base >= 0) pool["base"] = p.base;
    j["pools"].push_back(pool);
  }
  j["activation_bytes"] = activation_bytes(w);
  j["weight_bytes"] = w.constants.bytes();
  j["inputs"] = j["outputs"] = j["states"] = j["nodes"] = nlohmann::ordered_json::array();
  for (const State& s : w.graph().states())
    j["states"].push_back({{"in", tensor_json(w, s.in)}, {"out", w.graph().value(s.out).name}});
  for (const ValueId v : w.graph().inputs()) j["inputs"].push_back(tensor_json(w, v));
  for (const ValueId v : w.graph().outputs()) j["outputs"].push_back(tensor_json(w, v));
  for (const NodeWriter& n : w.nodes) {
    nlohmann::ordered_json node{
        {"index", n.id()}, {"name", n.view().node.name}, {"op", n.view().node.op}};
    node["inputs"] = nlohmann::ordered_json::array();
    for (const ValueId v : n.view().node.inputs)
      if (v != no_id && !w.graph().value(v).constant)
        node["inputs"].push_back(w.graph().value(v).name);
    node["outputs"] = nlohmann::ordered_json::array();
    for (const ValueId v : n.view().node.outputs)
      node["outputs"].push_back(v == no_id ? nlohmann::ordered_json() : tensor_json(w, v));
    j["nodes"].push_back(node);
  }
  return j.dump(1) + "\n";
}

void add_runtime(const Work& w, std::vector<GeneratedFile>& files) {
  std::set<std::string> used{"ls_rt.h", "ls_fixed.h"};
  for (const NodeWriter& n : w.nodes) used.insert(n.files().begin(), n.files().end());
  for (const RuntimeFile& f : runtime_files())
    if (used.contains(std::string(f.path)))
      files.push_back({std::string(f.path), std::string(f.text)});
}

Generated write_files(Work& w) {
  const std::string& name = w.options.name;
  Template t(name);
  std::string statics;
  for (const NodeWriter& n : w.nodes) statics += n.statics().empty() ? "" : n.statics() + "\n";
  t.set("model", comment_text(w.graph().file())).set("hash", w.options.model_hash);
  t.set("arithmetic", std::string(w.arithmetic.name));
  t.set("nodes", std::to_string(w.nodes.size()))
      .set("inputs", std::to_string(w.graph().inputs().size()));
  t.set("outputs", std::to_string(w.graph().outputs().size()))
      .set("arena", std::to_string(activation_bytes(w)));
  t.set("ends",
        ends_text(w, w.graph().inputs(), "INPUT") + ends_text(w, w.graph().outputs(), "OUTPUT"));
  t.set("pools", pools_text(w))
      .set("statics", statics)
      .set("init", init_text(w))
      .set("pool_cases", pool_cases(w));
  t.set("input_cases", end_cases(w, w.graph().inputs()))
      .set("output_cases", end_cases(w, w.graph().outputs()));
  t.set("body", body_text(w)).set("weights", std::to_string(w.constants.bytes()));
  Generated g;
  const std::string guard = upper(name) + "_WEIGHTS_H";
  g.files.push_back({name + ".h", t.fill(header)});
  g.files.push_back({name + ".c", t.fill(source)});
  g.files.push_back({name + "_weights.h", "/* Constants of " + name + ".c. */\n#ifndef " + guard +
                                              "\n#define " + guard + "\n\n#include <stdint.h>\n\n" +
                                              w.constants.declarations() + "\n#endif\n"});
  g.files.push_back(
      {name + "_weights.c",
       "#include \"" + name + "_weights.h\"\n\n#include <math.h>\n\n" + w.constants.definitions()});
  g.files.push_back({name + ".json", manifest(w)});
  g.files.push_back({name + "_memory.txt", picture_text(w.plan)});
  g.files.push_back({name + "_memory.svg", picture_svg(w.plan)});
  add_runtime(w, g.files);
  g.plan = w.plan;
  g.activation_bytes = activation_bytes(w);
  g.weight_bytes = w.constants.bytes();
  return g;
}

}  // namespace

Result<Generated> generate(const Executor& executor, const GenerateOptions& options) {
  if (options.name.empty() || c_identifier(options.name) != options.name ||
      std::isdigit(static_cast<unsigned char>(options.name[0])))
    return Error{"--name " + options.name, "not a C identifier in lower case",
                 "letters, digits and underscores", ""};
  LOCKSTEP_TRY(const Graph g,
               without_constant_nodes(executor.graph(), *executor.arithmetic().numerics));
  Lives lives = live_ranges(
      g,
      [&](NodeId id) {
        const NodeView view{g, g.node(id)};
        const NodeEmitter* e = find_emitter(view.node.op);
        return e && e->memory ? e->memory(view, *executor.arithmetic().numerics) : NodeMemory{};
      },
      options.keep_inputs);
  std::vector<Pool> pools = options.pools;
  for (Pool& p : pools)
    if (p.size > 0) p.size = std::max<std::int64_t>(p.size - slack, 1);
  LOCKSTEP_TRY(MemoryPlan plan, plan_memory(lives.buffers, pools));
  Work w{g,
         executor.arithmetic(),
         options,
         std::move(lives),
         std::move(plan),
         ConstantPool(options.name),
         {}};
  Missing missing;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    NodeWriter node(g, executor.arithmetic(), static_cast<NodeId>(n), w.constants, w.lives, w.plan);
    const NodeEmitter* emitter = find_emitter(node.view().node.op);
    const auto written =
        emitter ? emitter->emit(node)
                : Result<void>(node.unsupported("the operator " + node.view().node.op));
    if (!written.ok()) missing.add(written.error(), node.view().node.op);
    w.nodes.push_back(std::move(node));
  }
  LOCKSTEP_CHECK(missing.answer());
  return write_files(w);
}

std::string content_hash(std::span<const std::byte> bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

}  // namespace lockstep
