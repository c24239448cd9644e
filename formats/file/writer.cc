#include "formats/file/writer.h"

#include <cassert>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "formats/columns/collector.h"
#include "formats/fields/tables.h"
#include "formats/file/block_writer.h"

namespace tailcap::formats {
namespace {

using columns::CollectedBlock;
using columns::Collector;
using file::BlockWriter;

constexpr std::size_t kSpareBlocks = 8;  // kept for reuse; a queue that was once long releases the memory of the rest
constexpr std::uint8_t kKindUnknown = 255;

struct TimesFit {
  template <class B>
  bool operator()(const B& body) const {
    bool all = true;
    each_field(body, [&]<class T>(const auto&, const T& value) {
      if constexpr (std::is_same_v<T, Time>)
        all = all && within_range(value);
      else if constexpr (std::is_same_v<T, Duration>)
        all = all && within_range(Time{value});
    });
    if constexpr (std::is_same_v<B, ClockSnapshot>) {
      const auto limit = nanoseconds(kMaxTime);
      all = all && body.realtime >= -limit && body.realtime <= limit && within_range(time_from(body.boottime));
    }
    return all;
  }
};

bool times_fit(const Event& event) { return within_range(event.time) && std::visit(TimesFit{}, event.body); }

struct Queued {
  std::unique_ptr<CollectedBlock> block;  // null: call instead
  BlockType type;
  std::uint16_t stream;
  std::function<void()> call = {};
};

// Losses that the writer itself causes: recorded at the head of the stream's next block.
struct OwnLoss {
  Time since = kNoTime, until = kNoTime;
  std::uint64_t queue_full = 0, bad_record = 0;
};

}  // namespace

struct Writer::Impl {
  struct Stream {
    Collector collector;
    OwnLoss loss;
  };

  const std::uint64_t queue_bytes;
  const bool waits;
  const std::unique_ptr<file::BlockSink> out;
  BlockWriter* file = nullptr;  // out, where that is a file
  std::vector<std::unique_ptr<Stream>> streams;
  std::unique_ptr<Collector> keyframe;
  bool in_keyframe = false;
  WriterTotals totals;

  std::mutex mutex;
  std::condition_variable wake, drained;
  std::deque<Queued> queue;
  std::uint64_t queued_bytes = 0;
  std::vector<std::unique_ptr<CollectedBlock>> spare;
  bool ending = false;
  std::exception_ptr error;
  std::atomic<bool> failed{false};
  std::thread thread;

  Impl(std::unique_ptr<file::BlockSink> sink, const WriterOptions& options)
      : queue_bytes(options.queue_bytes), waits(options.wait), out(std::move(sink)) {
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    wake.notify_one();
    thread.join();
  }

  // Runs on the writer's thread.
  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [this] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      Queued next = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      if (!failed.load(std::memory_order_relaxed)) {
        try {
          next.block ? out->write(*next.block, next.type, next.stream) : next.call();
        } catch (...) {
          error = std::current_exception();
          failed.store(true, std::memory_order_release);
        }
      }
      if (!next.block) {
        lock.lock();
        continue;
      }
      const auto bytes = next.block->raw_bytes;
      next.block->clear();
      lock.lock();
      queued_bytes -= bytes;
      if (spare.size() < kSpareBlocks) spare.push_back(std::move(next.block));
      drained.notify_one();
    }
  }

  void throw_failure() const {
    if (failed.load(std::memory_order_acquire)) std::rethrow_exception(error);
  }

  Stream& stream(std::uint16_t number) {
    while (streams.size() <= number) streams.push_back(std::make_unique<Stream>());
    return *streams[number];
  }

  // Passes the open block to the thread. Returns false if there was no room and the block was dropped.
  void close(Collector& collector, BlockType type, std::uint16_t number, bool wait) {
    if (collector.empty()) return;
    std::unique_lock lock(mutex);
    if (wait || waits) drained.wait(lock, [this] { return queued_bytes < queue_bytes; });
    std::unique_ptr<CollectedBlock> fresh;
    if (!spare.empty()) {
      fresh = std::move(spare.back());
      spare.pop_back();
    }
    const bool room = queued_bytes < queue_bytes;
    lock.unlock();
    if (fresh == nullptr) fresh = std::make_unique<CollectedBlock>();
    auto block = collector.take(std::move(fresh));
    if (!room) return drop(std::move(block), number);
    lock.lock();
    queued_bytes += block->raw_bytes;
    queue.push_back({std::move(block), type, number});
    lock.unlock();
    wake.notify_one();
  }

  void drop(std::unique_ptr<CollectedBlock> block, std::uint16_t number) {
    OwnLoss& loss = stream(number).loss;
    if (loss.queue_full + loss.bad_record == 0) loss.since = block->first;
    loss.until = std::max(loss.until, block->last);
    // The next block records the losses that this block contained; they are not lost themselves.
    const std::uint64_t events = block->events - block->columns.of<Kind::loss>().column<0>().size();
    loss.queue_full += events + block->lost;
    totals.lost += events;
    block->clear();
    const std::lock_guard lock(mutex);
    spare.push_back(std::move(block));
  }

  void refuse(const Event& event, std::uint16_t number) {
    OwnLoss& loss = stream(number).loss;
    const Time at = within_range(event.time) ? event.time : loss.until;
    if (loss.queue_full + loss.bad_record == 0) loss.since = at;
    loss.until = std::max(loss.until, at);
    ++loss.bad_record;
    ++totals.lost;
  }

  void tell_own_losses(Stream& s, Time now) {
    OwnLoss& loss = s.loss;
    if (loss.queue_full + loss.bad_record == 0) return;
    const Time until = known(loss.until) ? loss.until : now;
    const Time since = known(loss.since) ? loss.since : until;
    for (const auto& [cause, count] :
         {std::pair(LossCause::queue_full, loss.queue_full), std::pair(LossCause::bad_record, loss.bad_record)}) {
      if (count > 0) s.collector.add({until, {}, Loss{since, cause, kKindUnknown, count}});
    }
    loss = OwnLoss{};
  }

  void close_all(bool wait) {
    for (std::size_t i = 0; i < streams.size(); ++i)
      close(streams[i]->collector, BlockType::events, static_cast<std::uint16_t>(i), wait);
  }
};

