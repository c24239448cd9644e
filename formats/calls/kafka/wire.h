// What Kafka's messages consist of: the pieces of headers and bodies by API and version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

namespace tailcap::formats::calls::kafka {

inline constexpr std::uint32_t kMostBytes = 100u << 20;  // of a message: socket.request.max.bytes
inline constexpr std::uint32_t kLeastHeader = 8;         // API, version, correlation id
inline constexpr std::size_t kMostSteps = 4096;          // of a walk; what is behind them is hidden
inline constexpr std::uint8_t kLatest = 255;             // version

enum class Kind : std::uint8_t {
  kept,         // `size` bytes
  hidden,       // `size` bytes
  text,         // a length of two bytes, or compact, and a value
  key,          // as text, and a key
  client,       // as text, never compact
  bytes,        // a length of four bytes, or compact, and a value
  array,        // a count of four bytes, or compact; the pieces of an element, up to the `end` that belongs to it
  end,          // no bytes: closes an array
  numbers,      // an array of values of `size` bytes
  tags,         // tagged fields, in flexible versions only
  error,        // two bytes: a code
  acks,         // two bytes: 0 wants no response
  wait,         // four bytes: how long the broker may wait
  least,        // four bytes: it answers at once if 0
  api,          // two bytes
  version,      // two bytes
  correlation,  // four bytes
};

struct Piece {
  Kind kind;
  std::uint8_t size = 0;
  std::uint8_t from = 0, to = kLatest;  // versions; those of an array are also those of its pieces
};
using Plan = std::span<const Piece>;

constexpr Piece kept(std::uint8_t size, std::uint8_t from = 0, std::uint8_t to = kLatest) {
  return {Kind::kept, size, from, to};
}
constexpr Piece hidden(std::uint8_t size, std::uint8_t from = 0, std::uint8_t to = kLatest) {
  return {Kind::hidden, size, from, to};
}
constexpr Piece numbers(std::uint8_t size, std::uint8_t from = 0, std::uint8_t to = kLatest) {
  return {Kind::numbers, size, from, to};
}
constexpr Piece text(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::text, 0, from, to}; }
constexpr Piece key(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::key, 0, from, to}; }
constexpr Piece array(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::array, 0, from, to}; }
constexpr Piece end(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::end, 0, from, to}; }
constexpr Piece tags(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::tags, 0, from, to}; }
constexpr Piece error(std::uint8_t from = 0, std::uint8_t to = kLatest) { return {Kind::error, 0, from, to}; }
inline constexpr Piece kBytes{Kind::bytes}, kAcks{Kind::acks}, kWait{Kind::wait}, kLeast{Kind::least};

inline constexpr Piece kRequestHeader[] = {
    {Kind::api}, {Kind::version}, {Kind::correlation}, {Kind::client}, {Kind::tags}};
inline constexpr Piece kOldestHeader[] = {{Kind::api}, {Kind::version}, {Kind::correlation}};  // ControlledShutdown 0
inline constexpr Piece kResponseHeader[] = {{Kind::correlation}, {Kind::tags}};

// Requests, as far as to the first key.
inline constexpr Piece kKey[] = {key()};
inline constexpr Piece kSoftware[] = {text(3), text(3), tags(3)};
inline constexpr Piece kMechanism[] = {text()};
inline constexpr Piece kKeys[] = {array(), key()};
inline constexpr Piece kProduce[] = {text(3), kAcks, kept(4), array(), key(0, 12)};
inline constexpr Piece kFetch[] = {kept(4, 0, 14), kWait,        kLeast,  kept(4, 3),
                                   kept(1, 4),     hidden(8, 7), array(), key(0, 12)};
inline constexpr Piece kListOffsets[] = {kept(4), kept(1, 2), array(), key()};
inline constexpr Piece kMetadata[] = {array(), kept(16, 10), key()};
inline constexpr Piece kOffsetCommit[] = {text(), hidden(4, 1), text(1), text(7), kept(8, 2, 4), array(), key()};
inline constexpr Piece kOffsetFetch[] = {array(8), text(), text(9), hidden(4, 9), array(), key()};
inline constexpr Piece kFindCoordinator[] = {key(0, 3), kept(1, 1), array(4), key(4)};
inline constexpr Piece kOffsetForLeaderEpoch[] = {kept(4, 3), array(), key()};
inline constexpr Piece kAddPartitionsToTxn[] = {array(4), text(), hidden(10), kept(1, 4), array(), key()};
inline constexpr Piece kAddOffsetsToTxn[] = {text(), hidden(10), key()};
inline constexpr Piece kTxnOffsetCommit[] = {text(),  text(),  hidden(10), hidden(4, 3),
                                             text(3), text(3), array(),    key()};
