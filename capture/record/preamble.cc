#include "capture/record/preamble.h"

#include <unistd.h>

#include <random>

#include "capture/budget/amount.h"
#include "capture/budget/budget.h"
#include "capture/host/clocks.h"
#include "capture/host/disks.h"
#include "capture/host/kernel.h"
#include "capture/mask/command_line.h"
#include "ground/recorder_notes.h"

namespace tailcap::capture {
namespace {

std::string random_id() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; i++) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", device());
    id += digits;
  }
  return id;
}

}  // namespace

formats::Preamble preamble_of(const Options& options, const Probes& probes) {
  formats::Preamble p;
  p.capture_id = random_id();
  p.tool_version = TAILCAP_VERSION;
  p.command_line = options.keep.arguments ? options.command_line : mask::own_command_line(options.command_line);
  p.host = host_name();
  p.kernel = kernel_release();
  p.architecture = machine();
  p.boot_id = boot_id();
  p.cpus = static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  p.redaction = options.keep.everything      ? formats::Redaction::payload_raw
                : options.keep.header_values ? formats::Redaction::header_values
                                             : formats::Redaction::allow_list;
  p.payload_limit = options.probes.payload_limit;
  p.ring_bytes = options.probes.ring_bytes;
  p.targets = options.probes.selection.names();
  p.notes = options.notes;
  for (const auto& [number, name] : disk_names()) p.notes.emplace_back("tailcap.device." + number, name);
  if (const auto model = cpu_model(); !model.empty()) p.notes.emplace_back("tailcap.cpu.model", model);
  if (const auto governor = cpu_governor(); !governor.empty()) p.notes.emplace_back("tailcap.cpu.governor", governor);
  if (options.probes.sample_rate > 0)
    p.notes.emplace_back(ground::kSampleRateNote, std::to_string(options.probes.sample_rate));
  p.replace_note(kSamplingNote, show(options.probes.connections));
  if (options.budget > 0) p.notes.emplace_back(budget::kBudgetNote, budget::show_ppm(options.budget));
  if (options.probes.tls_keys)
    p.notes.emplace_back("tailcap.tls", options.probes.tls_auto ? "auto" : "OpenSSL 3 by keys");
  probes.describe(p);
  const auto clocks = read_clocks();
  p.started = clocks.time;
  p.started_realtime = clocks.snapshot.realtime;
  return p;
}

}  // namespace tailcap::capture
