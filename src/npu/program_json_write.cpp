// A program -> the interchange form.
#include <nlohmann/json.hpp>

#include "npu/program.h"

namespace lockstep {
namespace {

using OrderedJson = nlohmann::ordered_json;  // the order of nodes means something

OrderedJson write_field(const NpuField& f) {
  switch (f.is) {
    case NpuField::Is::integer:
      return f.integer;
    case NpuField::Is::real:
      return f.real;
    case NpuField::Is::name:
      return f.name;
    case NpuField::Is::list:
      break;
  }
  OrderedJson list = OrderedJson::array();
  for (const NpuField& item : f.list) list.push_back(write_field(item));
  return list;
}

OrderedJson write_fields(const NpuFields& fields) {
  OrderedJson j = OrderedJson::object();
  for (const auto& [key, f] : fields) j[key] = write_field(f);
  return j;
}

OrderedJson write_port(const NpuPort& p) {
  return OrderedJson::array({std::string(name_of(p.unit.kind)), p.unit.id, p.port});
}

OrderedJson write_epoch(const NpuEpoch& e) {
  OrderedJson j;
  j["number"] = e.number;
  j["nodes"] = OrderedJson::object();
  for (const auto& [name, op] : e.nodes) j["nodes"][name] = op;
  j["units"] = OrderedJson::array();
  for (const NpuUnit& u : e.units) {
    OrderedJson unit;
    unit["unit"] = std::string(name_of(u.id.kind));
    unit["id"] = u.id.id;
    unit["name"] = u.name;
    if (!u.buffer.empty() && !u.inferred) unit["buffer"] = u.buffer;
    unit["fields"] = write_fields(u.fields);
    j["units"].push_back(std::move(unit));
  }
  j["links"] = OrderedJson::array();
  for (const NpuLink& l : e.links) {
    OrderedJson link;
    link["to"] = write_port(l.to);
    for (const NpuSource& s : l.from)
      link["from"].push_back(
          {{"context", s.context}, {"frames", s.frames}, {"source", write_port(s.source)}});
    j["links"].push_back(std::move(link));
  }
  j["calls"] = OrderedJson::array();
  for (const NpuCall& c : e.calls)
    j["calls"].push_back({{"function", c.function}, {"arguments", c.arguments}});
  for (const auto& [name, t] : e.tables) {
    OrderedJson list = OrderedJson::array();
    for (const NpuField& f : t.values) list.push_back(write_field(f));
    for (const NpuFields& r : t.rows) list.push_back(write_fields(r));
    j["tables"][name] = {{"type", t.type}, {"value", std::move(list)}};
  }
  return j;
}

OrderedJson write_buffer(const NpuBuffer& b) {
  OrderedJson j;
  j["name"] = b.name;
  j["addr_base"] = b.base;
  j["offset_start"] = b.start;
  j["offset_end"] = b.end;
  j["offset_limit"] = b.limit;
  j["is_user_allocated"] = b.user_allocated ? 1 : 0;
  j["is_param"] = b.is_param ? 1 : 0;
  j["epoch"] = b.epoch;
  j["batch"] = b.batch;
  j["mem_shape"] = b.mem_shape;
  j["chpos"] = b.chpos;
  j["Qm"] = b.qm;
  j["Qn"] = b.qn;
  j["Qunsigned"] = b.q_unsigned ? 1 : 0;
  j["type"] = b.type;
  j["nbits"] = b.nbits;
  j["shape"] = b.shape;
  j["per_channel"] = b.per_channel ? 1 : 0;
  if (!b.scale.empty()) j["scale"] = b.scale;
  if (!b.zero.empty()) j["offset"] = b.zero;
  return j;
}

}  // namespace

std::string format_npu_json(const NpuProgram& program) {
  OrderedJson j;
  j["format"] = "neural-art-program";
  j["version"] = 1;
  j["compiler"] = program.compiler;
  j["model"] = program.model;
  j["weights"] = OrderedJson::array();
  for (const NpuImage& i : program.images)
    j["weights"].push_back({{"file", i.file}, {"base", i.base}});
  if (!program.pools.empty())
    for (const NpuPool& p : program.pools)
      j["pools"].push_back({{"name", p.name},
                            {"base", p.base},
                            {"size", p.size},
                            {"read_only", p.read_only ? 1 : 0}});
  j["epochs"] = OrderedJson::array();
  for (const NpuEpoch& e : program.epochs) j["epochs"].push_back(write_epoch(e));
  j["buffers"] = OrderedJson::array();
  for (const NpuBuffer& b : program.buffers) j["buffers"].push_back(write_buffer(b));
  return j.dump(1) + "\n";
}

}  // namespace lockstep
