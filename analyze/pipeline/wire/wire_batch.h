// Events on their way through the first half of the first reading, with what each step made of them. The steps may be
// on different threads, and the second is on several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analyze/pipeline/wire/wire_sink.h"
#include "analyze/streams/streams.h"
#include "formats/event.h"
#include "ground/slots.h"
#include "ground/threads/parts.h"

namespace tailcap::pipeline {

class WireBatch {
 public:
  // The events that are added must live until replay() is done.
  void begin();

  // First step: events, and behind each what belongs to it, as a WireSink gets it; of bytes, the bytes.
  void push(const formats::Event& event, std::span<const model::Lookup> ended);
  void failed(const model::FailedName& name, const model::Connection& connection);
  void add(const model::ByteRun& run, const model::Connection* connection, const model::Connection* carrier);
  void add(streams::Streams::Held&& viewed) { held_.push_back(std::move(viewed)); }  // by runs
  std::size_t bytes() const { return bytes_; }                                       // that were captured of the runs

  // Second step, parts of the connections in any order and at the same time: what the bytes of a part become.
  class Part {
   public:
    void add(std::size_t run, std::unique_ptr<model::Message>& message);
    void add(std::size_t run, std::unique_ptr<model::Exchange>& exchange);
    std::uint64_t requests = 0;  // in it, and responses to requests that were not recorded

   private:
    friend WireBatch;
    struct Run {
      model::ByteRun bytes;
      std::size_t first_mark;
    };
    struct Item {
      std::uint32_t run;
      bool exchange;
    };
    std::vector<Run> runs_;
    std::vector<Item> items_;
    ground::Slots<model::Message> messages_;
    ground::Slots<model::Exchange> exchanges_;
    std::uint32_t run_ = 0;  // next in replay(), and of the others:
    std::size_t item_ = 0, message_ = 0, exchange_ = 0;
  };
  // Calls read(part, number of the run, run) for each run.
  template <class Read>
  void each(std::size_t part, Read read) {
    Part& p = parts_[part];
    for (std::size_t i = 0; i < p.runs_.size(); ++i) {
      model::ByteRun& run = p.runs_[i].bytes;
      run.arrivals = std::span(marks_).subspan(p.runs_[i].first_mark, run.arrivals.size());
      read(p, i, run);
    }
  }

  // Third step: everything, in order.
  void replay(WireSink& sink);
  std::uint64_t requests() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Step {
    enum class Kind : std::uint8_t { event, failed, run };
    Kind kind;
    model::End end = model::End::none;  // kind run, and its part:
    std::uint8_t part = 0;
    std::uint32_t lookups = 0;                          // kind event: how many of the list
    std::uint32_t connection = kNone, carrier = kNone;  // kinds failed and run: places in the list
    const formats::Event* event = nullptr;              // kind event
  };
  // Slots are used again, with the memory of their strings.
  template <class T>
  static T& next(std::vector<T>& slots, std::size_t& used) {
    if (used == slots.size()) slots.emplace_back();
    return slots[used++];
  }
  std::uint32_t keep(const model::Connection* connection);
  const model::Connection* kept(std::uint32_t place) const {
    return place == kNone ? nullptr : &connection_slots_[place];
  }
  void replay_run(const Step& step, WireSink& sink);

  std::vector<Step> steps_;
  std::vector<model::Lookup> lookup_slots_;
  std::vector<model::FailedName> failed_;
  std::vector<model::ArrivalMark> marks_;
  std::vector<streams::Streams::Held> held_;
  std::vector<model::Connection> connection_slots_;  // as they were then
  std::size_t lookups_ = 0, connections_ = 0;        // slots in use
  std::size_t bytes_ = 0;
  ground::Parts<Part> parts_;
};

}  // namespace tailcap::pipeline
