// The fields of events of threads and processes: what they are, and what delays them.
#pragma once

#include "formats/fields/field.h"

namespace tailcap::formats {

template <>
struct Table<OffCpu> {
  static constexpr KindEntry kinds[] = {{Kind::off_cpu, 18, "off_cpu"}};
  static constexpr std::tuple fields{
      by_hand("left", &OffCpu::left),
      by_hand("runnable", &OffCpu::runnable),
      field<3, As::pid>("waker", &OffCpu::waker),
      field<4>("state", &OffCpu::state),
      field<5, As::syscall>("syscall", &OffCpu::syscall),
      field<6>("argument0", &OffCpu::argument0),
      field<7>("argument1", &OffCpu::argument1),
      by_hand("missed", &OffCpu::missed),
      by_hand("throttled", &OffCpu::throttled),
      field<12>("file", &OffCpu::file),
      field<11, As::other_socket>("socket", &OffCpu::socket),
      by_hand("timed", &OffCpu::timed),
      by_hand("ongoing", &OffCpu::ongoing),
      field<13>("woken_in", &OffCpu::woken_in),
      by_hand("stolen", &OffCpu::stolen),
  };
};

template <>
struct Table<TaskStart> {
  static constexpr KindEntry kinds[] = {{Kind::task_start, 19, "task_start"}};
  static constexpr std::tuple fields{
      field<0, As::pid>(
          "parent_pid", [](auto& start) -> auto& { return start.parent.pid; }),
      field<1, As::pid>(
          "parent_tid", [](auto& start) -> auto& { return start.parent.tid; }),
      field<2>("comm", &TaskStart::comm),
  };
};

template <>
struct Table<TaskExec> {
  static constexpr KindEntry kinds[] = {{Kind::task_exec, 20, "task_exec"}};
  static constexpr std::tuple fields{
      field<0>("comm", &TaskExec::comm),
      field<1>("filename", &TaskExec::filename),
  };
};

template <>
struct Table<TaskExit> {
  static constexpr KindEntry kinds[] = {{Kind::task_exit, 21, "task_exit"}};
  static constexpr std::tuple fields{field<0>("code", &TaskExit::code)};
};

template <>
struct Table<TaskInfo> {
  static constexpr KindEntry kinds[] = {{Kind::task_info, 22, "task_info"}};
  static constexpr std::tuple fields{
      field<0, As::pid>("parent_pid", &TaskInfo::parent_pid),
      field<1>("comm", &TaskInfo::comm),
      field<2>("command_line", &TaskInfo::command_line),
      field<3>("executable", &TaskInfo::executable),
      field<4, As::cgroup>("cgroup", &TaskInfo::cgroup),
      field<5>("started", &TaskInfo::started),
      field<6>("service", &TaskInfo::service),
  };
};

template <>
struct Table<OomKill> {
  static constexpr KindEntry kinds[] = {{Kind::oom_kill, 45, "oom_kill"}};
  static constexpr std::tuple fields{};
};

template <>
struct Table<Mapping> {
  static constexpr KindEntry kinds[] = {{Kind::mapping, 23, "mapping"}};
  static constexpr std::tuple fields{
      field<0>("start", &Mapping::start),
      field<1>("end", &Mapping::end),
      field<2>("file_offset", &Mapping::file_offset),
      field<3>("path", &Mapping::path),
      field<4, As::hex>("build_id", &Mapping::build_id),
  };
};

template <>
struct Table<Stall> {
  static constexpr KindEntry kinds[] = {{Kind::stall, 39, "stall"}};
  static constexpr std::tuple fields{
      field<0>("what", &Stall::what),
      field<1, As::took>("began", &Stall::began),
      field<2>("where", &Stall::where),
      field<3>("detail", &Stall::detail),
  };
};

template <>
struct Table<CpuQuota> {
  static constexpr KindEntry kinds[] = {{Kind::cpu_quota, 40, "cpu_quota"}};
  static constexpr std::tuple fields{
      field<0, As::cgroup>("cgroup", &CpuQuota::cgroup),
      field<1>("period", &CpuQuota::period),
      field<2>("quota", &CpuQuota::quota),
      field<3>("periods", &CpuQuota::periods),
      field<4>("throttled", &CpuQuota::throttled),
      field<5>("throttled_time", &CpuQuota::throttled_time),
  };
};

template <>
struct Table<FileCall> {
  static constexpr KindEntry kinds[] = {{Kind::file_call, 49, "file_call"}};
  static constexpr std::tuple fields{
      field<0>("act", &FileCall::act),
      field<1, As::took>("began", &FileCall::began),
      field<2, As::result>("result", &FileCall::result),
      field<3>("descriptor", &FileCall::descriptor),
      field<4>("path", &FileCall::path),
  };
};

template <>
struct Table<Sample> {
  static constexpr KindEntry kinds[] = {{Kind::sample, 42, "sample"}};
  static constexpr std::tuple fields{
      field<2>("why", &Sample::kind),
      field<0>("user", &Sample::user),
      field<1>("kernel", &Sample::kernel),
      field<3, As::less_one>("weight", &Sample::weight),
      field<4>("value", &Sample::value),
      field<5>("end", &Sample::end),
      field<6>("lines", &Sample::lines),
      field<7>("places", &Sample::places),
      field<8>("build_ids", &Sample::build_ids),
      field<9>("files", &Sample::files),
  };
};

}  // namespace tailcap::formats
