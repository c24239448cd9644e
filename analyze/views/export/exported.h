// What all exports take and say. They write piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/second_reading.h"

namespace tailcap::views {

using Write = std::function<void(std::string_view)>;

// The selection lies in `chosen`; the analysis of all requests, to which it is applied afterwards, because links and
// traces go beyond what is chosen.
pipeline::Options of_all(const pipeline::Options& chosen);

struct Exported {
  bool damaged = false;
  std::vector<model::ExchangeId> wrong{};  // as in pipeline::Analysis
  bool of_requests = true;                 // false: no requests were chosen, and `requests` is 0
  std::uint64_t requests = 0;              // that were written
  std::uint64_t left_out = 0;              // that the format cannot hold: their start or duration is not known, …
  std::string what{};                      // "spans", "slices", …: what was written, as said on standard error
  std::string why{};                       // why some were left out
  std::string nothing{};                   // why there is no answer; a sentence. Empty: there is one
  std::string unknown{};                   // what captures never say that a reader of the format looks for; a sentence
  std::vector<std::string> limits{};       // what else the file lacks because of a limit; sentences
};

// Fills damaged and wrong. beside: with options.partition only.
pipeline::Analysis analysed(const std::string& file, const pipeline::Options& options, Exported& out,
                            std::span<pipeline::SecondReading* const> beside = {});
// Throws std::runtime_error where the capture has no wall clock; whose: what would have no times.
void need_clock(const std::string& file, const pipeline::Analysis& analysis, const char* whose);

}  // namespace tailcap::views
