#include "formats/columns/collector.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <random>

#include "formats/block.h"
#include "formats/columns/collect.h"
#include "formats/columns/hash.h"

namespace tailcap::formats::columns {
namespace {

// Refs have 16 bits, and an event adds at most one thread and one socket. Half of what a block may have: the decoded
// events of a block are the larger part of a reader's memory.
constexpr std::uint32_t kBlockEvents = kMaxBlockEvents / 2;
// An event adds at most four pieces of bytes.
constexpr std::size_t kBlockPieces = 65'000;
}  // namespace

Collector::Collector()
    : block_(std::make_unique<CollectedBlock>()),
      threads_(17),
      sockets_(17),
      pieces_(17),
      goroutines_(17),
      seed_(std::random_device{}()) {
  last_thread_index_.fill(kNoIndex);
}

bool Collector::full() const {
  return block_->raw_bytes >= kBlockRawBytes || block_->events >= kBlockEvents ||
         block_->columns.piece_ends.size() >= kBlockPieces;
}

std::unique_ptr<CollectedBlock> Collector::take(std::unique_ptr<CollectedBlock> next) {
  threads_.clear();
  sockets_.clear();
  pieces_.clear();
  goroutines_.clear();
  last_thread_.fill(Thread{});
  last_thread_index_.fill(kNoIndex);
  socket_of_thread_.clear();
  socket_states_.clear();
  assert(next != nullptr && next->events == 0);
  std::swap(block_, next);
  return next;
}

std::uint32_t Collector::thread_index(Thread thread) {
  auto& c = block_->columns;
  const auto next = static_cast<std::uint32_t>(c.pids.size());
  const auto hash = hash_number(std::uint64_t{thread.pid} << 32 | thread.tid, seed_);
  const auto found = threads_.find_or_put(
      hash, next, [&](std::uint32_t i) { return c.pids[i] == thread.pid && c.tids[i] == thread.tid; });
  if (found != kNoIndex) return found;
  c.pids.push_back(thread.pid);
  c.tids.push_back(thread.tid);
  socket_of_thread_.push_back(kNoIndex);
  block_->raw_bytes += 8;
  return next;
}

// The ref of the socket, and its index among the sockets of the block. 0 where the thread's last event had the same.
std::uint16_t Collector::socket_ref(SocketId socket, std::uint32_t& index) {
  auto& c = block_->columns;
  std::uint32_t& before = socket_of_thread_[thread_];
  if (before != kNoIndex && c.sockets[before] == socket) {
    index = before;
    return 0;
  }
  before = index = socket_index(socket);
  return static_cast<std::uint16_t>(index + 1);
}

std::uint32_t Collector::socket_index(SocketId socket) {
  auto& c = block_->columns;
  const auto next = static_cast<std::uint32_t>(c.sockets.size());
  const auto found =
      sockets_.find_or_put(hash_number(socket, seed_), next, [&](std::uint32_t i) { return c.sockets[i] == socket; });
  if (found != kNoIndex) return found;
  c.sockets.push_back(socket);
  socket_states_.emplace_back();
  block_->raw_bytes += 8;
  return next;
}

void Collector::goroutine(std::uint64_t goroutine) {
  auto& c = block_->columns;
  std::uint16_t ref = 0;
  if (goroutine != 0) {
    const auto next = static_cast<std::uint32_t>(c.goroutines.size());
    auto found = goroutines_.find_or_put(hash_number(goroutine, seed_), next,
                                         [&](std::uint32_t i) { return c.goroutines[i] == goroutine; });
    if (found == kNoIndex) {
      c.goroutines.push_back(goroutine);
      block_->raw_bytes += 8;
      found = next;
    }
    ref = static_cast<std::uint16_t>(found + 1);
  }
  c.goroutine.push_back(ref);
}

// Requests repeat: a piece of bytes that this block has already is not stored again.
std::uint16_t Collector::piece_ref(std::string_view bytes) {
  if (bytes.empty()) return 0;
  auto& c = block_->columns;
  const auto next = static_cast<std::uint32_t>(c.piece_ends.size());
  const auto found = pieces_.find_or_put(hash_bytes(bytes, seed_), next, [&](std::uint32_t i) {
    const std::size_t start = i == 0 ? 0 : c.piece_ends[i - 1];
    return c.piece_ends[i] - start == bytes.size() &&
           std::memcmp(c.bytes.data() + start, bytes.data(), bytes.size()) == 0;
  });
  if (found != kNoIndex) return static_cast<std::uint16_t>(found + 1);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());  // same type: one memmove
  c.bytes.insert(c.bytes.end(), first, first + bytes.size());
  c.piece_ends.push_back(static_cast<std::uint32_t>(c.bytes.size()));
  block_->raw_bytes += bytes.size() + 4;
  return static_cast<std::uint16_t>(next + 1);
}

void Collector::add(const Event& event) {
  assert(!full());
  CollectedBlock& block = *block_;
  BlockColumns<Column>& c = block.columns;
  if (block.events == 0) {
    opened_ = block.first = block.last = event.time;
    previous_time_ = nanoseconds(event.time);
    c.base = previous_time_;
  }
  const auto kind = static_cast<std::uint8_t>(kind_of(event));
  c.order.push_back(kind);

  const auto since = difference(event.time, time_from(previous_time_));
  previous_time_ = nanoseconds(event.time);
  c.time.push_back(since < kFar ? static_cast<std::uint16_t>(since) : kFar);
  if (since >= kFar) c.time_far.push_back(static_cast<std::int64_t>(since));
  block.first = std::min(block.first, event.time);
  block.last = std::max(block.last, event.time);

  if (last_thread_index_[kind] != kNoIndex && last_thread_[kind] == event.thread) {
    thread_ = last_thread_index_[kind];
    c.thread.push_back(0);
  } else {
    thread_ = last_thread_index_[kind] = thread_index(event.thread);
    last_thread_[kind] = event.thread;
    c.thread.push_back(static_cast<std::uint16_t>(thread_ + 1));
  }
  ++block.events;
  block.raw_bytes += 7;
  goroutine(event.goroutine);
  std::visit(Add{*this, event, c}, event.body);
}

}  // namespace tailcap::formats::columns
