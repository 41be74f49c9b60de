// The files of a generated network.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "emit/layout.h"
#include "emit/library.h"
#include "emit/work.h"

namespace lockstep {

const Place& GenerateWork::place_of(ValueId v) const {
  return plan.places[static_cast<std::size_t>(lives.of_value[static_cast<std::size_t>(v)])];
}

std::string GenerateWork::address_of(ValueId v) {
  const Value& value = graph.value(v);
  if (value.constant) return constants.add_tensor(*value.constant, "constant_" + std::to_string(v));
  const Place& p = place_of(v);
  return c_address(plan.pools[static_cast<std::size_t>(p.pool)].name, p.offset);
}

std::int64_t GenerateWork::activation_bytes() const {
  std::int64_t bytes = 0;
  for (const std::int64_t used : plan.used) bytes += used > 0 ? used + pool_slack : 0;
  return bytes;
}

std::set<std::string> runtime_of(const GenerateWork& w) {
  std::vector<std::string> open{"ls_rt.h"};
  for (const NodeWriter& n : w.nodes) open.insert(open.end(), n.files().begin(), n.files().end());
  std::set<std::string> used;
  while (!open.empty()) {
    const std::string path = open.back();
    open.pop_back();
    if (!used.insert(path).second) continue;
    const auto f = std::ranges::find(runtime_files(), std::string_view(path), &RuntimeFile::path);
    if (f == runtime_files().end()) continue;
    constexpr std::string_view include = "#include \"ls_";
    for (std::size_t at = f->text.find(include); at != std::string_view::npos;
         at = f->text.find(include, at + 1)) {
      const std::size_t name = at + include.size() - 3;
      open.emplace_back(f->text.substr(name, f->text.find('"', name) - name));
    }
  }
  return used;
}

namespace {

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

void add_runtime(const GenerateWork& w, std::vector<GeneratedFile>& files) {
  const std::set<std::string> used = runtime_of(w);
  for (const RuntimeFile& f : runtime_files())
    if (used.contains(std::string(f.path)))
      files.push_back({std::string(f.path), std::string(f.text)});
}

Generated write_files(GenerateWork& w) {
  const std::string& name = w.options.name;
  Generated g;
  // The text first: it asks for the last constants.
  std::string source = network_source(w), header = network_header(w);
  g.files.push_back({name + ".h", std::move(header)});
  g.files.push_back({name + ".c", std::move(source)});
  g.files.push_back({name + "_weights.h", weights_header(w)});
  g.files.push_back({name + "_weights.c", weights_source(w)});
  if (w.options.weights_apart) g.files.push_back({name + "_weights.bin", weights_blob(w)});
  g.files.push_back({name + ".json", network_manifest(w)});
  g.files.push_back({name + "_memory.txt", picture_text(w.plan)});
  g.files.push_back({name + "_memory.svg", picture_svg(w.plan)});
  add_runtime(w, g.files);
  g.plan = w.plan;
  g.activation_bytes = w.activation_bytes();
  g.weight_bytes = w.constants.bytes();
  for (const NodeWriter& n : w.nodes)
    ++(n.library().empty() ? g.own_nodes : g.library_nodes)[n.view().node.op];
  return g;
}

// The library's functions that the nodes call, and the files that define them.
Result<void> find_library(GenerateWork& w) {
  if (w.options.cmsis_nn.empty()) return {};
  std::set<std::string> functions;
  for (const NodeWriter& n : w.nodes) functions.insert(n.library().begin(), n.library().end());
  LOCKSTEP_TRY(w.library_sources, library_sources(w.options.cmsis_nn, functions));
  return {};
}

// Nothing is computed for it, and what its C divides by may be zero.
bool makes_no_element(const NodeView& v) {
  const auto& outputs = v.node.outputs;
  if (std::ranges::all_of(outputs, [](ValueId id) { return id == no_id; })) return false;
  return std::ranges::all_of(
      outputs, [&](ValueId id) { return id == no_id || count_of(v.graph.value(id).shape) == 0; });
}

Result<void> write_node(NodeWriter& node, bool library) {
  if (makes_no_element(node.view())) return {};
  const NodeEmitter* const emitter = emitter_of(node.view(), node.num(), library);
  return emitter ? emitter->emit(node)
                 : Result<void>(node.unsupported("the operator " + node.view().node.op));
}

}  // namespace

Result<Generated> generate(const Executor& executor, const GenerateOptions& options) {
  if (options.name.empty() || c_identifier(options.name) != options.name ||
      std::isdigit(static_cast<unsigned char>(options.name[0])))
    return Error{"--name " + options.name, "not a C identifier in lower case",
                 "letters, digits and underscores", ""};
  if (!options.cmsis_nn.empty())
    LOCKSTEP_CHECK(library_for(executor.arithmetic(), options.cmsis_nn));
  const bool library = !options.cmsis_nn.empty();
  const Numerics& num = *executor.arithmetic().numerics;
  LOCKSTEP_TRY(const Graph model, without_constant_nodes(executor.graph(), num));
  LOCKSTEP_TRY(const Layout layout, lay_out(model, num, options.channels_last));
  const Graph& g = layout.graph;
  Lives lives = live_ranges(
      g,
      [&](NodeId id) {
        if (layout.same_bytes[static_cast<std::size_t>(id)]) return NodeMemory{0, {{0, 0, true}}};
        const NodeView view{g, g.node(id)};
        const NodeEmitter* e = emitter_of(view, num, library);
        return e && e->memory ? e->memory(view, num) : NodeMemory{};
      },
      options.keep_inputs);
  std::vector<Pool> pools = options.pools;
  for (Pool& p : pools)
    if (p.size > 0) p.size = std::max<std::int64_t>(p.size - pool_slack, 1);
  LOCKSTEP_TRY(MemoryPlan plan, plan_memory(lives.buffers, pools));
  if (!g.nodes().empty() && std::ranges::all_of(plan.used, [](std::int64_t n) { return n == 0; }))
    return Error{g.file(), "no tensor has an element", "a network that computes something", ""};
  GenerateWork w{layout,
                 g,
                 executor.arithmetic(),
                 options,
                 std::move(lives),
                 std::move(plan),
                 ConstantPool(options.name, options.weights_apart),
                 {},
                 {}};
  Missing missing;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    NodeWriter node(layout, executor.arithmetic(), static_cast<NodeId>(n), w.constants, w.lives,
                    w.plan);
    const auto written = write_node(node, library);
    if (!written.ok()) missing.add(written.error(), node.view().node.op);
    w.nodes.push_back(std::move(node));
  }
  LOCKSTEP_CHECK(missing.answer());
  LOCKSTEP_CHECK(find_library(w));
  return write_files(w);
}

std::string content_hash(std::span<const std::byte> bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

}  // namespace lockstep
