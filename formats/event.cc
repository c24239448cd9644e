#include "formats/event.h"

namespace tailcap::formats {
namespace {

struct KindOf {
  Kind operator()(const Io& io) const { return io.direction == Direction::out ? Kind::send : Kind::receive; }
  Kind operator()(const Arrival&) const { return Kind::arrival; }
  Kind operator()(const Retransmit&) const { return Kind::retransmit; }
  Kind operator()(const Reset&) const { return Kind::reset; }
  Kind operator()(const StateChange&) const { return Kind::state_change; }
  Kind operator()(const Accept&) const { return Kind::accept; }
  Kind operator()(const SocketInfo&) const { return Kind::socket_info; }
  Kind operator()(const OffCpu&) const { return Kind::off_cpu; }
  Kind operator()(const TaskStart&) const { return Kind::task_start; }
  Kind operator()(const TaskExec&) const { return Kind::task_exec; }
  Kind operator()(const TaskExit&) const { return Kind::task_exit; }
  Kind operator()(const TaskInfo&) const { return Kind::task_info; }
  Kind operator()(const Mapping&) const { return Kind::mapping; }
  Kind operator()(const ClockSnapshot&) const { return Kind::clock; }
  Kind operator()(const Loss&) const { return Kind::loss; }
  Kind operator()(const RecorderCost&) const { return Kind::recorder_cost; }
  Kind operator()(const ProgramCost&) const { return Kind::program_cost; }
  Kind operator()(const CaptureEnd&) const { return Kind::capture_end; }
  Kind operator()(const Damage&) const { return Kind::damage; }
  Kind operator()(const TlsIo& io) const { return io.direction == Direction::out ? Kind::tls_send : Kind::tls_receive; }
  Kind operator()(const TlsStep&) const { return Kind::tls_step; }
  Kind operator()(const Probe&) const { return Kind::probe; }
  Kind operator()(const GoCreate&) const { return Kind::go_create; }
  Kind operator()(const GoRuntime&) const { return Kind::go_runtime; }
  Kind operator()(const GoState&) const { return Kind::go_state; }
  Kind operator()(const GoHandler&) const { return Kind::go_handler; }
  Kind operator()(const GoProgram&) const { return Kind::go_program; }
  Kind operator()(const Stall&) const { return Kind::stall; }
  Kind operator()(const CpuQuota&) const { return Kind::cpu_quota; }
  Kind operator()(const GoCall&) const { return Kind::go_call; }
  Kind operator()(const Sample&) const { return Kind::sample; }
  Kind operator()(const GoExit&) const { return Kind::go_exit; }
  Kind operator()(const GoPanic&) const { return Kind::go_panic; }
  Kind operator()(const OomKill&) const { return Kind::oom_kill; }
  Kind operator()(const GoBuild&) const { return Kind::go_build; }
  Kind operator()(const GoChannel&) const { return Kind::go_channel; }
  Kind operator()(const GoAllocations&) const { return Kind::go_allocations; }
  Kind operator()(const FileCall&) const { return Kind::file_call; }
  Kind operator()(const Note&) const { return Kind::note; }
  Kind operator()(const NetInterface&) const { return Kind::net_interface; }
  Kind operator()(const Masking&) const { return Kind::masking; }
};

}  // namespace

Kind kind_of(const Event& event) { return std::visit(KindOf{}, event.body); }

std::string_view name_of(Kind kind) {
  constexpr std::string_view names[] = {
      "send",        "receive",  "arrival",       "retransmit",     "reset",       "state_change", "accept",
      "socket_info", "off_cpu",  "task_start",    "task_exec",      "task_exit",   "task_info",    "mapping",
      "clock",       "loss",     "recorder_cost", "program_cost",   "capture_end", "damage",       "tls_send",
      "tls_receive", "tls_step", "probe",         "go_create",      "go_runtime",  "go_state",     "go_handler",
      "go_program",  "stall",    "cpu_quota",     "go_call",        "sample",      "go_exit",      "go_panic",
      "oom_kill",    "go_build", "go_channel",    "go_allocations", "file_call",   "note",         "net_interface",
      "masking"};
  static_assert(std::size(names) == kKinds);
  const auto i = static_cast<std::size_t>(kind);
  return i < std::size(names) ? names[i] : "unknown";
}

}  // namespace tailcap::formats