Writer::Writer(const std::string& path, const Preamble& preamble, bool force, WriterOptions options) {
  auto file = std::make_unique<BlockWriter>(path, force);
  file->set_flags(options.flags);
  file->write(preamble);
  BlockWriter* const named = file.get();
  impl_ = std::make_unique<Impl>(std::move(file), options);
  impl_->file = named;
}
Writer::Writer(std::unique_ptr<file::BlockSink> sink, WriterOptions options)
    : impl_(std::make_unique<Impl>(std::move(sink), options)) {}
Writer::~Writer() = default;

void Writer::push(const Event& event, std::uint16_t number) {
  Impl& w = *impl_;
  w.throw_failure();
  if (!times_fit(event)) return w.refuse(event, number);
  auto& s = w.stream(number);
  Collector& collector = w.in_keyframe ? *w.keyframe : s.collector;
  const BlockType type = w.in_keyframe ? BlockType::keyframe : BlockType::events;
  if (collector.full() || (!collector.empty() && !w.in_keyframe && event.time - collector.opened() >= kBlockAge)) {
    w.close(collector, type, number, false);
  }
  if (!w.in_keyframe && collector.empty()) w.tell_own_losses(s, event.time);
  collector.add(event);
  ++w.totals.events;
  if (const auto* loss = std::get_if<Loss>(&event.body)) w.totals.lost += loss->count;
}

void Writer::begin_keyframe(Time) {
  Impl& w = *impl_;
  w.throw_failure();
  assert(!w.in_keyframe);
  // Events before the keyframe must precede it in the file.
  w.close_all(false);
  if (w.keyframe == nullptr) w.keyframe = std::make_unique<Collector>();
  w.in_keyframe = true;
}

void Writer::end_keyframe() {
  Impl& w = *impl_;
  assert(w.in_keyframe);
  w.in_keyframe = false;
  w.close(*w.keyframe, BlockType::keyframe, 0, false);
  w.throw_failure();
}

void Writer::tick(Time now) {
  Impl& w = *impl_;
  w.throw_failure();
  for (std::size_t i = 0; i < w.streams.size(); ++i) {
    Collector& collector = w.streams[i]->collector;
    if (!collector.empty() && now - collector.opened() >= kBlockAge)
      w.close(collector, BlockType::events, static_cast<std::uint16_t>(i), false);
  }
}

void Writer::finish(Time now, CaptureState state) {
  Impl& w = *impl_;
  assert(!w.in_keyframe);
  w.throw_failure();
  w.close_all(true);
  for (auto& s : w.streams) w.tell_own_losses(*s, now);
  w.close_all(true);
  {
    const std::lock_guard lock(w.mutex);
    w.ending = true;
  }
  w.wake.notify_one();
  w.thread.join();
  w.thread = std::thread([] {});  // the destructor joins one
  w.throw_failure();
  w.out->finish(state, now);
}

void Writer::let_name(std::function<int(bool replace)> give_name) {
  if (impl_->file) impl_->file->let_name(std::move(give_name));
}

void Writer::after_blocks(std::function<void()> call) {
  Impl& w = *impl_;
  assert(!w.in_keyframe);
  w.throw_failure();
  w.close_all(false);
  {
    const std::lock_guard lock(w.mutex);
    w.queue.push_back({nullptr, BlockType::events, 0, std::move(call)});
  }
  w.wake.notify_one();
}

WriterTotals Writer::totals() const {
  WriterTotals totals = impl_->totals;
  totals.blocks = impl_->out->blocks();
  totals.raw_bytes = impl_->out->raw_bytes();
  totals.file_bytes = impl_->out->file_bytes();
  return totals;
}

}  // namespace tailcap::formats
