// Network policies and lists of pods as YAML: what the readers take, what they refuse, and how.
#include <gtest/gtest.h>

#include <string>

#include "analyze/query/audit/network_policy_file.h"
#include "analyze/query/yaml.h"

namespace tailcap::query {
namespace {

std::string error_of(const std::string& yaml) {
  try {
    (void)network_policies_of(yaml, "p.yaml");
  } catch (const YamlError& e) {
    return e.what();
  }
  return "none";
}

std::string pods_error_of(const std::string& yaml) {
  try {
    (void)pods_of(yaml);
  } catch (const YamlError& e) {
    return e.what();
  }
  return "none";
}

std::string kubernetes(const std::string& spec) {
  return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: " + spec +
         "\n";
}

TEST(NetworkPolicyFile, WhatKubernetesSaysOfTypes) {
  const auto one = [](const std::string& spec) { return network_policies_of(kubernetes(spec), "p").front(); };
  EXPECT_TRUE(one("{podSelector: {}}").ingress);
  EXPECT_FALSE(one("{podSelector: {}}").egress);
  EXPECT_TRUE(one("{podSelector: {}, egress: [{}]}").egress);
  EXPECT_TRUE(one("{podSelector: {}, egress: [{}]}").ingress);
  EXPECT_FALSE(one("{podSelector: {}, egress: []}").egress);
  EXPECT_FALSE(one("{podSelector: {}, policyTypes: [Egress]}").ingress);
  // Only other protocols: no port of TCP, which is not every port.
  const auto udp = one("{podSelector: {}, ingress: [{ports: [{protocol: UDP, port: 53}]}]}");
  EXPECT_FALSE(udp.rules[0].every_port);
  EXPECT_TRUE(udp.rules[0].ports.empty());
  // As kubectl prints it.
  EXPECT_EQ(
      error_of(R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a","namespace":"b",
"uid":"1","labels":{"x":"y"}},"spec":{"podSelector":{},"policyTypes":["Ingress"],"ingress":null},"status":{}})"),
      "none");
}

TEST(NetworkPolicyFile, WhatIsNotSupportedIsNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {kubernetes("{podSelector: {}, ingress: [{ports: [{port: http}]}]}"),
       "named ports like 'http' are not supported"},
      {kubernetes("{podSelector: {}, ingress: [{form: []}]}"), "unknown key 'form': did you mean 'from'?"},
      {kubernetes("{podSelector: {}, ingress: [{from: [{serviceSelector: {}}]}]}"), "unknown key 'serviceSelector'"},
      {kubernetes("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}"), "'10.0.0.0/33' is not"},
      {kubernetes("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}]}]}"),
       "except is not within cidr"},
      {kubernetes("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}"),
       "ipBlock stands alone"},
      {kubernetes("{podSelector: {}, ingress: [{ports: [{port: 9, endPort: 8}]}]}"), "endPort needs"},
      {kubernetes("{podSelector: {}, ingress: [{ports: [{port: 65536}]}]}"), "a port is from 1 to 65535"},
      {kubernetes("{podSelector: {}, policyTypes: [Ingres]}"), "not 'Ingres'"},
      {kubernetes("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"), "leaves out a direction"},
      {kubernetes("{podSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}"), "not 'Gt'"},
      {kubernetes("{policyTypes: [Ingress]}"), "podSelector is missing"},
      {"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n",
       "metadata needs a namespace"},
      {"apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {podSelector: "
       "{}}",
       "not 'extensions/v1beta1'"},
      {"apiVersion: v1\nkind: Service\n", "a Service is not supported"},
      {"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n", "a CiliumNetworkPolicy is not supported"},
      {"apiVersion: v1\nkind: List\nitems: [{kind: Pod}]\n", "something else than NetworkPolicy"},
      {"rules: [{from: {port: 80}}]", "port is that of the end that accepts"},
      {"rules: [{to: {ports: 80}}]", "unknown key 'ports': did you mean 'port'?"},
      {"rules: [{to: {port: 80-70}}]", "'80-70' is not a range"},
      {"rules: [{to: {address: example.com}}]", "'example.com' is not an address"},
      {"rules: [{to: {except: 10.0.0.0/8}}]", "except needs an address"},
      {"rules: [{name: x}]", "a rule needs from, to or both"},
      {"rules: [{to: {}}]", "an end says nothing"},
      {"rules: []\ndefault: reject\n", "not 'reject'"},
      {"allow_list: x\n", "rules is missing"},
      {"conditions: []\n", "unknown key 'conditions'"},
      {"", "one YAML document is expected"},
      {"- a\n", "is expected here"},
      {"kind: [a]\n", "a kind is expected here"},
  };
  for (const auto& [yaml, part] : cases)
    EXPECT_NE(error_of(yaml).find(part), std::string::npos) << yaml << error_of(yaml);
}

TEST(NetworkPolicyFile, HostileYaml) {
  // Aliases of aliases: 9^9 values in a few lines.
  std::string bomb = "rules: []\na0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string name = "a" + std::to_string(i), before = "*a" + std::to_string(i - 1);
    bomb += name + ": &" + name + " [";
    for (int n = 0; n < 9; ++n) bomb += (n > 0 ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_NE(error_of(bomb).find("more than 100,000 values"), std::string::npos) << error_of(bomb);
  EXPECT_NE(error_of(std::string(100'000, '[')).find("nested more than 64 deep"), std::string::npos);
  EXPECT_NE(error_of(std::string((1 << 20) + 1, ' ')).find("larger than 1 MiB"), std::string::npos);
  EXPECT_NE(error_of("rules: &a [*a]").find("alias"), std::string::npos);
  // An alias of one document is none of the next.
  EXPECT_NE(error_of("allow_list: &a x\nrules: []\n---\nallow_list: *a\nrules: []\n"), "none");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "---\nrules: []\n";
  EXPECT_NE(error_of(many).find("more than 1000 documents"), std::string::npos) << error_of(many);
  EXPECT_NE(error_of("rules: \"\x01\""), "none");
  EXPECT_NE(error_of("\xff\xfe"), "none");
}

TEST(PodList, IsRead) {
  const auto pods = pods_of(R"(
complete: true
pods:
  - {name: a, namespace: shop, address: [10.0.0.1, '2001:db8::1'], labels: {app: shop, empty: ""}}
  - {name: b, namespace: shop}
namespaces:
  - {name: shop, labels: {team: web}}
)");
  EXPECT_TRUE(pods.complete);
  EXPECT_EQ(pods.find("shop", "b"), 1u);
  EXPECT_EQ(pods.find(*model::audit::parse_ip("2001:db8::1")), 0u);
  EXPECT_EQ(pods.namespaces.at("shop").at("kubernetes.io/metadata.name"), "shop");
}

TEST(PodList, WhatIsWrongIsNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"pods: [{name: a}]", "a pod needs a name and a namespace"},
      {"pods: [{name: a, namespace: b, address: x}]", "'x' is not an address"},
      {"pods: [{name: a, namespace: b}, {name: a, namespace: b}]", "the pod b/a is given twice"},
      {"pods: [{name: a, namespace: b, address: 10.0.0.1}, {name: c, namespace: b, address: 10.0.0.1}]",
       "10.0.0.1 is the address of another pod"},
      {"complete: yes", "not 'yes'"},
      {"pods: {}", "pods is a list"},
  };
  for (const auto& [yaml, part] : cases)
    EXPECT_NE(pods_error_of(yaml).find(part), std::string::npos) << yaml << pods_error_of(yaml);
}

}  // namespace
}  // namespace tailcap::query
