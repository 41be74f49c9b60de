#include "npu/map_parts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "npu/followed.h"
#include "npu/units.h"

namespace lockstep {
namespace {

// A stream engine of which another one takes the words as they are.
bool hands_on(const NpuEpoch& e) {
  return std::ranges::any_of(e.links, [](const NpuLink& l) {
    return l.to.unit.kind == NpuKind::stream && l.from.size() == 1 &&
           l.from[0].source.unit.kind == NpuKind::stream;
  });
}

bool takes_a_part(const Node& n) {
  return n.op == "Slice" || n.op == "StridedSlice" || n.op == "Split";
}

// A tensor and where its elements stand in the one that it is a part of.
struct Part {
  const Value* value;
  Tensor places;
};

// The parts of one tensor that are of v's shape and codes, v among them.
std::vector<Part> parts_like(const Graph& model, const Value& v) {
  std::vector<Part> parts;
  const ValueId whole = model.node(v.producer).inputs[0];
  for (const Node& n : model.nodes()) {
    if (!takes_a_part(n) || n.inputs.empty() || n.inputs[0] != whole) continue;
    for (std::size_t o = 0; o < n.outputs.size(); ++o) {
      if (n.outputs[o] == no_id) continue;
      const Value& part = model.value(n.outputs[o]);
      if (part.shape != v.shape || part.dtype != v.dtype) continue;
      if (std::optional<Tensor> places = moved_numbers(NodeView{model, n}, o))
        parts.push_back({&part, std::move(*places)});
    }
  }
  return parts;
}

// The latest buffer that holds `whole` and in which a stream engine of the epoch begins to read.
const NpuBuffer* source_of(const NpuProgram& program, const NpuMapping& map, const NpuEpoch& e,
                           const std::string& whole) {
  const NpuBuffer* latest = nullptr;
  for (const NpuUnit& u : e.units) {
    const auto form = decode_unit(u, program.file);
    const auto* s = form.ok() ? std::get_if<NpuStream>(&*form) : nullptr;
    if (!s || s->writes()) continue;
    for (const NpuBuffer& b : program.buffers) {
      const NpuPair* pair = b.is_param || b.epoch >= e.number ? nullptr : map.find(b.name);
      if (pair && pair->value == whole && s->address() >= b.address() &&
          s->address() < b.address() + static_cast<std::uint64_t>(b.bytes()) &&
          (!latest || b.epoch >= latest->epoch))
        latest = &b;
    }
  }
  return latest;
}

bool lies_as(const Part& part, const std::vector<std::int64_t>& order,
             const std::vector<std::int64_t>& lies) {
  for (std::size_t i = 0; i < lies.size(); ++i)
    if (part.places.code(order[i]) != lies[i]) return false;
  return true;
}

// By the stem of a buffer's name: the part that its bytes are.
using Found = std::map<std::string, const Value*>;

// Whether every part would lie in one buffer (and its copies) alone, those of names among them.
bool sets_apart(const NpuMapping& map, const Found& found) {
  std::map<std::string, std::string> stems;  // by the tensor that they hold in the end
  return std::ranges::all_of(map.pairs, [&](const NpuPair& p) {
    const std::string stem = without_copies(p.buffer);
    const auto it = found.find(stem);
    return it == found.end() ||
           stems.emplace(p.how == "name" ? p.value : it->second->name, stem).first->second == stem;
  });
}

void assign(NpuMapping& map, const Found& found, const NpuMoves& moves) {
  if (!sets_apart(map, found)) return;
  std::map<std::string, const Value*> instead;  // by buffer, in the order in which they are made
  for (NpuPair& p : map.pairs) {
    const auto it = found.find(without_copies(p.buffer));
    if (it == found.end()) {
      const auto move = p.how == "moved" ? moves.find(p.buffer) : moves.end();
      const auto from = move == moves.end() ? instead.end() : instead.find(move->second);
      if (from == instead.end()) continue;
      p.value = from->second->name;
      instead.emplace(p.buffer, from->second);
    } else if (p.how != "name" && p.value != it->second->name) {
      instead.emplace(p.buffer, it->second);
      p.value = it->second->name, p.how = "the bytes that are moved";
    }
  }
}

}  // namespace

void tell_parts_apart(const NpuProgram& program, const Graph& model, const NpuMoves& moves,
                      NpuMapping& map) {
  std::optional<NpuFollowed> followed;
  std::map<ValueId, Found> by_whole;
  for (const NpuEpoch& e : program.epochs) {
    if (!hands_on(e)) continue;
    for (const NpuBuffer* to : program.made_by(e.number)) {
      const NpuPair* pair = map.find(to->name);
      const ValueId id = pair ? model.find_value(pair->value) : no_id;
      if (id == no_id || model.value(id).producer == no_id) continue;
      const Value& v = model.value(id);
      if (!takes_a_part(model.node(v.producer))) continue;
      const ValueId whole = model.node(v.producer).inputs[0];
      const NpuBuffer* from = source_of(program, map, e, model.value(whole).name);
      const std::vector<Part> parts = from ? parts_like(model, v) : std::vector<Part>{};
      if (parts.size() < 2) continue;
      if (!followed) {
        Result<NpuMemory> memory = NpuMemory::make(program);
        if (!memory.ok()) return;
        followed.emplace(program, map, std::move(memory).value());
      }
      const auto lies = followed->through(e, *from, *to);
      const auto part = std::ranges::find_if(
          parts, [&](const Part& p) { return lies && lies_as(p, value_order(*to, *pair), *lies); });
      if (part != parts.end()) by_whole[whole].emplace(without_copies(to->name), part->value);
    }
  }
  for (const auto& [whole, found] : by_whole) assign(map, found, moves);
}

}  // namespace lockstep
