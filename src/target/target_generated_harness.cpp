// What the harness around a generated network reads and answers.
#include <algorithm>
#include <cstring>

#include "base/files.h"
#include "target/target_generated.h"

namespace lockstep {
namespace {

void put32(Bytes& to, std::int64_t v) {
  const auto word = static_cast<std::uint32_t>(v);
  const std::size_t at = to.size();
  to.resize(at + sizeof word);
  std::memcpy(to.data() + at, &word, sizeof word);
}

}  // namespace

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
    if (!t.name.empty() && !t.inner && keeps(t.name) &&
        capture.infos.emplace(t.name, t.info).second)
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
