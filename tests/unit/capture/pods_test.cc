#include "capture/host/pods.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace tailcap::capture {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'a'), kOther(64, 'b');

class PodNames : public testing::Test {
 protected:
  PodNames() : root_(fs::temp_directory_path() / ("pods-" + std::to_string(getpid()))) { fs::remove_all(root_); }
  ~PodNames() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ + path).substr(0, (root_ + path).rfind('/')));
    std::ofstream(root_ + path) << text;
  }
  Pods pods() { return Pods(root_); }
  static std::string containerd(const std::string& id) {
    return "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + id + "/config.json";
  }

  const std::string root_;
};

TEST_F(PodNames, OfContainerd) {
  put(containerd(kId),
      R"({"ociVersion":"1.1.0","process":{"env":["SECRET=x"]},"annotations":{"io.kubernetes.cri.container-name":"cart",
          "io.kubernetes.cri.sandbox-name":"cart-7d4b9-x2x","io.kubernetes.cri.sandbox-namespace":"shop"}})");
  Pods all = pods();
  EXPECT_EQ(all.met("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope"),
            kId + " shop/cart-7d4b9-x2x/cart");
  EXPECT_EQ(all.met("/kubepods/" + kId), "") << "it was met before";
}

TEST_F(PodNames, OfCriO) {
  put("/run/containers/storage/overlay-containers/" + kId + "/userdata/config.json",
      R"({"annotations":{"io.kubernetes.cri-o.Labels":"{\"io.kubernetes.container.name\":\"web\",\"io.kubernetes.pod.name\":\"web-0\",\"io.kubernetes.pod.namespace\":\"default\"}"}})");
  EXPECT_EQ(pods().met("/kubepods.slice/crio-" + kId + ".scope/container"), kId + " default/web-0/web");
}

TEST_F(PodNames, OfDocker) {
  put("/var/lib/docker/containers/" + kId + "/config.v2.json",
      R"({"Name":"/k8s_db","Config":{"Labels":{"io.kubernetes.pod.name":"db-0","io.kubernetes.pod.namespace":"data"}}})");
  EXPECT_EQ(pods().met("/docker/" + kId), kId + " data/db-0/") << "the container's name is not known";
}

TEST_F(PodNames, WhatIsNoneIsNone) {
  Pods all = pods();
  EXPECT_EQ(all.met("/system.slice/nginx.service"), "");
  EXPECT_EQ(all.met(""), "");
  EXPECT_EQ(all.met("/docker/" + kId), "") << "no runtime knows it";
  const std::string texts[] = {"",
                               "{",
                               "[]",
                               "null",
                               R"({"annotations":[]})",
                               R"({"annotations":{"io.kubernetes.cri-o.Labels":"{"}})",
                               R"({"annotations":{"io.kubernetes.pod.name":7,"io.kubernetes.pod.namespace":"a"}})",
                               R"({"annotations":{"io.kubernetes.pod.name":"a b","io.kubernetes.pod.namespace":"a"}})",
                               R"({"annotations":{"io.kubernetes.pod.name":"../a","io.kubernetes.pod.namespace":"a"}})",
                               R"({"annotations":{"io.kubernetes.pod.name":")" + std::string(254, 'a') +
                                   R"(","io.kubernetes.pod.namespace":"a"}})",
                               std::string(1 << 18, '[')};
  for (const std::string& text : texts) {
    put(containerd(kOther), text);
    EXPECT_EQ(pods().met("/docker/" + kOther), "") << text.substr(0, 80);
  }
}

}  // namespace
}  // namespace tailcap::capture
