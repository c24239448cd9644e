// Six policies and forty connections, whose verdicts were worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "analyze/report/audit/audit_report.h"
#include "tests/unit/audit/case.h"

namespace tailcap::audit {
namespace {

using formats::Origin;
using model::audit::ConnectionVerdict;

constexpr const char* kPods = R"(
complete: true
pods:
  - {name: front-1, namespace: shop, address: 10.1.0.1, labels: {app: front}}
  - {name: cart-1, namespace: shop, address: 10.1.0.2, labels: {app: cart, tier: back}}
  - {name: pay-1, namespace: shop, address: 10.1.0.3, labels: {app: pay, tier: back}}
  - {name: db-1, namespace: data, address: 10.2.0.1, labels: {app: db}}
  - {name: cache-1, namespace: data, address: 10.2.0.2, labels: {app: cache}}
  - {name: probe-1, namespace: ops, address: 10.3.0.1, labels: {app: probe}}
namespaces:
  - {name: shop, labels: {team: web}}
  - {name: data, labels: {team: db}}
  - {name: ops, labels: {team: ops}}
)";

constexpr const char* kPolicies = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: front-in, namespace: shop}
spec:
  podSelector: {matchLabels: {app: front}}
  ingress:
    - from: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.64/26]}}]
      ports: [{protocol: TCP, port: 8080, endPort: 8090}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: back-in, namespace: shop}
spec:
  podSelector: {matchLabels: {tier: back}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: front}}}]
      ports: [{port: 9000}]
    - from: [{namespaceSelector: {matchLabels: {team: ops}}}]
      ports: [{port: 9100, endPort: 9110}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: back-out, namespace: shop}
spec:
  podSelector: {matchExpressions: [{key: tier, operator: In, values: [back]}]}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {team: db}}
          podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [cache]}]}
      ports: [{port: 5432}]
---
apiVersion: v1
kind: List
items:
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: db-in, namespace: data}
    spec:
      podSelector: {matchLabels: {app: db}}
      ingress:
        - from: [{namespaceSelector: {matchLabels: {team: web}}, podSelector: {matchLabels: {tier: back}}}]
          ports: [{port: 5432}]
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: archive-in, namespace: data}
    spec: {podSelector: {matchLabels: {app: archive}}}
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: other-in, namespace: ops}
    spec: {podSelector: {matchLabels: {app: other}}, policyTypes: [Ingress]}
)";

enum At { client, server, ends };  // where it was recorded
constexpr ConnectionVerdict kA = ConnectionVerdict::allowed, kD = ConnectionVerdict::denied,
                            kU = ConnectionVerdict::unknown;
using By = std::vector<std::string>;

struct Row {
  const char *from, *to;
  int port;
  At at;
  ConnectionVerdict by_default_allow, by_default_deny;
  By by;  // policies that deny it, or rules that allow it
};

const By kFront{"shop/front-in: ingress 1"}, kBack{"shop/back-in: ingress 1"}, kOps{"shop/back-in: ingress 2"},
    kData{"shop/back-out: egress 1", "data/db-in: ingress 1"};

