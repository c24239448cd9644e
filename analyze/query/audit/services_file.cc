#include "analyze/query/audit/services_file.h"

#include <vector>

#include "analyze/model/audit/address.h"
#include "analyze/query/audit/parts.h"
#include "analyze/query/yaml.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

constexpr std::size_t kMostDocuments = 1000, kMostAddresses = 100, kMostServicePorts = 1000;

const Yaml* inner(const Yaml* map, std::string_view key) {
  return map && map->kind == Yaml::Kind::map ? entry_of(*map, key) : nullptr;
}

std::string text_at(const Yaml* map, std::string_view key) {
  const Yaml* value = inner(map, key);
  return value && value->kind == Yaml::Kind::scalar ? value->text : std::string();
}

const std::vector<Yaml>& items_at(const Yaml* map, std::string_view key, std::size_t most) {
  static const std::vector<Yaml> kNone;
  const Yaml* value = inner(map, key);
  if (!value || value->kind == Yaml::Kind::nothing) return kNone;
  return list(*value, std::string(key), most);
}

// Headless Services have "None".
std::vector<model::IpAddress> addresses_of(const Yaml* spec, const Yaml* status) {
  std::vector<model::IpAddress> out;
  const auto add = [&](const std::string& text) {
    if (const auto address = model::audit::parse_ip(text)) out.push_back(*address);
  };
  add(text_at(spec, "clusterIP"));
  add(text_at(spec, "loadBalancerIP"));
  for (const char* key : {"clusterIPs", "externalIPs"})
    for (const Yaml& one : items_at(spec, key, kMostAddresses)) add(one.text);
  for (const Yaml& one : items_at(inner(status, "loadBalancer"), "ingress", kMostAddresses)) add(text_at(&one, "ip"));
  return out;
}

void add_service(const Yaml& document, model::ServiceNames& out) {
  const Yaml* metadata = inner(&document, "metadata");
  const std::string name = text_at(metadata, "name"), name_space = text_at(metadata, "namespace");
  if (name.empty()) fail(document, "a Service needs a name in its metadata");
  const Yaml* spec = inner(&document, "spec");
  const auto addresses = addresses_of(spec, inner(&document, "status"));
  for (const Yaml& entry : items_at(spec, "ports", kMostServicePorts)) {
    const std::string protocol = text_at(&entry, "protocol");
    if (!protocol.empty() && protocol != "TCP") continue;
    const Yaml* port = inner(&entry, "port");
    if (!port) fail(entry, "an entry of a Service's ports needs a port");
    for (const model::IpAddress& address : addresses) {
      if (out.size() >= kMostServiceEndpoints) fail(document, "more than 100,000 addresses of Services");
      out.add(model::audit::ip_text(address, network::port_of(*port)),
              (name_space.empty() ? "default" : name_space) + "/" + name);
    }
  }
}

void add_document(const Yaml& document, model::ServiceNames& out) {
  const std::string kind = text_at(&document, "kind");
  if (kind == "Service") return add_service(document, out);
  if (kind != "List" && kind != "ServiceList")
    fail(document,
         "a Service or a List of them is expected here" + (kind.empty() ? "" : ", not a " + formats::printable(kind)));
  for (const Yaml& item : items_at(&document, "items", kMostServices))
    // `kubectl get services,pods` lists others, too.
    if (text_at(&item, "kind") == "Service" || kind == "ServiceList") add_service(item, out);
}

}  // namespace

model::ServiceNames services_of(std::string_view yaml) {
  model::ServiceNames out;
  for (const Yaml& document : yaml_documents_of(yaml, "a Service or a List of Services", kMostDocuments))
    add_document(document, out);
  return out;
}

}  // namespace tailcap::query
