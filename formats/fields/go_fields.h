// The fields of events of Go's runtime.
#pragma once

#include "formats/fields/field.h"

namespace tailcap::formats {

template <>
struct Table<GoCreate> {
  static constexpr KindEntry kinds[] = {{Kind::go_create, 34, "go_create"}};
  static constexpr std::tuple fields{
      field<0>("child", &GoCreate::child),
      field<1>("function", &GoCreate::function),
      field<2>("from", &GoCreate::from),
  };
};

template <>
struct Table<GoExit> {
  static constexpr KindEntry kinds[] = {{Kind::go_exit, 43, "go_exit"}};
  static constexpr std::tuple fields{field<0>("of", &GoExit::goroutine)};
};

template <>
struct Table<GoPanic> {
  static constexpr KindEntry kinds[] = {{Kind::go_panic, 44, "go_panic"}};
  static constexpr std::tuple fields{
      field<0>("step", &GoPanic::step),
      field<1>("stack", &GoPanic::stack),
  };
};

template <>
struct Table<GoRuntime> {
  static constexpr KindEntry kinds[] = {{Kind::go_runtime, 35, "go_runtime"}};
  static constexpr std::tuple fields{
      field<0>("phase", &GoRuntime::phase),
      field<1>("reason", &GoRuntime::reason),
  };
};

template <>
struct Table<GoState> {
  static constexpr KindEntry kinds[] = {{Kind::go_state, 36, "go_state"}};
  static constexpr std::tuple fields{
      field<0>("of", &GoState::goroutine),
      field<1>("state", &GoState::state),
      field<2>("reason", &GoState::reason),
  };
};

template <>
struct Table<GoHandler> {
  static constexpr KindEntry kinds[] = {{Kind::go_handler, 37, "go_handler"}};
  static constexpr std::tuple fields{
      field<0>("address", &GoHandler::address),
      field<1>("name", &GoHandler::name),
      field<2>("grpc", &GoHandler::grpc),
  };
};

template <>
struct Table<GoCall> {
  static constexpr KindEntry kinds[] = {{Kind::go_call, 41, "go_call"}};
  static constexpr std::tuple fields{
      field<1>("step", &GoCall::step),
      field<0>("connection", &GoCall::connection),
      field<2, As::if_any>("stream", &GoCall::stream),
  };
};

template <>
struct Table<GoChannel> {
  static constexpr KindEntry kinds[] = {{Kind::go_channel, 47, "go_channel"}};
  static constexpr std::tuple fields{
      field<0>("step", &GoChannel::step),
      field<1>("channel", &GoChannel::channel),
      field<2>("slot", &GoChannel::slot),
      field<3>("partner", &GoChannel::partner),
  };
};

template <>
struct Table<GoAllocations> {
  static constexpr KindEntry kinds[] = {{Kind::go_allocations, 48, "go_allocations"}};
  static constexpr std::tuple fields{
      field<0>("least", &GoAllocations::least),
      field<1>("count", &GoAllocations::count),
      field<2>("bytes", &GoAllocations::bytes),
  };
};

template <>
struct Table<GoHeap> {
  static constexpr KindEntry kinds[] = {{Kind::go_heap, 57, "go_heap"}};
  static constexpr std::tuple fields{
      field<0>("limit", &GoHeap::limit),
      field<1>("percent", &GoHeap::percent),
      field<2>("used", &GoHeap::used),
      field<3>("live", &GoHeap::live),
  };
};

template <>
struct Table<GoProgram> {
  static constexpr KindEntry kinds[] = {{Kind::go_program, 38, "go_program"}};
  static constexpr std::tuple fields{
      field<0>("path", &GoProgram::path),
      field<1>("version", &GoProgram::version),
      field<2>("offsets_from", &GoProgram::offsets_from),
      field<3>("unsupported", &GoProgram::unsupported),
      field<4>("goid_offset", &GoProgram::goid_offset),
      field<5>("parts", &GoProgram::parts),
      field<6>("processors", &GoProgram::processors),
  };
};

template <>
struct Table<GoBuild> {
  static constexpr KindEntry kinds[] = {{Kind::go_build, 46, "go_build"}};
  static constexpr std::tuple fields{
      field<0>("path", &GoBuild::path),
      field<1>("lines", &GoBuild::lines),
  };
};

}  // namespace tailcap::formats
