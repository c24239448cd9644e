// The fields of events of sockets and TLS sessions.
#pragma once

#include "formats/fields/field.h"

namespace tailcap::formats {

template <>
struct Table<Io> {
  static constexpr KindEntry kinds[] = {{Kind::send, 10, "send"}, {Kind::receive, 11, "receive"}};
  static constexpr std::tuple fields{
      by_hand<As::socket>("socket", &Io::socket),
      by_hand("position", &Io::position),
      by_hand("length", &Io::length),
      by_hand<As::syscall>("syscall", &Io::syscall),
      by_hand("error", &Io::error),
      by_hand("missed", &Io::missed),
      by_hand("truncated", &Io::truncated),
      by_hand("continued", &Io::continued),
      by_hand("payload", &Io::payload),
      by_hand<As::raw_bytes>("head", &Io::head),
      by_hand<As::raw_bytes>("tail", &Io::tail),
  };
};

template <>
struct Table<Arrival> {
  static constexpr KindEntry kinds[] = {{Kind::arrival, 12, "arrival"}};
  static constexpr std::tuple fields{
      by_hand<As::socket>("socket", &Arrival::socket),
      by_hand("position", &Arrival::position),
      by_hand("length", &Arrival::length),
      by_hand("missed", &Arrival::missed),
  };
};

template <>
struct Table<Retransmit> {
  static constexpr KindEntry kinds[] = {{Kind::retransmit, 13, "retransmit"}};
  static constexpr std::tuple fields{
      field<0, As::socket>("socket", &Retransmit::socket),
      field<1>("position", &Retransmit::position),
      field<2>("length", &Retransmit::length),
      field<3, As::if_any>("interface", &Retransmit::interface),
      field<4, As::if_any>("segment", &Retransmit::segment),
      field<5, As::if_any>("path_mtu", &Retransmit::path_mtu),
  };
};

template <>
struct Table<Reset> {
  static constexpr KindEntry kinds[] = {{Kind::reset, 14, "reset"}};
  static constexpr std::tuple fields{
      field<0, As::socket>("socket", &Reset::socket),
      field<1>("direction", &Reset::direction),
  };
};

template <>
struct Table<StateChange> {
  static constexpr KindEntry kinds[] = {{Kind::state_change, 15, "state_change"}};
  static constexpr std::tuple fields{
      field<0, As::socket>("socket", &StateChange::socket),
      field<1>("from", &StateChange::from),
      field<2>("to", &StateChange::to),
      field<3>("by_thread", &StateChange::by_thread),
      field<4>("error", &StateChange::error),
      field<5, As::if_any>("queue", &StateChange::queue),
      field<6, As::if_any>("rtt", &StateChange::rtt),
  };
};

template <>
struct Table<Accept> {
  static constexpr KindEntry kinds[] = {{Kind::accept, 16, "accept"}};
  static constexpr std::tuple fields{
      field<0, As::socket>("socket", &Accept::socket),
      field<1>("descriptor", &Accept::descriptor),
  };
};

template <>
struct Table<SocketInfo> {
  static constexpr KindEntry kinds[] = {{Kind::socket_info, 17, "socket_info"}};
  static constexpr std::tuple fields{
      field<0, As::socket>("socket", &SocketInfo::socket),
      field<1>("family", &SocketInfo::family),
      field<2>("type", &SocketInfo::type),
      field<3>("origin", &SocketInfo::origin),
      field<4>("state", &SocketInfo::state),
      field<5>("local", &SocketInfo::local),
      field<6, As::part>(
          "local_port", [](auto& info) -> auto& { return info.local.port; }),
      field<7>("remote", &SocketInfo::remote),
      field<8, As::part>(
          "remote_port", [](auto& info) -> auto& { return info.remote.port; }),
      field<9>("next_out", &SocketInfo::next_out),
      field<10>("next_in", &SocketInfo::next_in),
      field<11, As::inode>("inode", &SocketInfo::inode),
      field<12, As::inode>("peer_inode", &SocketInfo::peer_inode),
      field<13, As::net_namespace>("net_namespace", &SocketInfo::net_namespace),
      field<14, As::unshown>("path", &SocketInfo::path),
      field<15, As::other_socket>("listener", &SocketInfo::listener),
      field<16, As::if_any>("queue", &SocketInfo::queue),
      field<17, As::if_any>("queue_limit", &SocketInfo::queue_limit),
      field<18, As::if_any>("drops", &SocketInfo::drops),
      field<19, As::if_any>("rtt", &SocketInfo::rtt),
      field<20, As::if_any>("interface", &SocketInfo::interface),
      field<21, As::pid>("peer_pid", &SocketInfo::peer_pid),
  };
};

template <>
struct Table<TlsIo> {
  static constexpr KindEntry kinds[] = {{Kind::tls_send, 28, "tls_send"}, {Kind::tls_receive, 29, "tls_receive"}};
  static constexpr std::tuple fields{
      by_hand<As::session>("session", &TlsIo::session),
      by_hand("position", &TlsIo::position),
      by_hand("length", &TlsIo::length),
      by_hand("began", &TlsIo::began),
      by_hand("continued", &TlsIo::continued),
      by_hand("missed", &TlsIo::missed),
      by_hand("payload", &TlsIo::payload),
      by_hand<As::raw_bytes>("head", &TlsIo::head),
      by_hand<As::raw_bytes>("tail", &TlsIo::tail),
  };
};

template <>
struct Table<TlsStep> {
  static constexpr KindEntry kinds[] = {{Kind::tls_step, 30, "tls_step"}};
  static constexpr std::tuple fields{
      field<0, As::session>("session", &TlsStep::session),
      field<1>("library", &TlsStep::library),
      field<2>("step", &TlsStep::step),
      field<3>("code", &TlsStep::code),
  };
};

}  // namespace tailcap::formats
