// The runs of one push, with the payload and arrival marks that they point to.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::streams {

class Output {
 public:
  void clear() {
    runs_.clear();
    marks_.clear();
    mark_begins_.clear();
    kept_.clear();
  }
  // Marks pushed into marks() from now on belong to this run.
  model::ByteRun& add() {
    mark_begins_.push_back(marks_.size());
    return runs_.emplace_back();
  }
  // The payload that was kept, at the same addresses.
  std::deque<std::string> take_kept() { return std::exchange(kept_, {}); }
  bool keeps() const { return !kept_.empty(); }
  std::vector<model::ArrivalMark>& marks() { return marks_; }
  // Payload that was held: keeps it until clear().
  std::string_view keep(std::string&& bytes) { return kept_.emplace_back(std::move(bytes)); }
  std::size_t size() const { return runs_.size(); }
  const model::ByteRun& operator[](std::size_t i) const { return runs_[i]; }  // without its arrivals
  // When the last byte of a run had arrived; kNoTime: not known.
  model::Time arrival_of(std::size_t i) const {
    const std::size_t end = i + 1 < runs_.size() ? mark_begins_[i + 1] : marks_.size();
    return end > mark_begins_[i] ? marks_[end - 1].time : model::kNoTime;
  }
  std::span<const model::ByteRun> runs() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const std::size_t end = i + 1 < runs_.size() ? mark_begins_[i + 1] : marks_.size();
      runs_[i].arrivals = std::span(marks_).subspan(mark_begins_[i], end - mark_begins_[i]);
    }
    return runs_;
  }

 private:
  std::vector<model::ByteRun> runs_;
  std::vector<model::ArrivalMark> marks_;
  std::vector<std::size_t> mark_begins_;
  std::deque<std::string> kept_;
};

}  // namespace tailcap::streams
