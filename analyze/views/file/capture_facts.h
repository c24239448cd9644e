// The facts that `tailcap info` collects in one pass over a capture.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/tail/quality.h"
#include "analyze/views/file/go_facts.h"
#include "analyze/views/file/probe_facts.h"
#include "formats/event_choice.h"
#include "formats/file/reader.h"

namespace tailcap::views {

struct LossText {
  std::string_view name;  // as in --json
  const char* text;       // for people
};

struct ProgramTotals {
  std::uint64_t runs = 0;
  formats::Duration time{};
};

struct CaptureFacts {
  formats::Preamble preamble;
  formats::FileSummary summary;
  std::uint64_t delivered = 0;                                      // events that this version knows
  std::uint64_t in_damaged_blocks = 0;                              // events that the headers of damaged blocks count
  std::uint64_t damage = 0, damaged_bytes = 0;                      // stretches, those inside blocks included
  std::vector<std::pair<std::string_view, std::uint64_t>> by_kind;  // only kinds that are there
  std::vector<std::pair<LossText, std::uint64_t>> lost_by_cause;    // only causes that are there
  std::optional<formats::RecorderCost> recorder;                    // the last
  std::optional<formats::Duration> recorder_before;                 // CPU time at the first, if there are several
  std::map<std::string, ProgramTotals> programs;                    // the last of each

  ProbeFacts probes;
  GoFacts go;
  std::uint64_t plaintext = 0;  // calls with captured plaintext
  // What the recording says of itself; requests and connections are not counted in it.
  model::Quality quality;
  bool skimmed = false;  // of events that come in great numbers the contents were not looked at

  // Whether the capture has decrypted TLS traffic; unset if damaged blocks may hold some.
  std::optional<bool> decrypted() const;
  formats::Duration duration() const;  // from the start of the recording to the last event
  double bytes_per_event() const;
  std::uint64_t unknown_events() const;
};

const char* name_of(formats::CaptureState state);  // as in --json

// Collects them from events. It needs only the kind of most events that come in great numbers.
class FactCollector : public formats::EventChoice {
 public:
  // facts: must outlive this.
  FactCollector(const formats::Preamble& preamble, CaptureFacts& facts);
  Answer wants(formats::Kind kind, formats::SocketId) override {
    if (kind == formats::Kind::tls_send || kind == formats::Kind::tls_receive) return Answer::take;
    count(kind);
    return Answer::pass;
  }
  void take(const formats::Event& event) override;
  void finish();  // after the last event

 private:
  void count(formats::Kind kind) {
    ++facts_.delivered;
    ++kinds_[static_cast<std::size_t>(kind)];
  }

  CaptureFacts& facts_;
  tail::QualityFacts recording_;
  std::array<std::uint64_t, 256> kinds_{};
  std::map<formats::LossCause, std::uint64_t> losses_;
};

// Most events of a capture with more than `most` are only counted, if no block is damaged or missing: `skimmed`.
CaptureFacts read_facts(const std::string& path, std::uint64_t most);
std::string to_json(const CaptureFacts& facts);
std::string info_schema();  // of all that `tailcap info` prints as JSON

}  // namespace tailcap::views
