// Allow-lists, what is unknown, and exposed ports.
#include <gtest/gtest.h>

#include "tests/unit/audit/case.h"

namespace tailcap::audit {
namespace {

using formats::Origin;
using model::audit::bit;
using model::audit::ConnectionVerdict;
using model::audit::Missing;
using model::audit::Named;

constexpr const char* kList = R"(
allow_list: production
rules:
  - name: web-to-shop
    from: {process: nginx}
    to: {process: shop, port: [8080, 9000-9010]}
  - name: shop-to-db
    from: {process: shop}
    to: {address: 10.0.0.0/8, except: 10.0.9.0/24, port: 5432}
)";

Case list(const std::string& yaml = kList) {
  Case out(yaml);
  out.process(10, "nginx").process(11, "shop").process(12, "curl");
  return out;
}

ConnectionVerdict only(const model::audit::Audit& found) {
  EXPECT_EQ(found.groups.size(), 1u);
  return found.groups.empty() ? ConnectionVerdict::unknown : found.groups[0].verdict;
}

TEST(Judge, ProcessesAreKnownAtBothEndsOfALocalConnection) {
  EXPECT_EQ(only(list().both(10, 11, "127.0.0.1:4000", "127.0.0.1:8080").run()), ConnectionVerdict::allowed);
  EXPECT_EQ(only(list().both(10, 11, "127.0.0.1:4000", "127.0.0.1:9010").run()), ConnectionVerdict::allowed);
  EXPECT_EQ(only(list().both(10, 11, "127.0.0.1:4000", "127.0.0.1:9011").run()), ConnectionVerdict::denied);
  EXPECT_EQ(only(list().both(12, 11, "127.0.0.1:4000", "127.0.0.1:8080").run()), ConnectionVerdict::denied);
}

TEST(Judge, AnEndThatWasNotRecordedHasNoProcess) {
  const auto found = list().connect({11, Origin::accepted, "10.0.0.1:8080", "10.0.0.2:4000"}).run();
  EXPECT_EQ(only(found), ConnectionVerdict::unknown);
  EXPECT_EQ(found.groups[0].missing, bit(Missing::process));
  EXPECT_EQ(found.groups[0].by, std::vector<std::string>{"production"});
  // The port alone decides: no rule can match.
  EXPECT_EQ(only(list().connect({11, Origin::accepted, "10.0.0.1:81", "10.0.0.2:4000"}).run()),
            ConnectionVerdict::denied);
}

TEST(Judge, AddressesWithExceptions) {
  const auto to = [](const std::string& address) {
    return only(list().connect({11, Origin::connected, "10.1.1.1:4000", address}).run());
  };
  EXPECT_EQ(to("10.0.0.5:5432"), ConnectionVerdict::allowed);
  EXPECT_EQ(to("10.0.9.5:5432"), ConnectionVerdict::denied);
  EXPECT_EQ(to("11.0.0.5:5432"), ConnectionVerdict::denied);
  EXPECT_EQ(to("10.0.0.5:5433"), ConnectionVerdict::denied);
}

TEST(Judge, LoopbackOfAnotherNamespaceIsAnotherConnection) {
  Case apart = list();
  apart.connect({10, Origin::connected, "127.0.0.1:4000", "127.0.0.1:8080", 1});
  apart.connect({11, Origin::accepted, "127.0.0.1:8080", "127.0.0.1:4000", 2});
  const auto found = apart.run();
  EXPECT_EQ(found.connections(), 2u);
  EXPECT_EQ(found.of(ConnectionVerdict::unknown).count, 2u);
}

TEST(Judge, TheSamePortsAgainAreAnotherConnection) {
  Case again = list();
  for (int i = 0; i < 3; ++i) again.both(10, 11, "127.0.0.1:4000", "127.0.0.1:8080");
  const auto found = again.run();
  // No end of the first ones was seen: which ends belong together is not known.
  EXPECT_EQ(found.of(ConnectionVerdict::allowed).count, 0u);
  EXPECT_EQ(found.of(ConnectionVerdict::unknown).count, 6u);
}

TEST(Judge, TheSamePortsAfterTheEndOfTheFirst) {
  Case again = list();
  for (int i = 0; i < 3; ++i) again.both(10, i == 1 ? 12 : 11, "127.0.0.1:4000", "127.0.0.1:8080", 1, true);
  const auto found = again.run();
  EXPECT_EQ(found.of(ConnectionVerdict::allowed).count, 2u);
  EXPECT_EQ(found.of(ConnectionVerdict::denied).count, 1u);
}

TEST(Judge, AnOlderConnectionIsOne) {
  Case older = list();
  older.connect({10, Origin::existed, "127.0.0.1:4000", "127.0.0.1:8080"});
  older.connect({11, Origin::existed, "127.0.0.1:8080", "127.0.0.1:4000"});
  const auto found = older.run();
  EXPECT_EQ(found.connections(), 1u);
  EXPECT_EQ(only(found), ConnectionVerdict::unknown);
  EXPECT_EQ(found.groups[0].missing, bit(Missing::direction));
}

TEST(Judge, TheDefaultOfAnAllowListIsAVerdict) {
  const auto found = list(R"(
allow_list: loose
default: allow
rules: [{name: db, to: {port: 5432}}]
)")
                         .connect({12, Origin::connected, "10.0.0.1:4000", "10.0.0.2:80"})
                         .run();
  EXPECT_EQ(only(found), ConnectionVerdict::allowed);
  EXPECT_EQ(found.groups[0].by, std::vector<std::string>{"loose: default"});
}

TEST(Judge, SeveralAllowListsAddUp) {
  const std::string two = std::string(kList) + "---\nallow_list: tools\nrules: [{name: curl, from: {process: curl}}]\n";
  Case both = list(two);
  both.connect({12, Origin::connected, "10.0.0.1:4000", "10.0.0.2:80"});
  both.connect({10, Origin::connected, "10.0.0.1:4001", "10.0.0.2:80"});
  const auto found = both.run();
  EXPECT_EQ(found.of(ConnectionVerdict::allowed).count, 1u);
  ASSERT_EQ(found.groups.size(), 2u);
  EXPECT_EQ(found.groups[0].verdict, ConnectionVerdict::denied);
  EXPECT_EQ(found.groups[0].by, (std::vector<std::string>{"production", "tools"}));
  EXPECT_EQ(found.groups[0].who, (Named{Named::Kind::process, "nginx"}));
  EXPECT_EQ(found.groups[0].peer, (Named{Named::Kind::address, "10.0.0.2"}));
}

TEST(Judge, AnAllowListAndKubernetesMustBothAllow) {
  const std::string two = R"(
allow_list: all
rules: [{name: any, to: {port: 1-65535}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}
)";
  const char* pods = "pods: [{name: a, namespace: shop, address: 10.0.0.1}]\n";
  const auto found = Case(two, pods).connect({0, Origin::connected, "10.0.0.1:4000", "10.0.0.2:80"}).run();
  EXPECT_EQ(only(found), ConnectionVerdict::denied);
  EXPECT_EQ(found.groups[0].by, std::vector<std::string>{"shop/none"});
  EXPECT_EQ(found.tallies[0].rules[0].count, 1u);
}

constexpr const char* kInShop = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{podSelector: {matchLabels: {app: front}}}]}]
)";
// As Kubernetes names control groups; the recorder's notes are not there.
const std::string kCgroup = "/kubepods.slice/kubepods-pod1b6a6e1a_6ff4_44b8_8a4c_d9a2b4f0c001.slice/cri-containerd-" +
                            std::string(64, 'a') + ".scope";

