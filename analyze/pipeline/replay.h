// A capture that is read from its beginning to its end, once or several times. All analyses read events through it
// (scripts/laws); merge/ reads several captures at once, `tailcap check` and `tailcap info` read blocks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "analyze/pipeline/window/past.h"
#include "formats/event.h"
#include "formats/file/reader.h"
#include "formats/preamble.h"

namespace tailcap::pipeline {

struct Progressed {
  unsigned reading = 0;  // from 1
  std::uint64_t events = 0, of = 0;
};
using Progress = std::function<void(const Progressed&)>;

class Replay {
 public:
  // threads: for decoding; 0: as many as help. progress: called after each block, where it is not empty. Throws
  // std::runtime_error if the file cannot be read or is no capture.
  explicit Replay(std::string path, unsigned threads = 0, Progress progress = {});

  const std::string& path() const { return path_; }
  unsigned threads() const { return threads_; }
  const formats::Preamble& preamble() const { return reader_->preamble(); }
  formats::FileSummary summary() const { return reader_->summary(); }
  unsigned readings() const { return readings_; }  // that were begun

  // Before the first reading: all of them begin with this, and go on with the block at its place.
  void begin_with(std::shared_ptr<const Past> past) { past_ = std::move(past); }
  const Past* past() const { return past_.get(); }
  // Before the first reading, by what finds out where it is to begin: this number of events has been passed.
  void passed(std::uint64_t events);

  // How far the reading under way, or the last one, has come:
  std::uint64_t delivered() const { return delivered_; }  // events, with those that a Past left behind
  std::uint64_t left() const { return total_ - std::min(delivered_, total_); }
  formats::Time reached() const { return reached_; }  // the latest time of an event

  // By the visitor of a reading: it ends after the events that the visitor has, with a CaptureEnd (`truncated`), and so
  // do the readings that follow.
  void end_here() { until_ = delivered_; }
  bool ends_early() const { return until_ != kAll; }
  void read_all() { until_ = kAll; }  // from the next reading on

  // After a reading: begins to load what the next one will deliver first.
  void prepare();

  // One reading: every event, in the order of the file. A visitor that returns false ends it.
  template <class Visitor>
  void each(Visitor&& visit) {
    slices([&](std::span<const formats::Event> events, bool) {
      for (const formats::Event& event : events) {
        if constexpr (std::is_same_v<decltype(visit(event)), bool>) {
          if (!visit(event)) return false;
        } else {
          visit(event);
        }
      }
      return true;
    });
  }

  // One reading, a few events at a time. visit(events, last of its block): events live until the slice after the last
  // one of the block after theirs is read. A visitor that returns false ends it.
  template <class Visitor>
  void slices(Visitor&& visit) {
    begin();
    if (past_) {
      constexpr std::size_t kTogether = 512;
      for (auto events = past_->events.all(); !events.empty();
           events = events.subspan(std::min(kTogether, events.size())))
        if (!passes(visit, events.first(std::min(kTogether, events.size())), true)) return;
    }
    for (auto events = reader_->next(); !events.empty(); events = reader_->next()) {
      const bool last = reader_->between_blocks();
      note(events);
      if (!passes(visit, events, last)) return;
      if (progress_) tell(events.size());
      if (delivered_ < until_) continue;
      if (progress_) tell(left());
      visit(end(), true);
      return;
    }
  }

  // One reading for several observers: push() of each with every event, in the order given.
  template <class... Observers>
  void run(Observers&... observers) {
    each([&](const formats::Event& event) { (static_cast<void>(observers.push(event)), ...); });
  }

 private:
  static constexpr std::uint64_t kAll = UINT64_MAX;

  template <class Visitor>
  static bool passes(Visitor& visit, std::span<const formats::Event> events, bool last) {
    if constexpr (std::is_same_v<decltype(visit(events, last)), bool>) {
      return visit(events, last);
    } else {
      visit(events, last);
      return true;
    }
  }
  void begin();
  void note(std::span<const formats::Event> events) {
    delivered_ += events.size();
    for (const formats::Event& event : events) reached_ = std::max(reached_, event.time);
  }
  std::span<const formats::Event> end();
  void tell(std::size_t events);

  std::string path_;
  unsigned threads_;
  std::unique_ptr<formats::Reader> reader_, prepared_;
  std::shared_ptr<const Past> past_;
  unsigned readings_ = 0;
  std::uint64_t delivered_ = 0, total_ = 0, until_ = kAll;
  formats::Time reached_ = formats::kNoTime;
  formats::Event end_;  // where the reading ends early
  Progress progress_;
  Progressed progressed_;
};

}  // namespace tailcap::pipeline
