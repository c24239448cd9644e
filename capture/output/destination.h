// Where a recording goes: into a file, into memory of which the last part is kept, or into files of bounded size.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "formats/file/writer.h"
#include "formats/store/ring.h"
#include "formats/store/rotation.h"
#include "formats/store/stream.h"

namespace tailcap::capture {

// A note in the preamble: the share of connections that is recorded (formats/FORMAT.md).
inline constexpr const char* kSamplingNote = "tailcap.sampling.connections";

struct DestinationOptions {
  std::string output;
  bool force = false;
  formats::store::RingLimits last;  // with a limit: in memory, until a snapshot or the end
  std::uint64_t rotate = 0;         // bytes of each file; 0: one file without a bound
  std::uint64_t files = 10;         // kept, with rotate
  bool in_memory() const { return last.last.count() > 0 || last.bytes > 0; }
  bool to_stream() const { return output == "-"; }  // standard output
  // For messages: printable().
  std::string name() const;
};

class Destination {
 public:
  Destination(const DestinationOptions& options, const formats::Preamble& preamble);
  ~Destination();

  formats::Writer& writer() { return *writer_; }
  // All that was recorded goes where it belongs.
  void finish(formats::Time now);
  // Keyframes are written at least so often.
  formats::Duration keyframe_every() const;
  // And now, because what has been written since the last one should end.
  bool wants_keyframe() const;

  struct Snapshot {
    std::string path;
    std::string why;           // for the capture's notes
    formats::Duration last{};  // how much of the end; 0: all that is in memory
  };
  // The share of connections is another one from now on, in the words of its note; "": all. Files begin anew.
  void sampled(const std::string& share, formats::Time now);
  // What the recording has in memory goes into a new file, while the recording goes on. done(error, text) is called by
  // another thread; error: the text says why there is no file.
  void snapshot(const Snapshot& wanted, std::function<void(bool error, std::string text)> done);
  // "flight-20261121T205433Z.tcap" for "flight.tcap"; a name that no file has.
  std::string snapshot_name() const;
  bool in_memory() const { return ring_ != nullptr; }
  // What is kept may begin at any keyframe.
  bool drops_beginning() const { return ring_ != nullptr || rotation_ != nullptr; }

  // The file that is being written; "": none, or standard output. The first one of a recording in several files.
  std::string partial_file() const;

  // "41.2 MB of the last 62.1 s in memory", "12.3 MB in flight.tcap.partial"
  std::string status(formats::Time now) const;

 private:
  const DestinationOptions options_;
  formats::store::Ring* ring_ = nullptr;  // of writer_
  formats::store::Rotation* rotation_ = nullptr;
  formats::store::Stream* stream_ = nullptr;
  std::unique_ptr<formats::Writer> writer_;
};

}  // namespace tailcap::capture
