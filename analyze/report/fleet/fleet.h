// A report about many captures, in the words of a report about one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

struct FleetCapture {
  std::string id, file, host;
  std::int64_t began = 0;  // ns since 1970; 0: not known
  formats::Duration duration{};
  std::uint64_t requests = 0, lost = 0;
};

// The same answer in one capture or in several: of one route, with one label.
struct FleetAnswer {
  model::VerdictLevel level = model::VerdictLevel::note;
  bool machine = false;                // about the machine, not a route
  std::string sentence;                // of the capture in which the slow requests lost most
  std::string file, example;           // that capture, and a request in it; empty: none
  std::uint64_t captures = 0;          // that have it
  std::uint64_t requests = 0, of = 0;  // slow, or failed; compared; of these captures
  std::int64_t excess = 0;             // ns beyond typical requests, of these captures
};

struct FleetLabel {
  model::Label label = model::Label::unexplained_nocarrier;
  std::int64_t time = 0;       // ns
  std::uint64_t requests = 0;  // that have it
};

struct Fleet {
  std::string name;                             // where the captures are
  model::Study study;                           // routes, and the quality of all captures together
  std::vector<std::vector<FleetLabel>> labels;  // by route, most time first
  std::vector<FleetCapture> captures;
  std::vector<FleetAnswer> answers;     // what matters most first
  std::vector<std::string> incomplete;  // files of which rows are missing
};

render::Document fleet_document(const Fleet& fleet, const ReportOptions& options);

}  // namespace tailcap::report