// Rows 28 and 29 are within a pod; 37 is older than the recording, 38 was not described.
const Row kRows[] = {
    {"X", "front", 8080, server, kA, kA, kFront},
    {"X", "front", 8085, server, kA, kA, kFront},
    {"X", "front", 8090, server, kA, kA, kFront},
    {"X", "front", 8091, server, kD, kD, {"shop/front-in"}},
    {"X", "front", 8079, server, kD, kD, {"shop/front-in"}},
    {"Y", "front", 8080, server, kD, kD, {"shop/front-in"}},
    {"Z", "front", 8080, server, kD, kD, {"shop/front-in"}},
    {"cart", "front", 8080, ends, kD, kD, {"shop/back-out", "shop/front-in"}},
    {"front", "cart", 9000, ends, kA, kA, kBack},
    {"front", "pay", 9000, client, kA, kA, kBack},
    {"front", "cart", 9001, ends, kD, kD, {"shop/back-in"}},
    {"probe", "cart", 9100, server, kA, kA, kOps},
    {"probe", "pay", 9110, ends, kA, kA, kOps},
    {"probe", "pay", 9111, client, kD, kD, {"shop/back-in"}},
    {"cart", "db", 5432, ends, kA, kA, kData},
    {"pay", "db", 5432, ends, kA, kA, kData},
    {"front", "db", 5432, ends, kD, kD, {"data/db-in"}},
    {"cart", "cache", 6379, client, kD, kD, {"shop/back-out"}},
    {"front", "cache", 6379, ends, kA, kD, {}},
    {"probe", "cache", 6379, server, kA, kD, {}},
    {"cache", "Z", 443, client, kA, kD, {}},
    {"front", "Z", 443, client, kA, kD, {}},
    {"probe", "Z", 443, client, kA, kD, {}},
    {"cache", "X", 80, client, kA, kD, {}},
    {"db", "Z", 443, client, kA, kD, {}},
    {"front", "X", 8443, client, kA, kD, {}},
    {"db", "cache", 6379, ends, kA, kD, {}},
    {"lo front", "lo front", 9000, ends, kA, kD, {}},
    {"lo cart", "lo cart", 9001, server, kA, kD, {}},
    {"X", "front", 8081, server, kA, kA, kFront},
    {"X", "front", 8082, server, kA, kA, kFront},
    {"front", "cart", 9000, server, kA, kA, kBack},
    {"front", "pay", 9000, ends, kA, kA, kBack},
    {"cart", "db", 5432, server, kA, kA, kData},
    {"pay", "db", 5432, client, kA, kA, kData},
    {"probe", "cart", 9105, ends, kA, kA, kOps},
    {"older", "cart", 9000, client, kU, kU, {"shop/back-in", "shop/back-out", "shop/front-in"}},
    {"undescribed", "?", 0, client, kU, kU, {"shop/back-out"}},
    {"probe", "cart", 9100, ends, kA, kA, kOps},
    {"X", "front", 8080, server, kA, kA, kFront},
};

const std::map<std::string, std::pair<std::string, std::uint32_t>> kEnds = {
    {"front", {"10.1.0.1", 101}},     {"cart", {"10.1.0.2", 102}},     {"pay", {"10.1.0.3", 103}},
    {"db", {"10.2.0.1", 104}},        {"cache", {"10.2.0.2", 105}},    {"probe", {"10.3.0.1", 106}},
    {"X", {"203.0.113.7", 0}},        {"Y", {"203.0.113.70", 0}},      {"Z", {"198.51.100.9", 0}},
    {"lo front", {"127.0.0.1", 101}}, {"lo cart", {"127.0.0.1", 102}},
};

void add(Case& a, const Row& row, int number) {
  const std::string at = row.from;
  if (at == "undescribed") {
    a.connect({102, Origin::connected, "", ""});
    return;
  }
  const auto& to = kEnds.at(row.to);
  const auto& from = kEnds.at(at == "older" ? "front" : at);
  const std::string source = from.first + ":" + std::to_string(40000 + number);
  const std::string target = to.first + ":" + std::to_string(row.port);
  if (at == "older")
    a.connect({from.second, Origin::existed, source, target});
  else if (row.at == client)
    a.connect({from.second, Origin::connected, source, target});
  else if (row.at == server)
    a.connect({to.second, Origin::accepted, target, source});
  else
    a.both(from.second, to.second, source, target);
}

Case table(const std::vector<int>& rows) {
  Case a(kPolicies, kPods);
  for (const auto& [name, end] : kEnds)
    if (end.second != 0 && name.find(' ') == name.npos) a.process(end.second, name);
  for (const int row : rows) add(a, kRows[row], row);
  return a;
}

std::vector<int> all() {
  std::vector<int> out;
  for (int i = 0; i < static_cast<int>(std::size(kRows)); ++i) out.push_back(i);
  return out;
}