TEST(Judge, APodWithoutANameMayBeSelected) {
  Case one(kInShop);
  one.process(20, "cart", kCgroup).connect({20, Origin::accepted, "10.0.0.1:80", "10.0.0.2:4000"});
  const auto found = one.run();
  EXPECT_EQ(only(found), ConnectionVerdict::unknown);
  EXPECT_NE(found.groups[0].missing & bit(Missing::pod), 0);
}

TEST(Judge, AProcessOutsideOfPodsIsNotSelected) {
  Case one(kInShop);
  one.process(20, "cart", "/system.slice/cart.service");
  one.connect({20, Origin::accepted, "10.0.0.1:80", "10.0.0.2:4000"});
  EXPECT_EQ(only(one.run()), ConnectionVerdict::allowed);
  one.question.otherwise = ConnectionVerdict::denied;
  EXPECT_EQ(only(one.run()), ConnectionVerdict::denied);
}

TEST(Judge, APeerThatIsNotListedMayBeAPod) {
  const std::string pods = "pods: [{name: a, namespace: shop, address: 10.0.0.1}]\n";
  const Given in{0, Origin::accepted, "10.0.0.1:80", "10.0.0.2:4000"};
  EXPECT_EQ(only(Case(kInShop, pods).connect(in).run()), ConnectionVerdict::unknown);
  EXPECT_EQ(only(Case(kInShop, pods + "complete: true\n").connect(in).run()), ConnectionVerdict::denied);
}