inline constexpr Piece kOffsetDelete[] = {text(), array(), key()};

// Responses, as far as to the last error code, or to the first one (kApis says which).
inline constexpr Piece kError[] = {error()};
inline constexpr Piece kThrottled[] = {kept(4), error()};
inline constexpr Piece kThrottledLater[] = {kept(4, 1), error()};  // since version 1
inline constexpr Piece kThrottledSync[] = {kept(4, 2), error()};   // since version 2
inline constexpr Piece kFirst[] = {kept(4), array(), error()};
inline constexpr Piece kPartitions[] = {kept(4), array(), text(), array(), hidden(4),
                                        error(), tags(),  end(),  tags(),  end()};
inline constexpr Piece kProduced[] = {array(),      text(),       array(),  hidden(4),    error(), hidden(8),
                                      hidden(8, 2), hidden(8, 5), array(8), hidden(4, 8), text(8), tags(8),
                                      end(8),       text(8),      tags(),   end(),        tags(),  end()};
inline constexpr Piece kFetched[] = {kept(4, 1), error(7),      hidden(4, 7), array(),   text(0, 12),   kept(16, 13),
                                     array(),    hidden(4),     error(),      hidden(8), hidden(8, 4),  hidden(8, 5),
                                     array(4),   hidden(16, 4), tags(4),      end(4),    hidden(4, 11), kBytes,
                                     tags(),     end(),         tags(),       end()};
inline constexpr Piece kListedOffsets[] = {kept(4, 2), array(),          text(),        array(),      hidden(4),
                                           error(),    numbers(8, 0, 0), hidden(16, 1), hidden(4, 4), tags(),
                                           end(),      tags(),           end()};
inline constexpr Piece kMetadataIs[] = {
    kept(4, 3),   array(),    hidden(4),     text(), hidden(4),    text(1),      tags(),  end(),      text(2),
    hidden(4, 1), array(),    error(),       text(), kept(16, 10), kept(1, 1),   array(), hidden(10), hidden(4, 7),
    numbers(4),   numbers(4), numbers(4, 5), tags(), end(),        hidden(4, 8), tags(),  end()};
inline constexpr Piece kCommitted[] = {kept(4, 3), array(), text(), array(), hidden(4),
                                       error(),    tags(),  end(),  tags(),  end()};
inline constexpr Piece kFetchedOffsets[] = {kept(4, 3), array(8),     text(8),  array(), text(), array(),
                                            hidden(12), hidden(4, 5), text(),   error(), tags(), end(),
                                            tags(),     end(),        error(2), tags(8), end(8)};
inline constexpr Piece kFoundCoordinator[] = {kept(4, 1),   error(0, 3), array(4), text(4), hidden(4, 4), text(4),
                                              hidden(4, 4), error(4),    text(4),  tags(4), end(4)};
inline constexpr Piece kLeft[] = {kept(4, 1), error(), array(3), text(3), text(3), error(3), tags(3), end(3)};
inline constexpr Piece kDescribedGroups[] = {kept(4, 1), array(), error(),      text(), text(), text(), text(),
                                             array(),    text(),  text(4),      text(), text(), kBytes, kBytes,
                                             tags(),     end(),   hidden(4, 3), tags(), end()};
inline constexpr Piece kCreatedTopics[] = {kept(4, 2),   array(),      text(),   kept(16, 7), error(),
                                           text(1),      hidden(6, 5), array(5), text(5),     text(5),
                                           hidden(3, 5), tags(5),      end(5),   tags(),      end()};
inline constexpr Piece kDeletedTopics[] = {kept(4, 1), array(), text(), kept(16, 6), error(), text(5), tags(), end()};
inline constexpr Piece kDeletedRecords[] = {kept(4), array(), text(), array(), hidden(12),
                                            error(), tags(),  end(),  tags(),  end()};
inline constexpr Piece kLeaderEpochs[] = {kept(4, 2),   array(),   text(), array(), error(), hidden(4),
                                          hidden(4, 1), hidden(8), tags(), end(),   tags(),  end()};
inline constexpr Piece kAddedPartitions[] = {kept(4), error(4), array(4), text(4), array(), text(),  array(), hidden(4),
                                             error(), tags(),   end(),    tags(),  end(),   tags(4), end(4)};