TEST(AuditTable, EveryConnectionHasTheVerdictOfTheTable) {
  ASSERT_EQ(std::size(kRows), 40u);
  for (const int i : all()) {
    for (const ConnectionVerdict otherwise : {kA, kD}) {
      Case one = table({i});
      ASSERT_EQ(one.question.policies.size(), 6u);
      one.question.otherwise = otherwise;
      const auto found = one.run();
      ASSERT_EQ(found.connections(), 1u) << "row " << i + 1;
      ASSERT_EQ(found.groups.size(), 1u) << "row " << i + 1;
      const Row& row = kRows[i];
      EXPECT_EQ(found.groups[0].verdict, otherwise == kA ? row.by_default_allow : row.by_default_deny)
          << "row " << i + 1;
      By by = found.groups[0].by, expected = row.by;
      std::sort(by.begin(), by.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(by, expected) << "row " << i + 1;
    }
  }
}

TEST(AuditTable, TheSumsAreThoseOfTheTable) {
  Case whole = table(all());
  const auto found = whole.run();
  EXPECT_EQ(found.connections(), 40u);
  EXPECT_EQ(found.of(kD).count, 9u);
  EXPECT_EQ(found.of(kU).count, 2u);
  EXPECT_EQ(found.of(kA).count, 29u);
  EXPECT_EQ(found.unselected.count, 11u);
  struct Sums {
    const char* name;
    std::uint64_t selects, allows, denies, unknown;
  };
  // By hand, from the table.
  const Sums sums[] = {{"shop/front-in", 11, 6, 5, 1}, {"shop/back-in", 10, 8, 2, 1},   {"shop/back-out", 6, 4, 2, 2},
                       {"data/db-in", 5, 4, 1, 0},     {"data/archive-in", 0, 0, 0, 0}, {"ops/other-in", 0, 0, 0, 0}};
  for (std::size_t p = 0; p < std::size(sums); ++p) {
    EXPECT_EQ(found.policies[p].name, sums[p].name);
    EXPECT_EQ(found.tallies[p].selected.count, sums[p].selects) << sums[p].name;
    EXPECT_EQ(found.tallies[p].of(kA).count, sums[p].allows) << sums[p].name;
    EXPECT_EQ(found.tallies[p].of(kD).count, sums[p].denies) << sums[p].name;
    EXPECT_EQ(found.tallies[p].of(kU).count, sums[p].unknown) << sums[p].name;
    EXPECT_EQ(found.tallies[p].used(), sums[p].selects > 0) << sums[p].name;
  }
  std::uint64_t grouped = 0;
  for (const auto& group : found.groups) grouped += group.connections.count;
  EXPECT_EQ(grouped, 40u);
}

TEST(AuditTable, DefaultDenyDeniesWhatNoPolicySelects) {
  Case whole = table(all());
  whole.question.otherwise = kD;
  const auto found = whole.run();
  EXPECT_EQ(found.of(kD).count, 20u);
  EXPECT_EQ(found.of(kA).count, 18u);
  EXPECT_EQ(found.of(kU).count, 2u);
}

TEST(AuditTable, TheReportHasNineViolationsAndTwoUnusedPolicies) {
  const auto found = table(all()).run();
  const std::string text = render::to_text(report::audit_document(found, "shop.tcap", 100), 160);
  EXPECT_NE(text.find("9 of 40 connections are denied"), text.npos) << text;
  EXPECT_NE(text.find("29 allowed, 9 denied, 2 unknown"), text.npos) << text;
  EXPECT_NE(text.find("data/archive-in selects no connection."), text.npos) << text;
  EXPECT_NE(text.find("ops/other-in selects no connection."), text.npos) << text;
  EXPECT_EQ(text.find("shop/front-in selects no connection."), text.npos) << text;
  EXPECT_NE(text.find("shop/cart-1   to"), text.npos) << text;
  const std::string csv = report::audit_csv(found);
  EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')), found.groups.size() + 1);
}

}  // namespace
}  // namespace tailcap::audit
