// Gives every nanosecond of every request its label, in a second pass over the events, once all requests, their parents
// and their calls are known.
//
// The first pass cannot do it: off-CPU intervals are recorded when they end, and the parents of calls are known only
// after the last event. The second pass keeps the events since the start of the oldest request under way, and finishes
// each request some time after its end, when late events are in. At the memory limit it drops the oldest; requests that
// needed them report the loss.
//
// The table must be settled. The table and the carriers must outlive this and not change.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analyze/model/chain.h"
#include "analyze/model/occurrences.h"
#include "analyze/model/partition.h"
#include "analyze/model/study/file_calls.h"
#include "analyze/model/wire/findings.h"
#include "analyze/partition/course_book.h"
#include "analyze/partition/history/observed.h"
#include "analyze/partition/history/windows.h"
#include "formats/event.h"

namespace tailcap::partition {

class Partitioner {
 public:
  // carriers: indexed by ConnectionId. threads: 0: as many as help; the result is the same.
  Partitioner(const model::RequestTable& table, std::vector<ExchangeNote> notes, std::span<const ByteCarrier> carriers,
              unsigned threads = 0);
  Partitioner(Partitioner&&) noexcept;
  ~Partitioner();
  // Before the first push. Keeps the stretches of this request and of the calls below it, for take_courses(), and its
  // calls on files.
  void follow(model::ExchangeId id);
  // Likewise, without files, of requests of which a few will be asked for, and of those that held them up.
  void follow_likely(const std::vector<std::uint32_t>& rows);
  // Likewise. What an event loop did beside a request is not summed, so that all culprits are known. Its cost grows
  // with the number of requests under way.
  void look_at_every_turn();
  // Likewise. Only requests that are under way at some time in [from, to] get labels.
  void only(formats::Time from, formats::Time to);
  // Likewise. For take_occurrences().
  void count_occurrences();
  // Likewise. Looks through the waits of these requests, for take_chains().
  void explain(const std::vector<std::uint32_t>& rows);
  // The next events, of one block, in parts as they come. They must live until the end of the block after theirs.
  void push(std::span<const formats::Event> events, bool last_of_block);
  // Once, after the last event.
  model::Partitions take();
  model::Partitions take_unfinished();  // of requests without an answer at the end of the recording
  model::Chains take_chains();
  model::RequestOccurrences take_occurrences();  // of requests with a duration
  model::Crowd take_crowd();
  model::CpuAccount take_cpus();
  CourseBook take_courses();
  std::vector<model::FileCalls> take_files();  // of followed requests that made any, by request
  // Requests whose labels or phases do not sum to their duration: a defect of tailcap. The first few.
  const std::vector<model::ExchangeId>& wrong() const;
  model::Findings findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::partition