inline constexpr Piece kNamed[] = {kept(4), array(), text(), error(), text(), tags(), end()};
inline constexpr Piece kDeletedGroups[] = {kept(4), array(), text(), error(), tags(), end()};
inline constexpr Piece kDeletedOffsets[] = {error(),   kept(4), array(), text(), array(),
                                            hidden(4), error(), end(),   end()};
inline constexpr Piece kMarkers[] = {array(), hidden(8), array(), text(), array(), hidden(4), error(),
                                     tags(),  end(),     tags(),  end(),  tags(),  end()};
inline constexpr Piece kLogDirs[] = {kept(4), error(3), array(0, 2), error(0, 2)};
inline constexpr Piece kElected[] = {kept(4), error(1)};
inline constexpr Piece kEnveloped[] = {kBytes, error()};
inline constexpr Piece kDescribedProducers[] = {kept(4), array(), text(), array(), hidden(4), error()};
inline constexpr Piece kShareStates[] = {array(), kept(16), array(), hidden(4), error()};

inline constexpr std::uint8_t kNever = 255;

struct Api {
  std::string_view name;
  std::uint8_t newest;             // version whose layout is known
  std::uint8_t flexible = kNever;  // since this version
  Plan request = {}, response = {};
  bool waits = false;
};

inline constexpr std::uint8_t kProduceApi = 0, kControlledShutdown = 7, kSaslHandshake = 17, kApiVersions = 18;

