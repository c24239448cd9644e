#include "ground/well_known_ports.h"

#include <algorithm>
#include <iterator>

namespace tailcap::ground {
namespace {

struct Entry {
  std::uint16_t port;
  std::string_view service;
};

// Ascending. Registered with IANA, or the default of the server itself; none that several well-known servers share.
constexpr Entry kPorts[] = {
    {22, "SSH"},
    {25, "SMTP"},
    {53, "DNS"},
    {110, "POP3"},
    {143, "IMAP"},
    {389, "LDAP"},
    {587, "SMTP"},
    {636, "LDAPS"},
    {993, "IMAPS"},
    {1433, "SQL Server"},
    {1521, "Oracle"},
    {1883, "MQTT"},
    {2049, "NFS"},
    {2181, "ZooKeeper"},
    {2379, "etcd"},
    {3306, "MySQL"},
    {4222, "NATS"},
    {5432, "PostgreSQL"},
    {5671, "AMQP"},
    {5672, "AMQP"},
    {6379, "Redis"},
    {6432, "PgBouncer"},
    {8883, "MQTT"},
    {9042, "Cassandra"},
    {9092, "Kafka"},
    {11211, "memcached"},
    {26257, "CockroachDB"},
    {26379, "Redis Sentinel"},
    {27017, "MongoDB"},
    {33060, "MySQL"},
};

}  // namespace

std::string_view service_of_port(std::uint16_t port) {
  const auto* const at = std::lower_bound(std::begin(kPorts), std::end(kPorts), port,
                                          [](const Entry& e, std::uint16_t p) { return e.port < p; });
  return at != std::end(kPorts) && at->port == port ? at->service : std::string_view{};
}

}  // namespace tailcap::ground
