// The events of a recording on their way into the file, and the account of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "capture/log/status.h"
#include "formats/file/writer.h"

namespace tailcap::capture {

class EventLog {
 public:
  explicit EventLog(formats::Writer& writer) : writer_(writer) {}

  void push(const formats::Event& event);
  void note(formats::Time now, std::string_view key, std::string_view value);
  // Events of that kind (255: of any) that were lost between since and now.
  void lose(formats::Time now, formats::Time since, formats::LossCause cause, std::uint8_t kind, std::uint64_t count,
            const std::string& why);

  formats::Writer& writer() { return writer_; }
  Tally& tally() { return tally_; }
  const Tally& tally() const { return tally_; }

 private:
  formats::Writer& writer_;
  Tally tally_;
};

}  // namespace tailcap::capture
