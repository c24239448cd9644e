#include "capture/rings/rings.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <system_error>

#include "bpf/event.h"

namespace tailcap::capture {

namespace {

// A program takes some µs from reading a record's time to having the record in the ring. If an interrupt or the
// hypervisor delays it longer, the record is slightly out of order, as it would be in one ring.
constexpr std::int64_t kMomentNs = 2'000'000;

// Two records have the same time where one run of a program made them; the first may have found its ring full and the
// second room there. All else of a thread follows its off-CPU interval.
bool precedes(std::span<const std::byte> a, std::span<const std::byte> b) {
  bpf::record_header first, second;
  if (a.size() < sizeof first || b.size() < sizeof second) return false;
  std::memcpy(&first, a.data(), sizeof first);
  std::memcpy(&second, b.data(), sizeof second);
  return first.kind == bpf::RECORD_OFF_CPU && second.kind != bpf::RECORD_OFF_CPU;
}

constexpr std::uint64_t kSpillFrom = 8u << 20;  // less is shared by the rings, and there is no spill

// CPUs that share a ring wait for each other's cache lines. Without a spill, no ring is so small that a burst fills it.
std::uint32_t count_for(std::uint64_t bytes) {
  constexpr std::uint64_t kLeast = 1u << 20;
  const auto cpus = static_cast<std::uint64_t>(std::max(1, libbpf_num_possible_cpus()));
  const std::uint64_t most =
      bytes < kSpillFrom ? std::clamp<std::uint64_t>(bytes / kLeast, 1, RINGS_MAX) : std::uint64_t{RINGS_MAX};
  return static_cast<std::uint32_t>(std::min(std::bit_ceil(cpus), most));
}

}  // namespace

// A ring is written from its beginning to its end, and again. One of 16 MiB is never in a CPU's cache, which cost nginx
// at saturation 1 µs a request (bench/RESULTS.md).
RingSizes ring_sizes(std::uint32_t asked, std::uint64_t bytes) {
  constexpr std::uint64_t kNear = 2u << 20;
  const std::uint32_t count = asked ? asked : count_for(bytes);
  if (bytes < kSpillFrom) return {count, bytes / count, 0};
  return {count, std::min(kNear, bytes / count / 2), bytes};
}

Rings::Rings(const RingMaps& maps) : descriptors_{maps.first} {
  const std::uint64_t bytes = maps.sizes.bytes;
  sources_.push_back({std::make_unique<Ring>(maps.first, bytes)});
  try {
    for (std::uint32_t i = 1; i < maps.sizes.count; ++i) {
      const int ring =
          bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tailcap_ring", 0, 0, static_cast<std::uint32_t>(bytes), nullptr);
      if (ring < 0)
        throw std::system_error(
            errno, std::generic_category(),
            "cannot make a ring buffer of " + std::to_string(bytes) + " bytes; try a smaller --ring");
      descriptors_.push_back(ring);
      sources_.push_back({std::make_unique<Ring>(ring, bytes)});
      if (bpf_map_update_elem(maps.others, &i, &ring, BPF_ANY) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot give the kernel programs their ring buffers");
    }
    if (maps.sizes.spill_bytes) sources_.push_back({std::make_unique<Ring>(maps.spill, maps.sizes.spill_bytes)});
  } catch (...) {
    close_all();
    throw;
  }
}

Rings::~Rings() { close_all(); }

void Rings::close_all() {
  sources_.clear();
  for (std::size_t i = 1; i < descriptors_.size(); ++i) close(descriptors_[i]);
}

void Rings::look(Source& source) {
  source.front = source.ring->front();
  // Every record begins with its time (bpf/event.h). One that is too short for that is invalid, and comes first.
  source.time = 0;
  if (source.front.size() >= sizeof source.time) std::memcpy(&source.time, source.front.data(), sizeof source.time);
}

void Rings::begin(formats::Time now, bool all) {
  passed_ = nullptr;
  for (Source& source : sources_) {
    source.ring->begin();
    look(source);
  }
  // The spill is looked at last: if nothing is in it, all that will be comes after what the rings hold now.
  const bool one = descriptors_.size() == 1 && (sources_.size() == 1 || !sources_.back().ring->pending());
  until_ = all || one ? std::numeric_limits<std::int64_t>::max() : formats::nanoseconds(now) - kMomentNs;
}

std::span<const std::byte> Rings::next() {
  if (passed_) {
    passed_->ring->pass();
    look(*passed_);
    passed_ = nullptr;
  }
  for (Source& source : sources_) {
    if (source.front.empty() || source.time > until_) continue;
    if (!passed_ || source.time < passed_->time ||
        (source.time == passed_->time && precedes(source.front, passed_->front)))
      passed_ = &source;
  }
  return passed_ ? passed_->front : std::span<const std::byte>();
}

void Rings::release() {
  for (Source& source : sources_) source.ring->release();
}

std::uint64_t Rings::held() const {
  std::uint64_t bytes = 0;
  for (const Source& source : sources_) bytes += source.ring->held();
  return bytes;
}

std::uint64_t Rings::pending() const {
  std::uint64_t bytes = 0;
  for (const Source& source : sources_) bytes += source.ring->pending();
  return bytes;
}

}  // namespace tailcap::capture
