#include "npu/memory.h"

#include <algorithm>

#include <fmt/core.h>

namespace lockstep {
namespace {

struct Range {
  std::uint64_t low, high;
};

// Ranges that touch or overlap become one: virtual pools join banks.
std::vector<Range> merged(std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::low);
  std::vector<Range> out;
  for (const Range& r : ranges) {
    if (!out.empty() && r.low <= out.back().high)
      out.back().high = std::max(out.back().high, r.high);
    else
      out.push_back(r);
  }
  return out;
}

bool touches_image(const NpuProgram& program, std::uint64_t address) {
  return std::ranges::any_of(program.images, [&](const NpuImage& i) {
    return address >= i.base && address < i.base + std::max<std::size_t>(i.bytes.size(), 1);
  });
}

std::vector<Range> working_ranges(const NpuProgram& program) {
  std::vector<Range> ranges;
  for (const NpuPool& p : program.pools)
    if (!p.read_only && !touches_image(program, p.base))
      ranges.push_back({p.base, p.base + p.size});
  if (!ranges.empty()) return merged(std::move(ranges));
  for (const NpuBuffer& b : program.buffers)
    if (!b.is_param && !touches_image(program, b.base))
      ranges.push_back({b.base, b.base + static_cast<std::uint64_t>(b.end)});
  return merged(std::move(ranges));
}

}  // namespace

Error outside_memory(const NpuMemory& memory, std::uint64_t address, std::uint64_t size,
                     const std::string& who) {
  std::vector<const NpuRegion*> nearest;
  for (const NpuRegion& r : memory.regions()) nearest.push_back(&r);
  std::ranges::stable_sort(nearest, {}, [&](const NpuRegion* r) {
    return address < r->base ? r->base - address
                             : address - std::min(address, r->base + r->bytes.size());
  });
  constexpr std::size_t most = 3;
  std::string known;
  for (const NpuRegion* r : std::span(nearest).first(std::min(most, nearest.size())))
    known += fmt::format("{}{} 0x{:08x} .. 0x{:08x}", known.empty() ? "" : ", ", r->name, r->base,
                         r->base + r->bytes.size());
  if (nearest.size() > most) known += fmt::format(" or {} more", nearest.size() - most);
  return {who, fmt::format("touches 0x{:08x} .. 0x{:08x}", address, address + size),
          "a range inside " + known,
          "a weights file that is short or of another network looks like this"};
}

Error never_written(std::uint64_t address, const std::string& who) {
  return {who, fmt::format("reads 0x{:08x}, which nothing wrote", address),
          "bytes of the input, of the weights or of an earlier epoch",
          "on the device this is whatever an earlier inference left there"};
}

Result<NpuMemory> NpuMemory::make(const NpuProgram& program) {
  NpuMemory memory;
  for (const NpuImage& image : program.images) {
    NpuRegion region{image.file, image.base, {}, {}, true};
    region.bytes.resize(image.bytes.size());
    std::ranges::transform(image.bytes, region.bytes.begin(),
                           [](std::byte b) { return static_cast<std::uint8_t>(b); });
    memory.regions_.push_back(std::move(region));
  }
  std::uint64_t total = 0;
  for (const Range& r : working_ranges(program)) {
    const std::uint64_t size = r.high - r.low;
    total += size;
    if (total > (std::uint64_t{1} << 28))
      return Error{
          program.file, fmt::format("{} bytes of working memory", total), "at most 256 MB", {}};
    NpuRegion region{fmt::format("memory 0x{:08x}", r.low), r.low, {}, {}, false};
    region.bytes.resize(size);
    region.written.resize(size);
    memory.regions_.push_back(std::move(region));
  }
  for (std::size_t i = 0; i < memory.regions_.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const NpuRegion &a = memory.regions_[i], &b = memory.regions_[k];
      if (a.base < b.base + b.bytes.size() && b.base < a.base + a.bytes.size())
        return Error{
            program.file, a.name + " overlaps " + b.name, "weights apart from working memory", {}};
    }
  return memory;
}

void NpuMemory::clear() {
  for (NpuRegion& r : regions_) std::ranges::fill(r.written, std::uint8_t{0});
}

void NpuMemory::assume_written() {
  for (NpuRegion& r : regions_) std::ranges::fill(r.written, std::uint8_t{1});
}

const NpuRegion* NpuMemory::find(std::uint64_t address, std::uint64_t size) const {
  for (const NpuRegion& r : regions_)
    if (address >= r.base && size <= r.bytes.size() && address - r.base <= r.bytes.size() - size)
      return &r;
  return nullptr;
}

NpuRegion* NpuMemory::find(std::uint64_t address, std::uint64_t size) {
  return const_cast<NpuRegion*>(std::as_const(*this).find(address, size));
}

Result<std::span<const std::uint8_t>> NpuMemory::read(std::uint64_t address, std::uint64_t size,
                                                      const std::string& who) const {
  const NpuRegion* r = find(address, size);
  if (!r) return outside_memory(*this, address, size, who);
  if (trace_) trace_->reads.emplace_back(address, address + size);
  const std::size_t at = address - r->base;
  if (!r->written.empty()) {
    const auto marks = std::span(r->written).subspan(at, size);
    if (const auto hole = std::ranges::find(marks, 0); hole != marks.end())
      return never_written(address + static_cast<std::uint64_t>(hole - marks.begin()), who);
  }
  return std::span<const std::uint8_t>(r->bytes).subspan(at, size);
}

Result<void> NpuMemory::write(std::uint64_t address, std::span<const std::uint8_t> bytes,
                              const std::string& who) {
  NpuRegion* r = find(address, bytes.size());
  if (!r) return outside_memory(*this, address, bytes.size(), who);
  if (r->read_only)
    return Error{who,
                 fmt::format("writes 0x{:08x} in {}", address, r->name),
                 "an address in working memory",
                 {}};
  if (trace_) trace_->writes.emplace_back(address, address + bytes.size());
  const std::size_t at = address - r->base;
  std::ranges::copy(bytes, r->bytes.begin() + static_cast<std::ptrdiff_t>(at));
  std::fill_n(r->written.begin() + static_cast<std::ptrdiff_t>(at), bytes.size(), std::uint8_t{1});
  return {};
}

bool NpuMemory::all_written(std::uint64_t address, std::uint64_t size) const {
  const NpuRegion* r = find(address, size);
  if (!r) return false;
  if (r->written.empty()) return true;
  const auto marks = std::span(r->written).subspan(address - r->base, size);
  return std::ranges::find(marks, 0) == marks.end();
}

}  // namespace lockstep
