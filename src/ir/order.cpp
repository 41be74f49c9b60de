#include "ir/order.h"

#include <queue>

namespace lockstep {

Result<void> sort_nodes(std::vector<Value>& values, std::vector<Node>& nodes,
                        const std::string& file) {
  std::vector<NodeId> producer(values.size(), no_id);
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (const ValueId v : nodes[n].outputs)
      if (v != no_id) producer[static_cast<std::size_t>(v)] = static_cast<NodeId>(n);
  std::vector<int> waiting(nodes.size(), 0);
  std::vector<std::vector<std::size_t>> readers(nodes.size());
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (const ValueId v : nodes[n].inputs)
      if (v != no_id && producer[static_cast<std::size_t>(v)] != no_id) {
        ++waiting[n];
        readers[static_cast<std::size_t>(producer[static_cast<std::size_t>(v)])].push_back(n);
      }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (waiting[n] == 0) ready.push(n);
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  std::vector<bool> placed(nodes.size(), false);
  while (!ready.empty()) {
    const std::size_t n = ready.top();
    ready.pop();
    placed[n] = true;
    for (const std::size_t reader : readers[n])
      if (--waiting[reader] == 0) ready.push(reader);
    sorted.push_back(std::move(nodes[n]));
  }
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (!placed[n])
      return Error{file + ": " + nodes[n].op + " '" + nodes[n].name + "'",
                   "its inputs depend on its own output", "a graph without cycles", ""};
  nodes = std::move(sorted);
  for (Value& v : values) v.producer = no_id;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (const ValueId v : nodes[n].outputs)
      if (v != no_id) values[static_cast<std::size_t>(v)].producer = static_cast<NodeId>(n);
  return {};
}

}  // namespace lockstep
