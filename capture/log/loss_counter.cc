#include "capture/log/loss_counter.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "bpf/event.h"
#include "capture/host/clocks.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// A program that is interrupted on a CPU and would run again there is skipped by the kernel, which counts that.
constexpr std::array<std::pair<std::string_view, Kind>, 8> kKindOfProgram = {{{"io_send", Kind::send},
                                                                              {"io_receive", Kind::receive},
                                                                              {"arrival", Kind::arrival},
                                                                              {"retransmit", Kind::retransmit},
                                                                              {"state_change", Kind::state_change},
                                                                              {"switch_task", Kind::off_cpu},
                                                                              {"wake_up", Kind::off_cpu},
                                                                              {"packet_dropped", Kind::packet_drops}}};

// The first two record waits for locks that sleep. Where they are interrupted, or wait for the ring's own lock, nothing
// sleeps. The others tell what another program could not (bpf/core/nested.bpf.h).
constexpr std::array<std::string_view, 4> kNothingIsLost = {"stall_lock_begin", "stall_lock_end", "arrival_nested",
                                                            "state_change_nested"};

constexpr std::uint8_t kAnyKind = 255;

struct Row {
  LossCause cause;
  const char* why;
};
constexpr Row kRows[] = {{LossCause::ring_full, "the ring was full"},
                         {LossCause::socket_table_full, "no room for another socket"},
                         {LossCause::task_table_full, "no room for another thread"},
                         {LossCause::session_table_full, "no room for a call of a TLS library"},
                         {LossCause::unknown, "memory of the program could not be read"}};
static_assert(std::size(kRows) * RECORD_KINDS == LOSS_COUNTERS);

}  // namespace

LossCounter::LossCounter(Probes& probes, EventLog& log)
    : probes_(probes), log_(log), kernel_losses_(LOSS_COUNTERS), until_(monotonic_now()), skipped_until_(until_) {}

void LossCounter::count(Time now) {
  for (const auto& loss : probes_.losses()) {
    auto& before = kernel_losses_[loss.row * RECORD_KINDS + loss.kind];
    if (loss.count == before) continue;
    // Without its secret a whole connection may be missing.
    const auto kind = loss.kind == bpf::RECORD_TLS_SECRET ? kAnyKind : static_cast<std::uint8_t>(loss.kind);
    const bool drops = loss.kind == bpf::RECORD_PACKET_DROPS;
    log_.lose(now, until_, kRows[loss.row].cause, kind, loss.count - before,
              drops ? "no room for another count of dropped packets" : kRows[loss.row].why);
    before = loss.count;
  }
  if (bad_records_ != bad_counted_) {
    log_.lose(now, until_, LossCause::bad_record, kAnyKind, bad_records_ - bad_counted_,
              "records that could not be understood");
    bad_counted_ = bad_records_;
  }
  until_ = now;
}

void LossCounter::count_skipped_runs(Time now) {
  for (const auto& program : probes_.programs()) {
    auto& before = skipped_runs_[program.name];
    if (program.missed == before) continue;
    if (std::find(kNothingIsLost.begin(), kNothingIsLost.end(), program.name) != kNothingIsLost.end()) continue;
    const auto kind = std::find_if(kKindOfProgram.begin(), kKindOfProgram.end(),
                                   [&](const auto& p) { return p.first == program.name; });
    log_.lose(now, skipped_until_, LossCause::unknown,
              kind == kKindOfProgram.end() ? kAnyKind : static_cast<std::uint8_t>(kind->second),
              program.missed - before, "the kernel program " + program.name + " was busy on that CPU");
    before = program.missed;
  }
  skipped_until_ = now;
}

}  // namespace tailcap::capture
