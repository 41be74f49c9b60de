#include "target/target_generated.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "emit/emit.h"
#include "emit/work.h"

namespace lockstep {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Result<GeneratedTensor> tensor_of(const json& j, const std::string& where,
                                  const GeneratedNetwork& network) {
  GeneratedTensor t;
  if (j.is_null()) return t;
  const auto dtype = dtype_named(j.at("dtype").get<std::string>());
  if (!dtype)
    return Error{where, "element type '" + j.at("dtype").get<std::string>() + "'",
                 "a known element type", ""};
  t.name = j.at("name");
  t.info.dtype = *dtype;
  t.info.shape = j.at("shape").get<Shape>();
  t.info.origin = {where, t.name, "", ""};
  LOCKSTEP_TRY(const std::int64_t count, checked_count(t.info.shape, where));
  t.bytes = count * static_cast<std::int64_t>(size_of(*dtype));
  t.inner = j.value("inner", false);
  if (j.contains("order")) {
    t.order = j.at("order").get<std::vector<std::size_t>>();
    auto axes = t.order;
    std::ranges::sort(axes);
    for (std::size_t d = 0; d < axes.size(); ++d)
      if (axes[d] != d || axes.size() != t.info.shape.size())
        return Error{where, "order of tensor '" + t.name + "'", "each axis once", "generate it again"};
  }
  if (j.contains("scale")) {
    t.info.quant.scale = j.at("scale").get<std::vector<double>>();
    t.info.quant.zero = j.at("zero").get<std::vector<std::int32_t>>();
    t.info.quant.axis = j.at("axis");
  }
  if (j.contains("pool")) {
    for (std::size_t i = 0; i < network.pools.size(); ++i)
      if (network.pools[i].first == j.at("pool")) t.pool = static_cast<int>(i);
    t.offset = j.at("offset");
    if (t.pool < 0 || t.offset < 0 ||
        t.bytes > network.pools[static_cast<std::size_t>(t.pool)].second - t.offset)
      return Error{where, "tensor '" + t.name + "' lies outside its pool", "a place in a pool",
                   "generate it again"};
  }
  return t;
}

Result<std::string> manifest_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure))
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  if (failure) return Error{folder, failure.message(), "a folder that lockstep generate wrote", ""};
  if (found.size() != 1)
    return Error{folder, std::to_string(found.size()) + " .json files",
                 "one manifest, as lockstep generate writes it",
                 "lockstep generate MODEL -o " + folder};
  return found[0];
}

Result<GeneratedNetwork> network_of(const json& j, const std::string& path) {
  if (j.at("format") != "lockstep-network" || j.at("version") != 1)
    return Error{path, "not a manifest of version 1", "format lockstep-network, version 1",
                 "generate it again"};
  GeneratedNetwork n;
  n.folder = fs::path(path).parent_path();
  n.name = j.at("name"), n.model_hash = j.at("model_hash"), n.arithmetic = j.at("arithmetic");
  for (const json& p : j.at("pools")) {
    n.pools.emplace_back(p.at("name"), p.at("bytes"));
    n.has_addresses = n.has_addresses || p.contains("base");
  }
  n.activation_bytes = j.at("activation_bytes");
  n.weight_bytes = j.at("weight_bytes");
  n.weights_file = j.value("weights_file", "");
  if (j.contains("cmsis_nn")) {
    const json& library = j.at("cmsis_nn");
    n.library_folder = library.at("folder");
    n.library_sources = library.at("sources").get<std::vector<std::string>>();
    n.library_definitions = library.at("definitions").get<std::vector<std::string>>();
  }
  for (const json& t : j.at("outputs")) n.kept.push_back(t.at("name"));
  for (const json& state : j.at("states")) {
    LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(state.at("in"), path, n));
    n.kept.push_back(state.at("out"));
    n.states.push_back(std::move(tensor));
  }
  for (const json& t : j.at("inputs")) {
    LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(t, path, n));
    n.inputs.push_back(std::move(tensor));
  }
  for (const json& node : j.at("nodes")) {
    std::vector<GeneratedTensor>& outputs = n.nodes.emplace_back();
    n.node_names.push_back(node.at("name"));
    n.node_ops.push_back(node.at("op"));
    n.node_inputs.push_back(node.at("inputs").get<std::vector<std::string>>());
    for (const json& t : node.at("outputs")) {
      LOCKSTEP_TRY(GeneratedTensor tensor, tensor_of(t, path, n));
      outputs.push_back(std::move(tensor));
    }
  }
  return n;
}

void put32(Bytes& to, std::int64_t v) {
  const auto word = static_cast<std::uint32_t>(v);
  const std::size_t at = to.size();
  to.resize(at + sizeof word);
  std::memcpy(to.data() + at, &word, sizeof word);
}

}  // namespace

