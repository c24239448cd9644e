// Gives every nanosecond of every request its label: a second pass over the events, once all requests, their causes and
// their calls are known.
//
// Off-CPU intervals are told when they are over, and whose call one was is known only at the end; so the first pass
// cannot do it. The second keeps what happened since the oldest request began that is still under way, and finishes
// each request some time after its end, when late events are in. At the memory limit the oldest goes: then the requests
// that needed it say so.
//
// The table must be settled; it and the carriers stay as they are while this lives.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analyze/flow/file_calls.h"
#include "analyze/flow/findings.h"
#include "analyze/flow/partition.h"
#include "analyze/partition/observed.h"
#include "analyze/partition/windows.h"

namespace tailcap::partition {

class Partitioner {
 public:
  // carriers: by ConnectionId.
  Partitioner(const flow::RequestTable& table, std::vector<ExchangeNote> notes, std::span<const ByteCarrier> carriers);
  Partitioner(Partitioner&&) noexcept;
  ~Partitioner();
  // Keeps the stretches of this request and of the calls below it, for take_courses(). Before the first push.
  void follow(flow::ExchangeId id);
  void push(const formats::Event& event);
  // Once, after the last event.
  flow::Partitions take();
  std::vector<flow::Course> take_courses();
  std::vector<flow::FileCalls> take_files();  // of those that are followed and made any, by request
  // Requests whose labels or phases do not sum to their duration: a defect of tailcap. The first few.
  const std::vector<flow::ExchangeId>& wrong() const;
  flow::Findings findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::partition
