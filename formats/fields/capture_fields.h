// The fields of events of the recording itself: its clocks, losses, costs and notes.
#pragma once

#include "formats/fields/field.h"

namespace tailcap::formats {

template <>
struct Table<ClockSnapshot> {
  static constexpr KindEntry kinds[] = {{Kind::clock, 24, "clock"}};
  static constexpr std::tuple fields{
      field<0>("realtime", &ClockSnapshot::realtime),
      field<1>("boottime", &ClockSnapshot::boottime),
      field<2>("uncertainty", &ClockSnapshot::uncertainty),
  };
};

template <>
struct Table<Loss> {
  static constexpr KindEntry kinds[] = {{Kind::loss, 25, "loss"}};
  static constexpr std::tuple fields{
      field<0>("since", &Loss::since),
      field<1>("cause", &Loss::cause),
      field<2, As::kind>("lost", &Loss::kind),
      field<3>("count", &Loss::count),
  };
};

template <>
struct Table<RecorderCost> {
  static constexpr KindEntry kinds[] = {{Kind::recorder_cost, 26, "recorder_cost"}};
  static constexpr std::tuple fields{
      field<0>("cpu", &RecorderCost::cpu),
      field<1>("resident", &RecorderCost::resident),
  };
};

template <>
struct Table<ProgramCost> {
  static constexpr KindEntry kinds[] = {{Kind::program_cost, 27, "program_cost"}};
  static constexpr std::tuple fields{
      field<0>("program", &ProgramCost::program),
      field<1>("runs", &ProgramCost::runs),
      field<2>("program_time", &ProgramCost::time),
  };
};

template <>
struct Table<Probe> {
  static constexpr KindEntry kinds[] = {{Kind::probe, 31, "probe"}};
  static constexpr std::tuple fields{
      field<0>("path", &Probe::path),     field<1>("function", &Probe::function), field<2>("place", &Probe::place),
      field<3>("offset", &Probe::offset), field<4>("price", &Probe::price),       field<5>("reason", &Probe::reason),
  };
};

template <>
struct Table<Note> {
  static constexpr KindEntry kinds[] = {{Kind::note, 50, "note"}};
  static constexpr std::tuple fields{
      field<0>("key", &Note::key),
      field<1>("value", &Note::value),
  };
};

template <>
struct Table<NetInterface> {
  static constexpr KindEntry kinds[] = {{Kind::net_interface, 51, "net_interface"}};
  static constexpr std::tuple fields{
      field<0, As::net_namespace>("net_namespace", &NetInterface::net_namespace),
      field<1>("index", &NetInterface::index),
      field<2>("name", &NetInterface::name),
      field<3, As::unshown>("family", &NetInterface::family),
      field<4>("address", &NetInterface::address),
      field<5>("prefix", &NetInterface::prefix),
  };
};

template <>
struct Table<NetLink> {
  static constexpr KindEntry kinds[] = {{Kind::net_link, 54, "net_link"}};
  static constexpr std::tuple fields{
      field<0, As::net_namespace>("net_namespace", &NetLink::net_namespace),
      field<1>("index", &NetLink::index),
      field<2>("name", &NetLink::name),
      field<3>("type", &NetLink::type),
      field<4>("mtu", &NetLink::mtu),
      field<5>("master", &NetLink::master),
      field<6>("peer", &NetLink::peer),
      field<7, As::net_namespace>("peer_namespace", &NetLink::peer_namespace),
      field<8>("up", &NetLink::up),
      field<9>("gone", &NetLink::gone),
  };
};

template <>
struct Table<ProcessUse> {
  static constexpr KindEntry kinds[] = {{Kind::process_use, 55, "process_use"}};
  static constexpr std::tuple fields{
      field<0>("cpu", &ProcessUse::cpu),
      field<1>("resident", &ProcessUse::resident),
      field<2>("anonymous", &ProcessUse::anonymous),
  };
};

template <>
struct Table<MallocCalls> {
  static constexpr KindEntry kinds[] = {{Kind::malloc_calls, 58, "malloc_calls"}};
  static constexpr std::tuple fields{
      field<0>("least", &MallocCalls::least),
      field<1>("count", &MallocCalls::count),
      field<2>("bytes", &MallocCalls::bytes),
  };
};

template <>
struct Table<PacketDrops> {
  static constexpr KindEntry kinds[] = {{Kind::packet_drops, 56, "packet_drops"}};
  static constexpr std::tuple fields{
      field<0, As::took>("began", &PacketDrops::began),
      field<1>("reason", &PacketDrops::reason),
      field<2, As::unshown>("family", &PacketDrops::family),
      field<3>("protocol", &PacketDrops::protocol),
      field<4>("to", &PacketDrops::to),
      field<5, As::part>(
          "to_port", [](auto& drops) -> auto& { return drops.to.port; }),
      field<6>("count", &PacketDrops::count),
  };
};

template <>
struct Table<Masking> {
  static constexpr KindEntry kinds[] = {{Kind::masking, 52, "masking"}};
  static constexpr std::tuple fields{
      field<0>("streams", &Masking::streams),      field<1>("foreign", &Masking::foreign),
      field<2>("doubtful", &Masking::doubtful),    field<3>("withheld", &Masking::withheld),
      field<4>("withheld_sends", &Masking::sends), field<5>("withheld_receives", &Masking::receives),
  };
};

template <>
struct Table<MachineCpu> {
  static constexpr KindEntry kinds[] = {{Kind::machine, 53, "machine"}};
  static constexpr std::tuple fields{
      field<0>("user", &MachineCpu::user),
      field<1, As::took>("began", &MachineCpu::began),
      field<2>("cpu_time", &MachineCpu::time),
      field<3, As::pid>("process", &MachineCpu::pid),
      field<4>("comm", &MachineCpu::comm),
      field<5, As::if_any>("bytes_read", &MachineCpu::read),
      field<6, As::if_any>("bytes_written", &MachineCpu::written),
  };
};

template <>
struct Table<CaptureEnd> {
  static constexpr KindEntry kinds[] = {{Kind::capture_end, kNotStored, "capture_end"}};
  static constexpr std::tuple fields{field<kByHand>("state", &CaptureEnd::state)};
};

template <>
struct Table<Damage> {
  static constexpr KindEntry kinds[] = {{Kind::damage, kNotStored, "damage"}};
  static constexpr std::tuple fields{
      field<kByHand>("since", &Damage::since),
      field<kByHand>("bytes", &Damage::bytes),
  };
};

}  // namespace tailcap::formats