TEST(Judge, WithoutPoliciesTheDefaultDecides) {
  Case none("");
  none.connect({1, Origin::connected, "10.0.0.1:4000", "10.0.0.2:80"});
  EXPECT_EQ(only(none.run()), ConnectionVerdict::allowed);
}

TEST(Exposure, AConnectionFromAnotherAddressIsFlagged) {
  Case one("");
  one.question.exposed_ports = {{3306, 3306}, {5000, 5010}};
  one.process(30, "mysqld").interface(1, "10.0.0.1").interface(1, "10.0.0.3");
  one.connect({30, Origin::accepted, "10.0.0.1:3306", "192.0.2.9:4000"});
  one.connect({30, Origin::accepted, "10.0.0.1:3306", "10.0.0.3:4001"});    // the machine's own
  one.connect({30, Origin::accepted, "10.0.0.1:3306", "10.0.0.1:4002"});    // itself
  one.connect({30, Origin::accepted, "127.0.0.1:3306", "127.0.0.1:4003"});  // loopback
  one.connect({30, Origin::accepted, "10.0.0.1:80", "192.0.2.9:4004"});     // another port
  one.connect({30, Origin::connected, "10.0.0.1:4005", "192.0.2.9:3306"});  // not accepted here
  one.connect({30, Origin::accepted, "10.0.0.1:5010", "192.0.2.9:4006"});
  one.connect({30, Origin::accepted, "10.7.0.1:3306", "10.0.0.3:4007", 2});  // a namespace of unknown addresses
  one.connect({30, Origin::existed, "10.0.0.1:3306", "192.0.2.9:4008"});     // which end made it is not known
  const auto found = one.run();
  EXPECT_EQ(found.exposed, 2u);
  EXPECT_EQ(found.exposed_local, 3u);
  EXPECT_EQ(found.exposed_unknown, 2u);
  EXPECT_EQ(found.of(ConnectionVerdict::unknown).count, 0u);
  ASSERT_EQ(found.exposures.size(), 4u);
  EXPECT_EQ(found.exposures[0].local, "10.0.0.1:3306");
  EXPECT_EQ(found.exposures[0].remote, "192.0.2.9");
  EXPECT_EQ(found.exposures[0].who, (Named{Named::Kind::process, "mysqld"}));
  EXPECT_EQ(found.exposures[0].examples[0].from, "192.0.2.9:4000");
  EXPECT_EQ(found.exposures[1].local, "10.0.0.1:5010");
  EXPECT_FALSE(found.exposures[2].sure);
}

TEST(Exposure, AnotherNamespaceOfTheMachineIsAnotherAddress) {
  Case one("");
  one.question.exposed_ports = {{3306, 3306}};
  one.interface(1, "10.0.0.1").interface(2, "10.0.0.2");
  one.connect({30, Origin::accepted, "10.0.0.1:3306", "10.0.0.2:4000", 1});
  EXPECT_EQ(one.run().exposed, 1u);
}

}  // namespace
}  // namespace tailcap::audit
