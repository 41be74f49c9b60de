#include "npu/units.h"

#include <algorithm>
#include <span>

#include <fmt/core.h>

#include "npu/unit_checks.h"
#include "npu/unit_rules.h"

namespace lockstep {
namespace {

using namespace unit_rules;

Error refused(const NpuUnit& unit, const std::string& where, std::string what, std::string want) {
  return {.where = fmt::format("{}: {} '{}'", where, text_of(unit.id), unit.name),
          .what = std::move(what),
          .want = std::move(want),
          .hint = {}};
}

std::string text_of(const NpuField& f) {
  if (f.is == NpuField::Is::name) return f.name;
  if (f.is == NpuField::Is::list) return fmt::format("a list of {}", f.list.size());
  return f.is == NpuField::Is::real ? fmt::format("{}", f.real) : fmt::format("{}", f.integer);
}

bool is_zero(const NpuField& f) {
  if (f.is == NpuField::Is::list) return std::ranges::all_of(f.list, is_zero);
  return f.is == NpuField::Is::integer && f.integer == 0;
}

template <class U>
Result<void> take(const Rule<U>& rule, const NpuField& f, U& out, const NpuUnit& unit,
                  const std::string& where) {
  const std::string name(rule.name);
  switch (rule.use) {
    case Use::inert:
      return {};
    case Use::only:
      if (f.is != NpuField::Is::integer || f.integer != rule.only)
        return refused(unit, where, name + " = " + text_of(f),
                       fmt::format("{}: what other values compute is not known", rule.only));
      return {};
    case Use::text:
      if (f.is == NpuField::Is::name)
        out.*rule.text = f.name;
      else if (!is_zero(f))
        return refused(unit, where, name + " = " + text_of(f), "an enumerator");
      return {};
    case Use::list:
      for (const NpuField& item : f.list) (out.*rule.list).push_back(item.integer);
      return {};
    case Use::number:
      break;
  }
  constexpr std::int64_t most = std::int64_t{1} << 33;
  if (f.is != NpuField::Is::integer || f.integer > most || f.integer < -most)
    return refused(unit, where, name + " = " + text_of(f), "an integer of at most 32 bits");
  out.*rule.number = f.integer;
  return {};
}

template <class U>
Result<U> decode(std::span<const Rule<U>> rules, const NpuUnit& unit, const std::string& where) {
  U out;
  for (const auto& [name, field] : unit.fields) {
    const auto rule = std::ranges::find(rules, std::string_view(name), &Rule<U>::name);
    if (rule != rules.end())
      LOCKSTEP_CHECK(take(*rule, field, out, unit, where));
    else if (!is_zero(field))
      return refused(unit, where, "unknown field " + name + " = " + text_of(field),
                     "0, or a field of the reference");
  }
  return out;
}

template <class U>
Result<NpuUnitForm> decode_and_check(std::span<const Rule<U>> rules, const NpuUnit& unit,
                                     const std::string& where) {
  LOCKSTEP_TRY(U out, decode<U>(rules, unit, where));
  if (const std::string p = npu_unit_problem(out); !p.empty())
    return refused(unit, where, p, "a configuration whose effect docs/neural-art.md describes");
  return NpuUnitForm(std::move(out));
}

}  // namespace

std::int64_t NpuStream::frame_elements() const {
  if (raw == 0) return fwidth * fheight * batch_depth;
  if (frame_count > 0) return frame_count;
  return (offset_end - offset_start) / element_bytes();
}

std::int64_t NpuStream::frame_start(std::int64_t f) const {
  if (frame_loop_cnt == 0) return f * frame_offset;
  return (f % frame_loop_cnt) * frame_offset + (f / frame_loop_cnt) * loop_offset;
}

Result<NpuUnitForm> decode_unit(const NpuUnit& unit, const std::string& where) {
  switch (unit.id.kind) {
    case NpuKind::stream:
      return decode_and_check<S>(stream_rules, unit, where);
    case NpuKind::conv:
      return decode_and_check<C>(conv_rules, unit, where);
    case NpuKind::arith:
      return decode_and_check<A>(arith_rules, unit, where);
    case NpuKind::pool:
      return decode_and_check<P>(pool_rules, unit, where);
    case NpuKind::activ:
      return decode_and_check<V>(activ_rules, unit, where);
    case NpuKind::decompress:
      return refused(unit, where, "decompressed weights",
                     "weights stored uncompressed: how a code word stands for its vector of "
                     "weights, and where the book of vectors lies, is not known");
    case NpuKind::recbuf:
      break;
  }
  return refused(unit, where, "the reconfigurable buffer",
                 "an epoch without it: in which order it hands on the frames of its three ports is "
                 "not known");
}

const NpuUnit* NpuEpochForm::raw(NpuUnitId id) const {
  const auto it = std::ranges::find(epoch->units, id, &NpuUnit::id);
  return it == epoch->units.end() ? nullptr : &*it;
}

Result<NpuEpochForm> decode_epoch(const NpuEpoch& epoch, const std::string& file) {
  const std::string where = fmt::format("{}: epoch {}", file, epoch.number);
  NpuEpochForm form;
  form.epoch = &epoch;
  for (const NpuUnit& unit : epoch.units) {
    LOCKSTEP_TRY(NpuUnitForm decoded, decode_unit(unit, where));
    if (!form.units.emplace(unit.id, std::move(decoded)).second)
      return Error{where, text_of(unit.id) + " configured twice", "each unit once in an epoch", {}};
  }
  for (const NpuLink& link : epoch.links) {
    const auto there = [&](NpuUnitId id) { return form.units.contains(id); };
    for (const NpuSource& s : link.from)
      if (!there(s.source.unit))
        return Error{where,
                     "a link from " + text_of(s.source.unit) + ", which is not configured",
                     "a unit of the epoch",
                     {}};
    if (!there(link.to.unit))
      return Error{where,
                   "a link to " + text_of(link.to.unit) + ", which is not configured",
                   "a unit of the epoch",
                   {}};
    if (!form.links.emplace(link.to, link).second)
      return Error{
          where, text_of(link.to.unit) + " is fed twice at one port", "one link for a port", {}};
  }
  return form;
}

}  // namespace lockstep
