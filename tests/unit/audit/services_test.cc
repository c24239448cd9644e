// Services of Kubernetes as kubectl prints them.
#include <gtest/gtest.h>

#include "analyze/query/audit/services_file.h"
#include "analyze/query/yaml.h"

namespace tailcap::query {
namespace {

constexpr const char* kList = R"(apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: v1
  kind: Service
  metadata: {name: stock, namespace: shop, labels: {app: stock}}
  spec:
    clusterIP: 10.96.0.5
    clusterIPs: [10.96.0.5, "fd00::5"]
    ports:
    - {name: http, port: 80, protocol: TCP, targetPort: 8080}
    - {name: dns, port: 53, protocol: UDP}
    type: LoadBalancer
  status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}
- apiVersion: v1
  kind: Service
  metadata: {name: db, namespace: shop}
  spec: {clusterIP: None, clusterIPs: [None], ports: [{port: 5432}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: stock-1, namespace: shop}
)";

TEST(Services, HaveTheirNamesAtAllTheirAddresses) {
  const auto names = services_of(kList);
  for (const char* at : {"10.96.0.5:80", "[fd00::5]:80", "192.0.2.7:80"}) EXPECT_EQ(names.at(at), "shop/stock") << at;
  for (const char* at : {"10.96.0.5:53", "10.96.0.5:8080", "10.96.0.6:80"}) EXPECT_EQ(names.at(at), "") << at;
  EXPECT_EQ(names.size(), 3U) << "a Service without an address, and a pod, have none";
}

TEST(Services, AreReadFromJsonAndFromTheApi) {
  EXPECT_EQ(services_of(R"({"kind": "ServiceList", "items": [{"metadata": {"name": "a", "namespace": "b"},
                            "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 8080}]}}]})")
                .at("10.0.0.1:8080"),
            "b/a");
}

TEST(Services, WhatIsWrongIsSaidWithItsPlace) {
  const auto error = [](const char* yaml) -> std::string {
    try {
      (void)services_of(yaml);
    } catch (const YamlError& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(error("kind: Pod\n"), "1:1: a Service or a List of them is expected here, not a Pod");
  EXPECT_EQ(error("kind: Service\nspec: {clusterIP: 10.0.0.1}\n"), "1:1: a Service needs a name in its metadata");
  EXPECT_EQ(error("kind: Service\nmetadata: {name: a}\nspec: {clusterIP: 10.0.0.1, ports: [{port: x}]}\n"),
            "3:44: named ports like 'x' are not supported: give the number");
}

}  // namespace
}  // namespace tailcap::query
