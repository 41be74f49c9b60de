#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "npu/epoch.h"

namespace lockstep {

// What runs over a link: an ordered list of frames, a frame an ordered list of elements. Frames
// that are read again (a replayed address) are the same object. T is int32_t, or double in exact
// mode.
template <class T>
using NpuFrame = std::shared_ptr<const std::vector<T>>;

template <class T>
struct NpuFlow {
  std::vector<NpuFrame<T>> frames;

  std::int64_t count() const {
    std::int64_t n = 0;
    for (const auto& f : frames) n += static_cast<std::int64_t>(f->size());
    return n;
  }
  // All elements in one piece; the frame itself when there is only one.
  NpuFrame<T> joined() const;
  // The same elements cut into frames of n; an error text when they do not divide.
  Result<NpuFlow> cut(std::int64_t n, const std::string& who) const;
};

template <class T>
NpuFrame<T> NpuFlow<T>::joined() const {
  if (frames.size() == 1) return frames[0];
  auto all = std::make_shared<std::vector<T>>();
  all->reserve(static_cast<std::size_t>(count()));
  for (const auto& f : frames) all->insert(all->end(), f->begin(), f->end());
  return all;
}

template <class T>
Result<NpuFlow<T>> NpuFlow<T>::cut(std::int64_t n, const std::string& who) const {
  bool fits = true;
  for (const auto& f : frames) fits = fits && static_cast<std::int64_t>(f->size()) == n;
  if (fits) return *this;
  const NpuFrame<T> all = joined();
  const auto total = static_cast<std::int64_t>(all->size());
  if (n <= 0 || total % n != 0)
    return Error{
        who, std::to_string(total) + " elements arrive", "a multiple of " + std::to_string(n), {}};
  NpuFlow out;
  for (std::int64_t at = 0; at < total; at += n)
    out.frames.push_back(
        std::make_shared<std::vector<T>>(all->begin() + at, all->begin() + at + n));
  return out;
}

// Stream engines: the address generator of docs/neural-art.md.
template <class T>
Result<NpuFlow<T>> read_stream(const NpuStream& s, const NpuMemory& memory, const std::string& who);
template <class T>
Result<void> write_stream(const NpuStream& s, const NpuFlow<T>& flow, NpuMemory& memory,
                          const std::string& who);

// One row of an arithmetic unit's coefficient memory, and the row that element n meets.
struct NpuCoefficient {
  std::int64_t a = 0, b = 0, c = 0;
};
Result<std::vector<NpuCoefficient>> arith_coefficients(const NpuArith& a, const NpuMemory& memory,
                                                       const std::string& who);

// An arithmetic unit on whole flows; y is null without a second operand.
template <class T>
Result<NpuFlow<T>> run_arith(const NpuArith& a, const NpuFlow<T>& x, const NpuFlow<T>* y,
                             const NpuMemory& memory, const NpuRules& rules,
                             const std::string& who);
template <class T>
Result<NpuFlow<T>> run_pool(const NpuPoolUnit& p, const NpuFlow<T>& x, const NpuRules& rules,
                            const std::string& who);
template <class T>
Result<NpuFlow<T>> run_activ(const NpuActiv& v, const NpuFlow<T>& x, const NpuMemory& memory,
                             const NpuRules& rules, NpuCounts& counts, const std::string& who);

// Kernels from their stream, in the order that the unit takes them.
Result<NpuKernels> order_kernels(const NpuConv& c, const NpuFlow<std::int32_t>& stream, bool packed,
                                 const std::string& who);

// Features of one frame laid out for the sums: [pixels][kernelHeight * kernelWidth * batchDepth].
template <class T>
struct NpuPatches {
  std::int64_t pixels = 0, elements = 0;
  std::int64_t largest = 0;  // of |feature - fsub|
  std::vector<T> rows;
};
template <class T, class P>
Result<NpuPatches<P>> patches_of(const NpuConv& c, const std::vector<T>& frame, bool packed,
                                 bool raw, const std::string& who);

// sums[p * kernels + k] = patch p times kernel k of the set.
void multiply_patches(const NpuPatches<std::int16_t>& x, const NpuKernels& w, std::int64_t set,
                      std::vector<std::int64_t>& sums);
void multiply_patches(const NpuPatches<double>& x, const NpuKernels& w, std::int64_t set,
                      std::vector<double>& sums);

}  // namespace lockstep
