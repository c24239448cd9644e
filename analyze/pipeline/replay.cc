#include "analyze/pipeline/replay.h"

#include <algorithm>

namespace tailcap::pipeline {

Replay::Replay(std::string path, unsigned threads, Progress progress)
    : path_(std::move(path)),
      threads_(threads),
      reader_(std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads})),
      progress_(std::move(progress)) {}

void Replay::prepare() {
  if (prepared_) return;
  prepared_ = std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads_});
  if (past_) prepared_->begin_at(past_->place);
  prepared_->start();
}

void Replay::passed(std::uint64_t events) {
  if (progress_) progress_({1, events, std::max<std::uint64_t>(1, summary().events)});
}

void Replay::begin() {
  if (readings_++ > 0) {
    prepare();
    reader_ = std::move(prepared_);
  } else if (past_) {
    reader_->begin_at(past_->place);
  }
  delivered_ = past_ ? past_->left_behind : 0;
  total_ = reader_->summary().events;
  reached_ = formats::kNoTime;
  if (progress_) progressed_ = {readings_, delivered_, std::max<std::uint64_t>(1, total_)};
}

std::span<const formats::Event> Replay::end() {
  end_ = {reached_, {}, formats::CaptureEnd{formats::CaptureState::truncated}};
  return {&end_, 1};
}

void Replay::tell(std::size_t events) {
  progressed_.events = std::min(progressed_.events + events, progressed_.of);
  progress_(progressed_);
}

}  // namespace tailcap::pipeline
