// Paths as the drivers and runtimes of Kubernetes, Docker and Podman make them.
#include "analyze/model/machine/container.h"

#include <gtest/gtest.h>

namespace tailcap::model {
namespace {

const std::string kId = "5d1f0c3a9e7b42d68c10ab34ef56789012345678deadbeef0123456789abcdef";
const std::string kOther(64, '7');
const std::string kUid = "0d3f3ab5-4d6c-4c12-8b8b-0f3a52a5e7a1", kUidOfSystemd = "0d3f3ab5_4d6c_4c12_8b8b_0f3a52a5e7a1";
const std::string kStatic = "8f3f7c2a1b4e5d6c7f8091a2b3c4d5e6";  // of a manifest in a folder

void expect(const std::string& path, const std::string& id, const std::string& runtime, const std::string& pod) {
  const ground::ContainerPath c = ground::container_of(path);
  EXPECT_EQ(c.id, id) << path;
  EXPECT_EQ(c.runtime, runtime) << path;
  EXPECT_EQ(c.pod_uid, pod) << path;
}

TEST(Container, KubernetesWithTheDriverOfSystemd) {
  const std::string slice =
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kUidOfSystemd + ".slice/";
  expect(slice + "cri-containerd-" + kId + ".scope", kId, "containerd", kUid);
  expect(slice + "crio-" + kId + ".scope", kId, "cri-o", kUid);
  expect(slice + "crio-" + kId + ".scope/container", kId, "cri-o", kUid);
  expect(slice + "docker-" + kId + ".scope", kId, "docker", kUid);
  expect("/kubepods.slice/kubepods-pod" + kUidOfSystemd + ".slice/cri-containerd-" + kId + ".scope", kId, "containerd",
         kUid);
  expect("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kStatic + ".slice/crio-" + kId + ".scope",
         kId, "cri-o", kStatic);
  // The pod's own group, and the monitor of a container.
  expect(slice, "", "", kUid);
  expect(slice + "crio-conmon-" + kId + ".scope", "", "", kUid);
}

TEST(Container, KubernetesWithTheDriverOfCgroupfs) {
  expect("/kubepods/burstable/pod" + kUid + "/" + kId, kId, "", kUid);
  expect("/kubepods/pod" + kUid + "/" + kId, kId, "", kUid);
  expect("/kubepods/besteffort/pod" + kStatic + "/" + kId, kId, "", kStatic);
  expect("/kubepods/burstable/pod" + kUid + "/crio-" + kId, kId, "cri-o", kUid);
  // containerd that was left to cgroupfs while the kubelet uses systemd.
  expect("/system.slice/containerd.service/kubepods-burstable-pod" + kUidOfSystemd + ".slice:cri-containerd:" + kId,
         kId, "containerd", kUid);
}

TEST(Container, AClusterInAContainer) {
  expect("/docker/" + kOther + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kUidOfSystemd +
             ".slice/cri-containerd-" + kId + ".scope",
         kId, "containerd", kUid);
  expect("/docker/" + kOther + "/kubelet/kubepods/burstable/pod" + kUid + "/" + kId, kId, "", kUid);
  expect("/system.slice/docker-" + kOther + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" +
             kUidOfSystemd + ".slice",
         "", "", kUid);
}

TEST(Container, WithoutKubernetes) {
  expect("/system.slice/docker-" + kId + ".scope", kId, "docker", "");
  expect("/docker/" + kId, kId, "docker", "");
  expect("/docker/" + kId + "/system.slice/nginx.service", kId, "docker", "");
  expect("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope/container", kId, "podman",
         "");
  expect("/machine.slice/libpod-conmon-" + kId + ".scope", "", "", "");
  expect("/system.slice/nerdctl-" + kId + ".scope", kId, "containerd", "");
}

TEST(Container, NothingIsGuessed) {
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/system.slice/nginx.service"), "/x" + kId, "/backup-" + kId,
        "/docker-" + kId.substr(1) + ".scope", "/podium" + kUid, "/tripod" + kUid, "/pod" + kUid.substr(1),
        std::string("/pod0d3f3ab5-4d6c-4c12-8b8b-0f3a52a5e7aX"), std::string("/pod") + std::string(36, '-')})
    expect(path, "", "", "");
}

}  // namespace
}  // namespace tailcap::model