// By their numbers.
inline constexpr Api kApis[] = {
    {"PRODUCE", 11, 9, kProduce, kProduced},
    {"FETCH", 17, 12, kFetch, kFetched},
    {"LIST OFFSETS", 9, 6, kListOffsets, kListedOffsets},
    {"METADATA", 12, 9, kMetadata, kMetadataIs},
    {"LEADER AND ISR", 7, 4, {}, kError},
    {"STOP REPLICA", 4, 2, {}, kError},
    {"UPDATE METADATA", 8, 6, {}, kError},
    {"CONTROLLED SHUTDOWN", 3, 3, {}, kError},
    {"OFFSET COMMIT", 9, 8, kOffsetCommit, kCommitted},
    {"OFFSET FETCH", 9, 6, kOffsetFetch, kFetchedOffsets},
    {"FIND COORDINATOR", 6, 3, kFindCoordinator, kFoundCoordinator},
    {"JOIN GROUP", 9, 6, kKey, kThrottledSync, true},
    {"HEARTBEAT", 4, 4, kKey, kThrottledLater},
    {"LEAVE GROUP", 5, 4, kKey, kLeft},
    {"SYNC GROUP", 5, 4, kKey, kThrottledLater, true},
    {"DESCRIBE GROUPS", 5, 5, kKeys, kDescribedGroups},
    {"LIST GROUPS", 5, 3, {}, kThrottledLater},
    {"SASL HANDSHAKE", 1, kNever, kMechanism, kError},
    {"API VERSIONS", 4, 3, kSoftware, kError},
    {"CREATE TOPICS", 7, 5, kKeys, kCreatedTopics},
    {"DELETE TOPICS", 6, 4, kKeys, kDeletedTopics},
    {"DELETE RECORDS", 2, 2, kKeys, kDeletedRecords},
    {"INIT PRODUCER ID", 5, 2, {}, kThrottled},
    {"OFFSET FOR LEADER EPOCH", 4, 4, kOffsetForLeaderEpoch, kLeaderEpochs},
    {"ADD PARTITIONS TO TXN", 5, 3, kAddPartitionsToTxn, kAddedPartitions},
    {"ADD OFFSETS TO TXN", 4, 3, kAddOffsetsToTxn, kThrottled},
    {"END TXN", 4, 3, {}, kThrottled},
    {"WRITE TXN MARKERS", 1, 1, {}, kMarkers},
    {"TXN OFFSET COMMIT", 4, 3, kTxnOffsetCommit, kPartitions},
    {"DESCRIBE ACLS", 3, 2, {}, kThrottled},
    {"CREATE ACLS", 3, 2, {}, kFirst},
    {"DELETE ACLS", 3, 2, {}, kFirst},
    {"DESCRIBE CONFIGS", 4, 4, {}, kFirst},
    {"ALTER CONFIGS", 2, 2, {}, kFirst},
    {"ALTER REPLICA LOG DIRS", 2, 2, {}, kPartitions},
    {"DESCRIBE LOG DIRS", 4, 2, {}, kLogDirs},
    {"SASL AUTHENTICATE", 2, 2, {}, kError},
    {"CREATE PARTITIONS", 3, 2, kKeys, kNamed},
    {"CREATE DELEGATION TOKEN", 3, 2, {}, kError},
    {"RENEW DELEGATION TOKEN", 2, 2, {}, kError},
    {"EXPIRE DELEGATION TOKEN", 2, 2, {}, kError},
    {"DESCRIBE DELEGATION TOKEN", 3, 2, {}, kError},
    {"DELETE GROUPS", 2, 2, kKeys, kDeletedGroups},
    {"ELECT LEADERS", 2, 2, {}, kElected},
    {"INCREMENTAL ALTER CONFIGS", 1, 1, {}, kFirst},
    {"ALTER PARTITION REASSIGNMENTS", 0, 0, {}, kThrottled},
    {"LIST PARTITION REASSIGNMENTS", 0, 0, {}, kThrottled},
    {"OFFSET DELETE", 0, kNever, kOffsetDelete, kDeletedOffsets},
    {"DESCRIBE CLIENT QUOTAS", 1, 1, {}, kThrottled},
    {"ALTER CLIENT QUOTAS", 1, 1, {}, kFirst},
    {"DESCRIBE USER SCRAM CREDENTIALS", 0, 0, {}, kThrottled},
    {"ALTER USER SCRAM CREDENTIALS", 0, 0, {}, kNamed},
    {"VOTE", 1, 0, {}, kError},
    {"BEGIN QUORUM EPOCH", 1, 1, {}, kError},
    {"END QUORUM EPOCH", 1, 1, {}, kError},
    {"DESCRIBE QUORUM", 2, 0, {}, kError},
    {"ALTER PARTITION", 3, 0, {}, kThrottled},
    {"UPDATE FEATURES", 1, 0, {}, kThrottled},
    {"ENVELOPE", 0, 0, {}, kEnveloped},
    {"FETCH SNAPSHOT", 1, 0, {}, kThrottled},
    {"DESCRIBE CLUSTER", 1, 0, {}, kThrottled},
    {"DESCRIBE PRODUCERS", 0, 0, kKeys, kDescribedProducers},
    {"BROKER REGISTRATION", 4, 0, {}, kThrottled},
    {"BROKER HEARTBEAT", 1, 0, {}, kThrottled},
    {"UNREGISTER BROKER", 0, 0, {}, kThrottled},
    {"DESCRIBE TRANSACTIONS", 0, 0, {}, kFirst},
    {"LIST TRANSACTIONS", 1, 0, {}, kThrottled},
    {"ALLOCATE PRODUCER IDS", 0, 0, {}, kThrottled},
    {"CONSUMER GROUP HEARTBEAT", 0, 0, kKey, kThrottled},
    {"CONSUMER GROUP DESCRIBE", 0, 0, kKeys, kFirst},
    {"CONTROLLER REGISTRATION", 0, 0, {}, kThrottled},
    {"GET TELEMETRY SUBSCRIPTIONS", 0, 0, {}, kThrottled},
    {"PUSH TELEMETRY", 0, 0, {}, kThrottled},
    {"ASSIGN REPLICAS TO DIRS", 0, 0, {}, kThrottled},
    {"LIST CLIENT METRICS RESOURCES", 0, 0, {}, kThrottled},
    {"DESCRIBE TOPIC PARTITIONS", 0, 0, kKeys, kFirst},
    {"SHARE GROUP HEARTBEAT", 0, 0, kKey, kThrottled},
    {"SHARE GROUP DESCRIBE", 0, 0, kKeys, kFirst},
    {"SHARE FETCH", 0, 0, {}, kThrottled},
    {"SHARE ACKNOWLEDGE", 0, 0, {}, kThrottled},
    {"ADD RAFT VOTER", 0, 0, {}, kThrottled},
    {"REMOVE RAFT VOTER", 0, 0, {}, kThrottled},
    {"UPDATE RAFT VOTER", 0, 0, {}, kThrottled},
    {"INITIALIZE SHARE GROUP STATE", 0, 0, {}, kShareStates},
    {"READ SHARE GROUP STATE", 0, 0, {}, kShareStates},
    {"WRITE SHARE GROUP STATE", 0, 0, {}, kShareStates},
    {"DELETE SHARE GROUP STATE", 0, 0, {}, kShareStates},
    {"READ SHARE GROUP STATE SUMMARY", 0, 0, {}, kShareStates},
};

// Null: no such API, or a version that is far from what is known.
constexpr const Api* api_of(std::uint32_t number, std::uint32_t version) {
  constexpr std::uint32_t kNewer = 8;
  if (number >= std::size(kApis) || version > kApis[number].newest + kNewer) return nullptr;
  return &kApis[number];
}

}  // namespace tailcap::formats::calls::kafka
