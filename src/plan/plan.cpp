// Greedy placement at the lowest free offset, in several orders, then a seeded search over orders.
#include "plan/plan.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace lockstep {
namespace {

struct Item {
  std::int64_t bytes;  // rounded up
  int first, last;
  std::size_t id;    // index of the buffer
  std::size_t over;  // index of the buffer that it may slide over, or its own
  std::int64_t slide = 0;
};

bool together(const Item& a, const Item& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Offsets strictly between these are no place for `item` beside `other`, which begins at `at`.
std::pair<std::int64_t, std::int64_t> forbidden(const Item& item, const Item& other,
                                                std::int64_t at) {
  if (item.over == other.id && item.id != other.id) return {at - item.slide, at + other.bytes};
  if (other.over == item.id && item.id != other.id) return {at - item.bytes, at + other.slide};
  return {at - item.bytes, at + other.bytes};
}

// The offsets of `order`'s items, each the lowest at which it stands beside those that live with
// it. Returns the end, or nothing worth more than `bound` (stops early).
std::int64_t place_in_order(const std::vector<Item>& items, const std::vector<std::size_t>& order,
                            std::vector<std::int64_t>& offsets, std::int64_t bound,
                            std::int64_t alignment) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  std::int64_t end = 0;
  for (std::size_t n = 0; n < order.size(); ++n) {
    const Item& item = items[order[n]];
    taken.clear();
    for (std::size_t k = 0; k < n; ++k)
      if (together(item, items[order[k]]))
        taken.push_back(forbidden(item, items[order[k]], offsets[order[k]]));
    std::ranges::sort(taken);
    std::int64_t at = 0;
    for (const auto& [below, above] : taken)
      if (at > below && at < above) at = (above + alignment - 1) / alignment * alignment;
    offsets[order[n]] = at;
    end = std::max(end, at + item.bytes);
    if (end >= bound) return end;
  }
  return end;
}

// The most that lives at one step; with `slides`, two that slide count as what both together need.
std::int64_t largest_live(const std::vector<Item>& items, bool slides) {
  std::int64_t most = 0;
  for (const Item& at : items) {
    std::int64_t live = 0;
    for (const Item& other : items) {
      if (other.first > at.first || at.first > other.last) continue;
      live += other.bytes;
      if (!slides || other.over == other.id || other.first != at.first) continue;
      for (const Item& under : items)
        if (under.id == other.over)
          live -= under.bytes + other.bytes - std::max(under.bytes + other.slide, other.bytes);
    }
    most = std::max(most, live);
  }
  return most;
}

using Order = std::vector<std::size_t>;

// For each item the most that lives at any step of its life.
std::vector<std::int64_t> peaks_of(const std::vector<Item>& items) {
  int steps = 0;
  for (const Item& i : items) steps = std::max(steps, i.last + 1);
  std::vector<std::int64_t> live(static_cast<std::size_t>(steps), 0);
  for (const Item& i : items)
    for (int s = i.first; s <= i.last; ++s) live[static_cast<std::size_t>(s)] += i.bytes;
  std::vector<std::int64_t> peaks;
  for (const Item& i : items)
    peaks.push_back(*std::max_element(live.begin() + i.first, live.begin() + i.last + 1));
  return peaks;
}

std::vector<Order> first_orders(const std::vector<Item>& items) {
  Order by_index(items.size());
  std::iota(by_index.begin(), by_index.end(), std::size_t{0});
  const auto sorted = [&](auto&& key) {
    Order order = by_index;
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return key(items[a]) > key(items[b]); });
    return order;
  };
  Order backwards(by_index.rbegin(), by_index.rend());
  const Order forwards = by_index;
  std::vector<Order> orders{forwards, backwards};
  // What lives in the tightest step first, the largest of it first.
  const auto peaks = peaks_of(items);
  for (Order order : {forwards, backwards}) {
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      return std::pair(peaks[a], items[a].bytes) > std::pair(peaks[b], items[b].bytes);
    });
    orders.push_back(order);
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return peaks[a] > peaks[b]; });
    orders.push_back(std::move(order));
  }
  // Equal ones from the last to the first: what slides over another is then placed below it.
  for (const Order& start : {forwards, backwards}) {
    by_index = start;
    orders.push_back(sorted([](const Item& i) { return i.bytes; }));
    orders.push_back(sorted([](const Item& i) { return i.bytes * (i.last - i.first + 1); }));
    orders.push_back(
        sorted([](const Item& i) { return static_cast<std::int64_t>(i.last - i.first); }));
  }
  return orders;
}