Result<GeneratedNetwork> read_generated(const std::string& folder) {
  LOCKSTEP_TRY(const std::string path, manifest_in(folder));
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  return generated_from({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Result<GeneratedNetwork> generated_from(std::string_view manifest, const std::string& path) {
  try {
    return network_of(json::parse(manifest), path);
  } catch (const json::exception& e) {
    return Error{path, e.what(), "a manifest as lockstep generate writes it", "generate it again"};
  }
}

Result<void> same_model(const GeneratedNetwork& network, const Graph& model) {
  if (network.model_hash.empty() || !file_exists(model.file())) return {};
  LOCKSTEP_TRY(const Bytes bytes, read_file(model.file()));
  const std::string hash = content_hash(bytes);
  if (hash == network.model_hash) return {};
  return Error{network.folder, "generated from another model: hash " + network.model_hash,
               hash + ", that of " + model.file(),
               "lockstep generate " + model.file() + " -o " + network.folder};
}

Result<std::vector<std::string>> sources_of(const GeneratedNetwork& network) {
  std::vector<std::string> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(network.folder, failure))
    if (entry.path().extension() == ".c") files.push_back(fs::absolute(entry.path()));
  if (failure || files.empty())
    return Error{network.folder, "no C files", "a folder that lockstep generate wrote", ""};
  std::ranges::sort(files);
  return files;
}

// The library's files, where it stands, and how it rounds.
static Result<void> add_library(const GeneratedNetwork& network, std::vector<std::string>& to) {
  if (network.library_folder.empty()) return {};
  const fs::path folder = network.library_folder;
  for (const std::string& file : network.library_sources) {
    if (!file_exists((folder / file).string()))
      return Error{(folder / file).string(), "no such file",
                   "the checkout of CMSIS-NN that the network was generated for",
                   "generate it again with --cmsis-nn"};
    to.push_back((folder / file).string());
  }
  to.push_back("-I" + (folder / "Include").string());
  for (const std::string& definition : network.library_definitions) to.push_back("-D" + definition);
  return {};
}

Result<std::vector<std::string>> linked_sources(const GeneratedNetwork& network,
                                                const ScratchFolder& folder) {
  LOCKSTEP_TRY(auto sources, sources_of(network));
  LOCKSTEP_CHECK(add_library(network, sources));
  if (network.has_addresses) sources.push_back("-D" + c_upper(network.name) + "_POOLS_ANYWHERE");
  if (network.weights_file.empty()) return sources;
  const fs::path file = fs::absolute(fs::path(network.folder) / network.weights_file);
  if (!file_exists(file.string()))
    return Error{file.string(), "no such file",
                 "the constants that were generated with the network", "generate it again"};
  const std::string symbol = network.name + "_blob";
  LOCKSTEP_CHECK(
      write_file(folder / "blob.c", "__asm__(\".section .rodata\\n.balign 16\\n.global " + symbol +
                                        "\\n" + symbol + ":\\n.incbin \\\"" + file.string() +
                                        "\\\"\\n.byte 0\\n.text\\n\");\n"));
  sources.push_back(folder / "blob.c");
  return sources;
}

Result<void> write_harness(const ScratchFolder& folder) {
  for (const RuntimeFile& f : runtime_files())
    if (f.path.starts_with("harness/"))
      LOCKSTEP_CHECK(write_file(folder / std::string(f.path.substr(8)), f.text));
  return {};
}

namespace {

// A tensor's bytes and the nodes between which they are needed: -1 stands for before the first.
struct Needed {
  const GeneratedTensor* tensor;
  std::int64_t first, last;
};

std::vector<Needed> needs_of(const GeneratedNetwork& n) {
  const auto end = static_cast<std::int64_t>(n.nodes.size());
  const auto last_of = [&](const std::string& name, std::int64_t from) {
    if (std::ranges::count(n.kept, name) > 0) return end;
    std::int64_t last = from;
    for (std::size_t k = 0; k < n.node_inputs.size(); ++k)
      if (std::ranges::count(n.node_inputs[k], name) > 0)
        last = std::max(last, static_cast<std::int64_t>(k));
    return last;
  };
  std::vector<Needed> needs;
  for (const GeneratedTensor& t : n.inputs) needs.push_back({&t, -1, last_of(t.name, -1)});
  for (const GeneratedTensor& t : n.states) needs.push_back({&t, -1, end});
  for (std::size_t k = 0; k < n.nodes.size(); ++k)
    for (const GeneratedTensor& t : n.nodes[k])
      if (!t.name.empty())
        needs.push_back(
            {&t, static_cast<std::int64_t>(k), last_of(t.name, static_cast<std::int64_t>(k))});
  return needs;
}

}  // namespace

std::string poison_table(const GeneratedNetwork& n) {
  const auto needs = needs_of(n);
  std::string rows;
  for (std::int64_t node = -1; node < static_cast<std::int64_t>(n.nodes.size()); ++node)
    for (std::size_t p = 0; p < n.pools.size(); ++p) {
      std::vector<std::pair<std::int64_t, std::int64_t>> live;
      for (const Needed& need : needs)
        if (need.tensor->pool == static_cast<int>(p) && need.first <= node && need.last > node)
          live.emplace_back(need.tensor->offset, need.tensor->offset + need.tensor->bytes);
      std::ranges::sort(live);
      live.emplace_back(n.pools[p].second, n.pools[p].second);
      std::int64_t at = 0;
      for (const auto& [from, to] : live) {
        if (from > at)
          rows += "  {" + std::to_string(node) + ", " + std::to_string(p) + ", " +
                  std::to_string(at) + ", " + std::to_string(from) + "},\n";
        at = std::max(at, to);
      }
    }
  std::string last;
  for (const auto& outputs : n.nodes) {
    std::size_t o = outputs.size();
    while (o > 1 && outputs[o - 1].name.empty()) --o;
    last += std::to_string(o - 1) + ", ";
  }
  return "static const int last_output[] = {" + last +
         "0};\nstatic const struct { int node, pool; uint32_t from, to; } dead[] = {\n" + rows +
         "  {-2, 0, 0, 0}};\n";
}

Result<void> write_harness_input(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                 StateMode state, const std::string& path) {
  Bytes stream;
  put32(stream, static_cast<std::int64_t>(inputs.size()));
  put32(stream, state == StateMode::keep ? 1 : 0);
  put32(stream, static_cast<std::int64_t>(network.inputs.size()));
  for (const GeneratedTensor& t : network.inputs) put32(stream, t.bytes);
  for (const Sample& sample : inputs)
    for (const GeneratedTensor& t : network.inputs) {
      const auto it = sample.find(t.name);
      if (it == sample.end())
        return Error{network.folder, "no input '" + t.name + "'", "every input of the network", ""};
      const auto bytes = it->second.bytes();
      if (static_cast<std::int64_t>(bytes.size()) != t.bytes || it->second.dtype() != t.info.dtype)
        return Error{
            network.folder, "input '" + t.name + "' of " + std::to_string(bytes.size()) + " bytes",
            std::to_string(t.bytes) + " bytes of " + std::string(name_of(t.info.dtype)), ""};
      stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
  return write_file(path, stream);
}

namespace {

// A tensor in the model's order of axes, from its bytes as they lie.
Tensor tensor_from(const GeneratedTensor& t, const std::byte* bytes) {
  Tensor out(t.info.dtype, t.info.shape);
  const std::size_t size = size_of(t.info.dtype);
  if (t.order.empty()) {
    std::memcpy(out.bytes().data(), bytes, static_cast<std::size_t>(t.bytes));
    return out;
  }
  const Shape strides = strides_of(t.info.shape);
  Shape at(t.order.size(), 0);
  for (std::int64_t i = 0; i < out.count(); ++i) {
    std::int64_t to = 0;
    for (std::size_t d = 0; d < at.size(); ++d) to += at[d] * strides[t.order[d]];
    std::memcpy(out.bytes().data() + static_cast<std::size_t>(to) * size,
                bytes + static_cast<std::size_t>(i) * size, size);
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < t.info.shape[t.order[d]]) break;
      at[d] = 0;
    }
  }
  return out;
}

}  // namespace

Result<Capture> read_harness_output(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                    std::span<const std::string> wanted, const std::string& path) {
  LOCKSTEP_TRY(const Bytes stream, read_file(path, std::uint64_t{1} << 33));
  return harness_capture(network, inputs, wanted, stream);
}

Result<Capture> harness_capture(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                std::span<const std::string> wanted,
                                std::span<const std::byte> stream) {
  const auto keeps = [&](const std::string& name) {
    return wanted.empty() || std::ranges::count(wanted, name) > 0;
  };
  Capture capture;
  capture.source = network.folder;
  capture.arithmetic = network.arithmetic;
  const auto declare = [&](const GeneratedTensor& t) {
    if (!t.name.empty() && !t.inner && keeps(t.name) && capture.infos.emplace(t.name, t.info).second)
      capture.order.push_back(t.name);
  };
  for (const GeneratedTensor& t : network.inputs) declare(t);
  for (const auto& outputs : network.nodes)
    for (const GeneratedTensor& t : outputs) declare(t);
  std::size_t at = 0;
  for (const Sample& input : inputs) {
    Sample& sample = capture.samples.emplace_back();
    for (const GeneratedTensor& t : network.inputs)
      if (keeps(t.name)) sample.emplace(t.name, input.find(t.name)->second);
    for (std::size_t n = 0; n < network.nodes.size(); ++n)
      for (std::size_t o = 0; o < network.nodes[n].size(); ++o) {
        const GeneratedTensor& t = network.nodes[n][o];
        if (t.name.empty() || t.inner) continue;
        std::uint32_t head[3] = {};
        if (stream.size() - at < sizeof head)
          return Error{network.folder, "its answer ends before tensor '" + t.name + "'",
                       "every tensor", "", Blame::target};
        std::memcpy(head, stream.data() + at, sizeof head);
        at += sizeof head;
        if (head[0] != n || head[1] != o || head[2] != t.bytes || stream.size() - at < head[2])
          return Error{network.folder,
                       "tensor " + std::to_string(head[1]) + " of node " + std::to_string(head[0]),
                       "'" + t.name + "' of " + std::to_string(t.bytes) + " bytes",
                       "the manifest is not of this network", Blame::target};
        if (keeps(t.name)) sample.insert_or_assign(t.name, tensor_from(t, stream.data() + at));
        at += head[2];
      }
  }
  return capture;
}

}  // namespace lockstep
