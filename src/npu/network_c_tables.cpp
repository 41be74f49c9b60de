// Tables of a generated network.c that stand beside software operations.
#include "npu/network_c_reader.h"

namespace lockstep {
namespace {

bool starts_named_fields(const CValue& v) {
  return v.braces && !v.fields.empty() && !v.fields[0].first.empty();
}

}  // namespace

// Constants beside software operations are kept as tables; units and switches are read where they
// are used. A table of another kind is left out: the operation that needs it names it.
void NetworkReader::keep_table(NpuEpoch& e, const std::string& name, const Declaration& d) {
  if (d.type.find("InitTypeDef") != std::string::npos) return;
  Result<NpuTable> t = table_of(name, d);
  if (t.ok()) e.tables.insert_or_assign(name, std::move(*t));
}

Result<NpuTable> NetworkReader::table_of(const std::string& name, const Declaration& d) {
  NpuTable t{d.type, {}, {}};
  const std::string at = program_.file + ": " + name;
  const auto row = [&](const CValue& v) -> Result<void> {
    LOCKSTEP_TRY(NpuFields fields, fields_of(v, at));
    // The row that ends a table of buffers.
    if (const auto end = fields.find("name");
        end != fields.end() && end->second.is == NpuField::Is::integer)
      end->second = NpuField::of_name("NULL");
    t.rows.push_back(std::move(fields));
    return {};
  };
  if (starts_named_fields(d.value)) {
    LOCKSTEP_CHECK(row(d.value));
    return t;
  }
  for (const auto& [key, v] : d.value.fields) {
    if (starts_named_fields(v)) {
      LOCKSTEP_CHECK(row(v));
    } else {
      LOCKSTEP_TRY(NpuField f, c_field(v, symbols_, at));
      t.values.push_back(std::move(f));
    }
  }
  return t;
}

Result<NpuFields> NetworkReader::fields_of(const CValue& v, const std::string& at) {
  NpuFields fields;
  for (const auto& [key, field] : v.fields) {
    if (key.empty()) continue;
    LOCKSTEP_TRY(NpuField f, c_field(field, symbols_, at + "." + key));
    fields.insert_or_assign(key, std::move(f));
  }
  return fields;
}

}  // namespace lockstep