// The best offsets that a bounded search finds; stops at the largest live set, below which none go.
std::int64_t search(const std::vector<Item>& items, std::vector<std::int64_t>& best,
                    std::int64_t alignment) {
  const std::int64_t goal = largest_live(items, true);
  std::int64_t least = INT64_MAX;
  Order best_order;
  std::vector<std::int64_t> offsets(items.size(), 0);
  const auto attempt = [&](const Order& order) {
    const std::int64_t end = place_in_order(items, order, offsets, least, alignment);
    if (end >= least) return false;
    least = end;
    best = offsets;
    best_order = order;
    return true;
  };
  for (const Order& order : first_orders(items)) {
    attempt(order);
    if (least <= goal) return least;
  }
  Random random(1);
  const auto count = static_cast<std::int64_t>(items.size());
  const int tries = count > 400 ? 300 : 3000;
  for (int t = 0; t < tries && least > goal && count > 1; ++t) {
    Order order = best_order;
    for (int swaps = 0; swaps < 1 + t % 4; ++swaps) {
      const auto from = static_cast<std::ptrdiff_t>(random.between(0, count - 1)),
                 to = static_cast<std::ptrdiff_t>(random.between(0, count - 1));
      const std::size_t moved = order[static_cast<std::size_t>(from)];
      order.erase(order.begin() + from);
      order.insert(order.begin() + to, moved);
    }
    attempt(order);
  }
  return least;
}

