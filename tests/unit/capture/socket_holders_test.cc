// Who has the other end of a connection within the machine, from records as the kernel program writes them.
#include "capture/rings/socket_holders.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "bpf/event.h"

namespace tailcap::capture {
namespace {

bpf::socket_holder held(std::uint32_t pid, std::uint16_t local, std::uint16_t remote, std::uint32_t net_namespace = 7) {
  bpf::socket_holder end{};
  end.pid = pid;
  end.net_namespace = net_namespace;
  end.family = 2;
  end.local_port = local;
  end.remote_port = remote;
  for (std::uint8_t* address : {end.local, end.remote}) {
    address[0] = 127;
    address[3] = 1;
  }
  return end;
}

formats::SocketInfo server(std::uint16_t local, std::uint16_t remote) {
  formats::SocketInfo info;
  info.family = formats::Family::inet;
  info.type = formats::SocketType::stream;
  info.net_namespace = 7;
  for (formats::Address* address : {&info.local, &info.remote}) {
    address->bytes[0] = 127;
    address->bytes[3] = 1;
  }
  info.local.port = local;
  info.remote.port = remote;
  return info;
}

SocketHolders holders(const std::vector<bpf::socket_holder>& ends) {
  return SocketHolders(std::as_bytes(std::span(ends)));
}

TEST(SocketHolders, OfTheOtherEnd) {
  const SocketHolders all = holders({held(30, 40000, 5432), held(31, 40001, 5432), held(32, 40002, 5432, 8)});
  EXPECT_EQ(all.of_other_end(server(5432, 40000)), 30u);
  EXPECT_EQ(all.of_other_end(server(5432, 40001)), 31u);
  EXPECT_EQ(all.of_other_end(server(5432, 40002)), 0u) << "of another network namespace";
  EXPECT_EQ(all.of_other_end(server(40000, 5432)), 0u) << "its own end";
  EXPECT_EQ(all.of_other_end(server(5432, 0)), 0u) << "a listener";
}

TEST(SocketHolders, OfSeveralProcessesNoneIsNamed) {
  const SocketHolders all =
      holders({held(30, 40000, 5432), held(30, 40000, 5432), held(31, 40001, 5432), held(32, 40001, 5432)});
  EXPECT_EQ(all.of_other_end(server(5432, 40000)), 30u) << "two descriptors of one";
  EXPECT_EQ(all.of_other_end(server(5432, 40001)), 0u);
}

}  // namespace
}  // namespace tailcap::capture
