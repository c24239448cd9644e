// The names of events, for headers that only pass them on.
#pragma once

namespace tailcap::formats {

struct Event;
struct MachineCpu;
struct TaskInfo;
struct TaskStart;

}  // namespace tailcap::formats
