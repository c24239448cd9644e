#include "formats/store/rotation.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace tailcap::formats::store {
namespace {

// The footer: its header, what is compressed of its index, and the rest. An entry has 80 bytes before compression.
constexpr std::uint64_t kFooter = 4096, kFooterEntry = 96;
constexpr double kNearlyFull = 0.85;

}  // namespace

Rotation::Rotation(std::string path, Preamble preamble, bool replace, std::uint64_t bytes, std::size_t keep)
    : path_(std::move(path)), preamble_(std::move(preamble)), replace_(replace), bytes_(bytes), keep_(keep) {
  open();
}

std::string Rotation::file_name(std::string_view path, std::uint64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "-%06llu", static_cast<unsigned long long>(number));
  constexpr std::string_view kEnd = ".tcap";
  if (path.ends_with(kEnd)) path.remove_suffix(kEnd.size());
  return std::string(path) + digits + std::string(kEnd);
}

void Rotation::open() {
  files_.push_back(file_name(path_, ++number_));
  file_ = std::make_unique<file::BlockWriter>(files_.back(), replace_);
  file_->write(preamble_);
  open_bytes_ = file_->file_bytes();
  nearly_full_ = false;
}

std::uint64_t Rotation::size_with(std::uint64_t payload) const {
  return file_->file_bytes() + kFramedHeader + payload + kFooter + kFooterEntry * (file_->blocks() + 2);
}

void Rotation::next(Time ended) {
  file_->finish(CaptureState::complete, ended);
  sizes_.push_back(file_->file_bytes());
  closed_bytes_ += sizes_.back();
  while (files_.size() >= keep_ && !sizes_.empty()) {
    (void)unlink(files_.front().c_str());
    files_.pop_front();
    closed_bytes_ -= sizes_.front();
    sizes_.pop_front();
  }
  open();
}

void Rotation::write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  const file::FramedBlock framed = framer_.frame(block, type, stream);
  const std::uint64_t size = size_with(framed.payload.size());
  // A block that finds no room begins a file, too, keyframe or not: the bound holds. One alone may be larger.
  if (file_->blocks() > 1 && (size > bytes_ || (type == BlockType::keyframe && nearly_full_))) next(block.first);
  file_->write(framed);
  open_bytes_ = file_->file_bytes();
  ++blocks_;
  raw_bytes_ += framed.header.raw_size;
  if (static_cast<double>(size_with(0)) >= kNearlyFull * static_cast<double>(bytes_)) nearly_full_ = true;
}

void Rotation::begin_file(const std::pair<std::string, std::string>& note, Time ended) {
  preamble_.replace_note(note.first, note.second);
  next(ended);
}

void Rotation::finish(CaptureState state, Time ended) {
  file_->finish(state, ended);
  open_bytes_ = file_->file_bytes();
}

std::uint64_t Rotation::file_bytes() const {
  return closed_bytes_.load(std::memory_order_relaxed) + open_bytes_.load(std::memory_order_relaxed);
}

}  // namespace tailcap::formats::store
