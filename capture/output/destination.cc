#include "capture/output/destination.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

#include "formats/printable.h"

namespace tailcap::capture {
namespace {

using namespace std::chrono_literals;
using formats::Duration;

constexpr Duration kKeyframeEvery = 10s;
// Before and after a recording: if no byte is read for kWritePatience, standard output's reader has stalled for good.
constexpr Duration kWritePatience = 10s;
// What a ring keeps beyond its limit is at most a segment: a tenth of it.
constexpr std::uint64_t kSegments = 10;

std::string megabytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string seconds_text(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(duration.count()) / 1e9);
  return text;
}

}  // namespace

std::string DestinationOptions::name() const { return to_stream() ? "standard output" : formats::printable(output); }

Destination::Destination(const DestinationOptions& options, const formats::Preamble& preamble) : options_(options) {
  if (options.in_memory()) {
    auto ring = std::make_unique<formats::store::Ring>(options.last, preamble, options.output, options.force);
    ring->note_varies(kSamplingNote, "mixed");
    ring_ = ring.get();
    writer_ = std::make_unique<formats::Writer>(std::move(ring));
  } else if (options.rotate > 0) {
    auto rotation = std::make_unique<formats::store::Rotation>(options.output, preamble, options.force, options.rotate,
                                                               options.files);
    rotation_ = rotation.get();
    writer_ = std::make_unique<formats::Writer>(std::move(rotation));
  } else if (options.to_stream()) {
    auto stream = std::make_unique<formats::store::Stream>(STDOUT_FILENO, preamble, kWritePatience);
    stream_ = stream.get();
    writer_ = std::make_unique<formats::Writer>(std::move(stream));
  } else {
    writer_ = std::make_unique<formats::Writer>(options.output, preamble, options.force);
  }
}

// A stalled reader of a stream is not waited for without end.
Destination::~Destination() {
  if (stream_) stream_->end_soon();
}

void Destination::finish(formats::Time now) {
  if (stream_) stream_->end_soon();
  writer_->finish(now);
}

Duration Destination::keyframe_every() const {
  if (!ring_ || options_.last.last.count() == 0) return kKeyframeEvery;
  return std::clamp<Duration>(options_.last.last / static_cast<std::int64_t>(kSegments), 1s, kKeyframeEvery);
}

bool Destination::wants_keyframe() const {
  if (rotation_) return rotation_->wants_keyframe();
  return ring_ && options_.last.bytes > 0 && ring_->segment_bytes() >= options_.last.bytes / kSegments;
}

std::string Destination::snapshot_name() const {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char at[32];
  std::strftime(at, sizeof at, "-%Y%m%dT%H%M%SZ", &utc);
  std::filesystem::path path(options_.output);
  const std::string stem = path.extension() == ".tcap" ? path.stem().string() : path.filename().string();
  for (int n = 1;; ++n) {
    path.replace_filename(stem + at + (n > 1 ? "-" + std::to_string(n) : "") + ".tcap");
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return path.string();
  }
}

void Destination::snapshot(const Snapshot& wanted, std::function<void(bool error, std::string text)> done) {
  if (!ring_) return done(true, "only a recording in memory has snapshots: record with --last 60s or --last 500MB");
  const auto written = [path = wanted.path, done](const formats::store::Ring::Snapshot& result) {
    if (!result.error.empty()) return done(true, result.error);
    done(false, formats::printable(path) + ": " + seconds_text(result.last - result.first) + ", " +
                    std::to_string(result.events) + " events, " + megabytes(result.bytes));
  };
  writer_->after_blocks([this, wanted, done, written] {
    if (!ring_->snapshot(wanted.path, wanted.last, {"tailcap.snapshot", wanted.why}, written))
      done(true, "another snapshot is still being written; try again");
  });
}

void Destination::sampled(const std::string& share, formats::Time now) {
  writer_->after_blocks([this, share, now] {
    if (rotation_) rotation_->begin_file({kSamplingNote, share}, now);
    if (ring_) ring_->note_from_here(share);
  });
}

std::string Destination::partial_file() const {
  if (ring_ || options_.to_stream()) return "";
  return (rotation_ ? formats::store::Rotation::file_name(options_.output, 1) : options_.output) + ".partial";
}

std::string Destination::status(formats::Time now) const {
  const std::string bytes = megabytes(writer_->totals().file_bytes);
  if (ring_) return bytes + " of the last " + seconds_text(now - ring_->first()) + " in memory";
  if (rotation_) return bytes + " in at most " + std::to_string(options_.files) + " files";
  if (options_.to_stream()) return bytes + " to standard output";
  return bytes + " in " + formats::printable(options_.output) + ".partial";
}

}  // namespace tailcap::capture
