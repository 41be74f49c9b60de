#pragma once

#include "npu/flow.h"

namespace lockstep {

// What the switch makes of flows: contexts in turn, and words cut into bytes.

// One source: `from` says which frames of each turn go on.
template <class T>
NpuFlow<T> in_turn(const NpuFlow<T>& flow, const std::vector<NpuSource>& from) {
  const std::size_t head = static_cast<std::size_t>(from[0].frames),
                    period = head + static_cast<std::size_t>(from[1].frames);
  NpuFlow<T> out;
  for (std::size_t i = 0; i < flow.frames.size(); ++i)
    if (from[i % period < head ? 0 : 1].context != 0) out.frames.push_back(flow.frames[i]);
  return out;
}

// Two sources, whose frames go on in turns.
template <class T>
Result<NpuFlow<T>> alternating(const std::string& who, const NpuFlow<T>& a, const NpuFlow<T>& b,
                               const std::vector<NpuSource>& from) {
  NpuFlow<T> out;
  std::size_t next[2] = {0, 0};
  const NpuFlow<T>* flows[2] = {&a, &b};
  while (next[0] < a.frames.size() || next[1] < b.frames.size())
    for (int c = 0; c < 2; ++c)
      for (int f = 0; f < from[static_cast<std::size_t>(c)].frames; ++f) {
        if (next[c] >= flows[c]->frames.size())
          return Error{who, "two sources of frames that do not come out even", "whole turns", {}};
        if (from[static_cast<std::size_t>(c)].context != 0)
          out.frames.push_back(flows[c]->frames[next[c]]);
        ++next[c];
      }
  return out;
}

// Words of two bytes, one behind the other.
template <class T>
NpuFlow<T> in_bytes(const NpuFlow<T>& words) {
  std::map<const void*, NpuFrame<T>> seen;
  NpuFlow<T> out;
  for (const NpuFrame<T>& f : words.frames) {
    NpuFrame<T>& frame = seen[f.get()];
    if (!frame) {
      auto bytes = std::make_shared<std::vector<T>>();
      for (const T word : *f)
        for (int k = 0; k < 2; ++k)
          bytes->push_back(static_cast<T>((static_cast<std::int64_t>(word) >> (8 * k)) & 0xff));
      frame = std::move(bytes);
    }
    out.frames.push_back(frame);
  }
  return out;
}

}  // namespace lockstep
