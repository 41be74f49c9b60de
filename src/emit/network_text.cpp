// The C text of a generated network: interface, pools, calls.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
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

@check@@status@/* Called after every node, before the next one touches its output: a place for a debugger's breakpoint. Absent
   where @NAME@_NODE_END is defined. */
void @name@_node_done(int node);

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
#include "ls_number.h"
@library_include@
/* Around every node, for instance to read a cycle counter: may be defined before this file is compiled. */
#ifndef @NAME@_NODE_BEGIN
#define @NAME@_NODE_BEGIN(node) ((void)0)
#endif
#ifndef @NAME@_NODE_END
#define @NAME@_NODE_END(node) @name@_node_done(node)
__attribute__((noinline)) void @name@_node_done(int node) { __asm__ volatile("" : : "r"(node) : "memory"); }
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

@library@@statics@
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

constexpr std::string_view library_part =
    R"(/* 1 + the first node that CMSIS-NN refused; 0: none. */
static int library_status;

static inline void library_answered(int node, arm_cmsis_nn_status status) {
  if (status != ARM_CMSIS_NN_SUCCESS && library_status == 0) library_status = node + 1;
}

int @name@_status(void) { return library_status; }

)";

constexpr std::string_view status_part =
    R"(/* 0; or 1 + the first node since @name@_init that CMSIS-NN refused, or that asked for more scratch than is
   planned, as another version of it or another build may. Its output is then not written. */
int @name@_status(void);

)";

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
      if (v.node.outputs[o] != no_id)
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
  t.set("model", c_comment(w.graph.file()))
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
      .fill(header);
}

std::string network_source(GenerateWork& w) {
  std::string statics;
  for (const NodeWriter& n : w.nodes) statics += n.statics().empty() ? "" : n.statics() + "\n";
  return network_template(w)
      .set("pools", pools_text(w))
      .set("library_include", calls_library(w) ? "#include \"arm_nnfunctions.h\"\n" : "")
      .set("library", calls_library(w) ? network_template(w).fill(library_part) : "")
      .set("statics", statics)
      .set("init", init_text(w))
      .set("pool_cases", pool_cases(w))
      .set("input_cases", end_cases(w, w.graph.inputs()))
      .set("output_cases", end_cases(w, w.graph.outputs()))
      .set("body", body_text(w))
      .fill(source);
}

}  // namespace lockstep