std::int64_t rounded(std::int64_t bytes, std::int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

Item item_of(const std::vector<Buffer>& buffers, std::size_t i, std::int64_t alignment) {
  const Buffer& b = buffers[i];
  return {rounded(b.bytes, alignment),
          b.first,
          b.last,
          i,
          b.over < 0 ? i : static_cast<std::size_t>(b.over),
          rounded(b.slide, alignment)};
}

// Takes from `waiting` what goes into one pool, the largest first, as far as it fits.
std::vector<std::size_t> choose(const std::vector<Buffer>& buffers, const Pool& pool, int index,
                                std::vector<std::size_t>& waiting) {
  std::vector<std::size_t> in, out;
  std::vector<Item> items;
  std::ranges::stable_sort(waiting, [&](std::size_t a, std::size_t b) {
    return std::pair(buffers[a].pool != index, -buffers[a].bytes) <
           std::pair(buffers[b].pool != index, -buffers[b].bytes);
  });
  for (const std::size_t i : waiting) {
    const Buffer& b = buffers[i];
    bool fits = b.pool == index || b.pool < 0;
    if (fits && pool.size > 0) {
      items.push_back(item_of(buffers, i, pool.alignment));
      std::vector<std::int64_t> offsets(items.size(), 0);
      Order order(items.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      fits = place_in_order(items, order, offsets, pool.size + 1, pool.alignment) <= pool.size;
      if (!fits) items.pop_back();
    }
    (fits ? in : out).push_back(i);
  }
  waiting = out;
  return in;
}

void place_pool(MemoryPlan& plan, int index, const std::vector<std::size_t>& chosen) {
  const Pool& pool = plan.pools[static_cast<std::size_t>(index)];
  std::vector<Item> items;
  for (const std::size_t i : chosen) items.push_back(item_of(plan.buffers, i, pool.alignment));
  std::vector<std::int64_t> offsets(items.size(), 0);
  plan.used[static_cast<std::size_t>(index)] =
      items.empty() ? 0 : search(items, offsets, pool.alignment);
  for (std::size_t k = 0; k < chosen.size(); ++k) plan.places[chosen[k]] = {index, offsets[k]};
}

Result<void> check(const std::vector<Buffer>& buffers, const std::vector<Pool>& pools) {
  for (const Pool& p : pools)
    if (p.alignment < 1 || (p.alignment & (p.alignment - 1)) != 0)
      return Error{"pool '" + p.name + "'", "alignment " + std::to_string(p.alignment),
                   "a power of two", ""};
  for (const Buffer& b : buffers)
    if (b.bytes < 0 || b.last < b.first || b.pool >= static_cast<int>(pools.size()))
      return Error{"buffer '" + b.name + "'", "size, steps or pool out of range",
                   "bytes >= 0, first <= last", ""};
  return {};
}

}  // namespace

Result<MemoryPlan> plan_memory(std::vector<Buffer> buffers, std::vector<Pool> pools) {
  if (pools.empty()) pools.emplace_back();
  LOCKSTEP_CHECK(check(buffers, pools));
  MemoryPlan plan{std::move(buffers), std::move(pools), {}, {}, 0, 0, 0};
  plan.places.resize(plan.buffers.size());
  plan.used.assign(plan.pools.size(), 0);
  std::vector<int> by_speed(plan.pools.size());
  std::iota(by_speed.begin(), by_speed.end(), 0);
  std::ranges::stable_sort(by_speed, [&](int a, int b) {
    return plan.pools[static_cast<std::size_t>(a)].speed >
           plan.pools[static_cast<std::size_t>(b)].speed;
  });
  std::vector<std::size_t> waiting(plan.buffers.size());
  std::iota(waiting.begin(), waiting.end(), std::size_t{0});
  for (const int index : by_speed)
    place_pool(plan, index,
               choose(plan.buffers, plan.pools[static_cast<std::size_t>(index)], index, waiting));
  if (!waiting.empty()) {
    const Buffer& b = plan.buffers[waiting.front()];
    std::string sizes;
    for (const Pool& p : plan.pools)
      sizes += (sizes.empty() ? "" : ", ") + p.name + " " + std::to_string(p.size);
    return Error{"buffer '" + b.name + "'", std::to_string(b.bytes) + " bytes fit in no pool",
                 "room beside what lives with it", "pools in bytes: " + sizes};
  }
  std::vector<Item> items;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& b = plan.buffers[i];
    items.push_back(item_of(plan.buffers, i,
                            plan.pools[static_cast<std::size_t>(plan.places[i].pool)].alignment));
    plan.steps = std::max(plan.steps, b.last + 1);
  }
  plan.largest_live = largest_live(items, false);
  plan.total = std::accumulate(plan.used.begin(), plan.used.end(), std::int64_t{0});
  return plan;
}

std::string overlap_of(const MemoryPlan& plan) {
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& a = plan.buffers[i];
    const Place& pa = plan.places[i];
    const Pool& pool = plan.pools[static_cast<std::size_t>(pa.pool)];
    if (pa.offset < 0 || pa.offset % pool.alignment != 0 ||
        (pool.size > 0 && pa.offset + a.bytes > pool.size))
      return "'" + a.name + "' stands at " + std::to_string(pa.offset) + " of pool '" + pool.name +
             "'";
    for (std::size_t k = i + 1; k < plan.buffers.size(); ++k) {
      const Buffer& b = plan.buffers[k];
      const Place& pb = plan.places[k];
      if ((a.over == static_cast<int>(k) && pa.offset + a.slide <= pb.offset) ||
          (b.over == static_cast<int>(i) && pb.offset + b.slide <= pa.offset))
        continue;
      if (pa.pool == pb.pool && a.first <= b.last && b.first <= a.last &&
          pa.offset < pb.offset + b.bytes && pb.offset < pa.offset + a.bytes)
        return "'" + a.name + "' and '" + b.name + "' share bytes of pool '" + pool.name + "'";
    }
  }
  return "";
}

}  // namespace lockstep
