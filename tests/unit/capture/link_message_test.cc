#include "capture/links/link_message.h"

#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "capture/links/links.h"

namespace tailcap::capture::links {
namespace link_message_test {

// As the kernel writes them.
class Message {
 public:
  Message(std::uint16_t type, unsigned char family, int index, unsigned flags) {
    nlmsghdr head{};
    head.nlmsg_type = type;
    ifinfomsg info{};
    info.ifi_family = family;
    info.ifi_index = index;
    info.ifi_flags = flags;
    add(&head, sizeof head);
    add(&info, sizeof info);
  }
  void attribute(unsigned short type, const void* data, std::size_t size) {
    const rtattr head{static_cast<unsigned short>(RTA_LENGTH(size)), type};
    add(&head, sizeof head);
    add(data, size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  void text(unsigned short type, std::string_view value) { attribute(type, value.data(), value.size() + 1); }
  void number(unsigned short type, std::uint32_t value) { attribute(type, &value, sizeof value); }
  std::vector<std::byte> bytes() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    return bytes_;
  }

 private:
  void add(const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }
  std::vector<std::byte> bytes_;
};

Message veth() {
  Message message(RTM_NEWLINK, AF_UNSPEC, 7, IFF_UP);
  message.text(IFLA_IFNAME, "veth0");
  message.number(IFLA_MTU, 1400);
  message.number(IFLA_MASTER, 3);
  message.number(IFLA_LINK, 8);
  message.number(IFLA_LINK_NETNSID, 2);
  const char kind[] = "\x09\0\x01\0veth\0\0\0";  // IFLA_INFO_KIND
  message.attribute(IFLA_LINKINFO, kind, 12);
  return message;
}

TEST(LinkMessage, AllFacts) {
  const auto read = link_message(veth().bytes());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->gone);
  EXPECT_EQ(read->link, (LinkFacts{7, "veth0", "veth", 1400, 3, 8, 2, true}));
}

TEST(LinkMessage, APortOfABridgeIsNoInterfaceOfItsOwn) {
  Message message(RTM_DELLINK, AF_BRIDGE, 7, IFF_UP);
  message.text(IFLA_IFNAME, "veth0");
  EXPECT_FALSE(link_message(message.bytes()));
}

TEST(LinkMessage, Gone) {
  Message message(RTM_DELLINK, AF_UNSPEC, 7, 0);
  message.text(IFLA_IFNAME, "veth0");
  const auto read = link_message(message.bytes());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->gone);
  EXPECT_FALSE(read->link.up);
}

TEST(LinkMessage, AnyPartOfOneIsReadWithinIt) {
  const auto whole = veth().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(link_message(part)) << size;  // it says that it is longer
  }
  for (std::size_t at = sizeof(nlmsghdr); at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = std::byte{0xff};
    link_message(damaged);
    namespace_id_of(damaged);
  }
}

// Needs no rights: its own namespace is the one that it is in.
TEST(Links, OwnLoopback) {
  bool loopback = false;
  Links({}).each(
      [&](const formats::NetLink& link) { loopback |= link.name == "lo" && link.index == 1 && link.mtu > 0; });
  EXPECT_TRUE(loopback);
}

}  // namespace link_message_test
}  // namespace tailcap::capture::links
