#include "analyze/model/machine/drop_table.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tailcap::model {
namespace {

using formats::Address;
using formats::Family;
using formats::time_from;

Address ip4(std::uint8_t last, std::uint16_t port) {
  Address a;
  a.bytes[0] = 10;
  a.bytes[3] = last;
  a.port = port;
  return a;
}

Address mapped(std::uint8_t last, std::uint16_t port) {
  Address a;
  a.bytes[10] = a.bytes[11] = 0xff;
  a.bytes[12] = 10;
  a.bytes[15] = last;
  a.port = port;
  return a;
}

formats::PacketDrops drops(std::string_view reason, Family family, Address to, std::uint64_t count,
                           std::int64_t second = 1) {
  formats::PacketDrops d;
  d.began = time_from(second * 1'000'000'000);
  d.reason = reason;
  d.family = family;
  d.protocol = 6;
  d.to = to;
  d.count = count;
  return d;
}

formats::SocketInfo socket(Family family, Address local, formats::TcpState state) {
  formats::SocketInfo s;
  s.socket = 1;
  s.family = family;
  s.local = local;
  s.state = state;
  return s;
}

TEST(DropTable, IsByReasonAndDestination) {
  DropTable table;
  table.push(drops("NO_SOCKET", Family::inet, ip4(1, 80), 3, 5));
  table.push(drops("NO_SOCKET", Family::inet, ip4(1, 80), 7, 4));
  table.push(drops("TCP_CSUM", Family::inet, ip4(1, 80), 20));
  table.push(drops("NO_SOCKET", Family::inet, ip4(1, 0), 1));
  table.push(drops("TCP_CSUM", Family::unknown, {}, 2));
  const auto all = table.all();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].reason, "TCP_CSUM");
  EXPECT_EQ(all[0].count, 20u);
  EXPECT_EQ(all[1].to, "10.0.0.1:80");
  EXPECT_EQ(all[1].count, 10u);
  EXPECT_EQ(all[1].most, 7u);
  EXPECT_EQ(all[1].first, time_from(4'000'000'000));
  EXPECT_EQ(all[2].to, "");
  EXPECT_EQ(all[3].to, "10.0.0.1");
}

// A socket of IPv6 may take packets of IPv4.
TEST(DropTable, KnowsWhichWereForRecordedSockets) {
  DropTable table;
  table.push(drops("NO_SOCKET", Family::inet, ip4(1, 80), 1));
  table.push(drops("NO_SOCKET", Family::inet, ip4(2, 80), 2));
  table.push(drops("NO_SOCKET", Family::inet, ip4(2, 81), 3));
  table.push(drops("NO_SOCKET", Family::inet, ip4(3, 82), 4));
  table.push(drops("NO_SOCKET", Family::unknown, {}, 5));
  table.push(drops("NO_SOCKET", Family::inet, ip4(1, 0), 6));
  EXPECT_TRUE(table.to_recorded().empty());
  table.push(socket(Family::inet, ip4(1, 80), formats::TcpState::established));
  ASSERT_EQ(table.to_recorded().size(), 1u);
  EXPECT_EQ(table.to_recorded()[0].to, "10.0.0.1:80");
  table.push(socket(Family::inet6, mapped(2, 81), formats::TcpState::established));
  ASSERT_EQ(table.to_recorded().size(), 2u);
  EXPECT_EQ(table.to_recorded()[0].to, "10.0.0.2:81");
  Address any;
  any.port = 82;
  table.push(socket(Family::inet6, any, formats::TcpState::listen));
  ASSERT_EQ(table.to_recorded().size(), 3u);
  EXPECT_EQ(table.to_recorded()[0].to, "10.0.0.3:82");
  EXPECT_EQ(table.all().size(), 6u);
}

TEST(DropTable, CountsMoreDestinationsThanItListsByReason) {
  DropTable table;
  for (std::size_t n = 0; n < DropTable::kMaxDrops + 5; ++n) {
    Address a = ip4(1, 80);
    a.bytes[1] = static_cast<std::uint8_t>(n >> 8);
    a.bytes[2] = static_cast<std::uint8_t>(n);
    table.push(drops("NO_SOCKET", Family::inet, a, 1));
  }
  const auto all = table.all();
  EXPECT_EQ(all.size(), DropTable::kMaxDrops + 1);
  EXPECT_EQ(all[0].to, "");
  EXPECT_EQ(all[0].count, 5u);
}

}  // namespace
}  // namespace tailcap::model
