// What begins a connection and what proves an I/O of it; the codes of errors and whose fault they are.
#include <algorithm>
#include <iterator>

#include "formats/calls/kafka/kafka.h"
#include "formats/calls/kafka/walk.h"
#include "formats/calls/kafka/wire.h"

namespace tailcap::formats::calls::kafka {

namespace {

constexpr std::size_t kSizeBytes = 4, kHeaderBytes = 14;  // with the length of the client id
constexpr std::uint32_t kLongestClient = 255, kNoClient = 0xffff;
constexpr std::uint32_t kNewerVersions = 2;  // than those whose layouts are known
constexpr std::uint64_t kLeastCut = 1024;    // an I/O that holds less than a message has at least this length

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < size; ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
  return n;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The body is laid out as its version says, as far as it is visible. `left`: all of its bytes.
bool is_laid_out(const Api& api, std::uint8_t version, std::string_view body, std::uint64_t left) {
  Walk walk;
  walk.begin(api.request, version, version >= api.flexible && api.flexible != kNever);
  const auto number = static_cast<std::uint8_t>(&api - kApis);
  bool has_key = false;
  while (!walk.finished()) {
    // Other things look like Produce as far as to its topic.
    if (left == 0 || body.empty()) return left > 0 && (number != kProduceApi || has_key);
    const Run run = walk.look(body.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body.size(), left))));
    const std::string_view bytes = body.substr(0, run.size);
    if (run.part == Part::name && !is_printable(bytes)) return false;
    has_key = has_key || run.part == Part::name;
    left -= run.size;
    const Kind kind = walk.take(bytes, left);
    if (kind == Kind::acks && walk.told() > 1 && walk.told() != 0xffff) return false;
    body.remove_prefix(run.size);
  }
  if (walk.broken()) return false;
  if (number == kProduceApi) return has_key;
  return (number != kApiVersions && number != kSaslHandshake) || left == 0;
}

// A request begins with these bytes; at least its header is visible.
bool is_request(std::string_view bytes, std::uint64_t& size) {
  if (bytes.size() < kHeaderBytes) return false;
  size = big_endian(bytes, 0, 4);
  const std::uint32_t number = big_endian(bytes, 4, 2), version = big_endian(bytes, 6, 2);
  const Api* const api = api_of(number, version);
  if (!api || version > api->newest + kNewerVersions || size > kMostBytes) return false;
  if (number == kControlledShutdown && version == 0) return size == kLeastHeader + 4;
  const std::uint32_t client = big_endian(bytes, 12, 2), id = client == kNoClient ? 0 : client;
  if (id > kLongestClient) return false;
  const bool flexible = version >= api->flexible && api->flexible != kNever;
  std::uint64_t header = kHeaderBytes + id;
  if (size + kSizeBytes < header + flexible || bytes.size() < header) return false;
  if (!is_printable(bytes.substr(kHeaderBytes, id))) return false;
  // No client sends tagged fields.
  if (flexible && bytes.size() > header && bytes[header] != '\0') return false;
  header += flexible;
  if (version > api->newest) return true;
  const std::string_view body = bytes.substr(std::min<std::size_t>(bytes.size(), header));
  return is_laid_out(*api, static_cast<std::uint8_t>(version), body, size + kSizeBytes - header);
}

bool is_response(std::string_view bytes, std::uint64_t& size) {
  if (bytes.size() < 2 * kSizeBytes) return false;
  size = big_endian(bytes, 0, 4);
  return size >= kSizeBytes && size <= kMostBytes;
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  std::uint64_t size = 0;
  if (side != Side::requests || !is_request(bytes, size)) return false;
  // A first request that is not whole is one to produce much.
  if (size + kSizeBytes > bytes.size() && (big_endian(bytes, 4, 2) != kProduceApi || bytes.size() < kLeastCut))
    return false;
  for (size += kSizeBytes; size < bytes.size(); size += kSizeBytes) {
    bytes.remove_prefix(static_cast<std::size_t>(size));
    if (bytes.size() < kHeaderBytes) return true;
    if (!is_request(bytes, size)) return false;
  }
  return true;
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  if (bytes.size() > length) return false;
  const auto is_message = side == Side::requests ? is_request : is_response;
  const std::uint64_t least = side == Side::requests ? kSizeBytes + kLeastHeader : 2 * kSizeBytes;
  for (std::uint64_t left = length; left > 0;) {
    std::uint64_t size = 0;
    // What is not visible may be a message.
    if (bytes.size() < kHeaderBytes && left < length && left > bytes.size()) return left >= least;
    if (!is_message(bytes, size)) return false;
    size += kSizeBytes;
    // Clients read the header of a response, and then the rest.
    if (size > left) return length >= kLeastCut || (side == Side::responses && length == least);
    left -= size;
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(size)));
  }
  return true;
}

namespace {

// From -1 on.
// clang-format off
constexpr std::string_view kCodes[] = {
    "UNKNOWN_SERVER_ERROR", "NONE", "OFFSET_OUT_OF_RANGE", "CORRUPT_MESSAGE", "UNKNOWN_TOPIC_OR_PARTITION",
    "INVALID_FETCH_SIZE", "LEADER_NOT_AVAILABLE", "NOT_LEADER_OR_FOLLOWER", "REQUEST_TIMED_OUT",
    "BROKER_NOT_AVAILABLE", "REPLICA_NOT_AVAILABLE", "MESSAGE_TOO_LARGE", "STALE_CONTROLLER_EPOCH",
    "OFFSET_METADATA_TOO_LARGE", "NETWORK_EXCEPTION", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR", "INVALID_TOPIC_EXCEPTION", "RECORD_LIST_TOO_LARGE", "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "INVALID_REQUIRED_ACKS", "ILLEGAL_GENERATION", "INCONSISTENT_GROUP_PROTOCOL",
    "INVALID_GROUP_ID", "UNKNOWN_MEMBER_ID", "INVALID_SESSION_TIMEOUT", "REBALANCE_IN_PROGRESS",
    "INVALID_COMMIT_OFFSET_SIZE", "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED", "INVALID_TIMESTAMP", "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE",
    "UNSUPPORTED_VERSION", "TOPIC_ALREADY_EXISTS", "INVALID_PARTITIONS", "INVALID_REPLICATION_FACTOR",
    "INVALID_REPLICA_ASSIGNMENT", "INVALID_CONFIG", "NOT_CONTROLLER", "INVALID_REQUEST",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT", "POLICY_VIOLATION", "OUT_OF_ORDER_SEQUENCE_NUMBER", "DUPLICATE_SEQUENCE_NUMBER",
    "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE", "INVALID_PRODUCER_ID_MAPPING", "INVALID_TRANSACTION_TIMEOUT",
    "CONCURRENT_TRANSACTIONS", "TRANSACTION_COORDINATOR_FENCED", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "SECURITY_DISABLED", "OPERATION_NOT_ATTEMPTED", "KAFKA_STORAGE_ERROR", "LOG_DIR_NOT_FOUND",
    "SASL_AUTHENTICATION_FAILED", "UNKNOWN_PRODUCER_ID", "REASSIGNMENT_IN_PROGRESS", "DELEGATION_TOKEN_AUTH_DISABLED",
    "DELEGATION_TOKEN_NOT_FOUND", "DELEGATION_TOKEN_OWNER_MISMATCH", "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
    "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "DELEGATION_TOKEN_EXPIRED", "INVALID_PRINCIPAL_TYPE", "NON_EMPTY_GROUP",
    "GROUP_ID_NOT_FOUND", "FETCH_SESSION_ID_NOT_FOUND", "INVALID_FETCH_SESSION_EPOCH", "LISTENER_NOT_FOUND",
    "TOPIC_DELETION_DISABLED", "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "UNSUPPORTED_COMPRESSION_TYPE",
    "STALE_BROKER_EPOCH", "OFFSET_NOT_AVAILABLE", "MEMBER_ID_REQUIRED", "PREFERRED_LEADER_NOT_AVAILABLE",
    "GROUP_MAX_SIZE_REACHED", "FENCED_INSTANCE_ID", "ELIGIBLE_LEADERS_NOT_AVAILABLE", "ELECTION_NOT_NEEDED",
    "NO_REASSIGNMENT_IN_PROGRESS", "GROUP_SUBSCRIBED_TO_TOPIC", "INVALID_RECORD", "UNSTABLE_OFFSET_COMMIT",
    "THROTTLING_QUOTA_EXCEEDED", "PRODUCER_FENCED", "RESOURCE_NOT_FOUND", "DUPLICATE_RESOURCE",
    "UNACCEPTABLE_CREDENTIAL", "INCONSISTENT_VOTER_SET", "INVALID_UPDATE_VERSION", "FEATURE_UPDATE_FAILED",
    "PRINCIPAL_DESERIALIZATION_FAILURE", "SNAPSHOT_NOT_FOUND", "", "UNKNOWN_TOPIC_ID", "DUPLICATE_BROKER_REGISTRATION",
    "BROKER_ID_NOT_REGISTERED", "INCONSISTENT_TOPIC_ID", "INCONSISTENT_CLUSTER_ID", "TRANSACTIONAL_ID_NOT_FOUND",
    "FETCH_SESSION_TOPIC_ID_ERROR", "INELIGIBLE_REPLICA", "NEW_LEADER_ELECTED", "OFFSET_MOVED_TO_TIERED_STORAGE",
    "FENCED_MEMBER_EPOCH", "UNRELEASED_INSTANCE_ID", "UNSUPPORTED_ASSIGNOR", "STALE_MEMBER_EPOCH",
    "MISMATCHED_ENDPOINT_TYPE", "UNSUPPORTED_ENDPOINT_TYPE", "UNKNOWN_CONTROLLER_ID", "UNKNOWN_SUBSCRIPTION_ID",
    "TELEMETRY_TOO_LARGE", "INVALID_REGISTRATION", "TRANSACTION_ABORTABLE", "INVALID_RECORD_STATE",
    "SHARE_SESSION_NOT_FOUND", "INVALID_SHARE_SESSION_EPOCH", "FENCED_STATE_EPOCH", "INVALID_VOTER_KEY",
    "DUPLICATE_VOTER", "VOTER_NOT_FOUND", "INVALID_REGULAR_EXPRESSION"};

// The broker or the cluster cannot do now what it was asked, or fails. Sorted.
constexpr std::string_view kOfServer[] = {
    "BROKER_ID_NOT_REGISTERED", "BROKER_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE",
    "DUPLICATE_BROKER_REGISTRATION", "ELIGIBLE_LEADERS_NOT_AVAILABLE", "FEATURE_UPDATE_FAILED",
    "INCONSISTENT_CLUSTER_ID", "INCONSISTENT_VOTER_SET", "INELIGIBLE_REPLICA", "KAFKA_STORAGE_ERROR",
    "LEADER_NOT_AVAILABLE", "LISTENER_NOT_FOUND", "LOG_DIR_NOT_FOUND", "NETWORK_EXCEPTION", "NEW_LEADER_ELECTED",
    "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "OFFSET_NOT_AVAILABLE",
    "PREFERRED_LEADER_NOT_AVAILABLE", "REPLICA_NOT_AVAILABLE", "REQUEST_TIMED_OUT", "SNAPSHOT_NOT_FOUND",
    "STALE_BROKER_EPOCH", "STALE_CONTROLLER_EPOCH", "TRANSACTION_COORDINATOR_FENCED", "UNKNOWN_CONTROLLER_ID",
    "UNKNOWN_LEADER_EPOCH", "UNKNOWN_SERVER_ERROR", "UNSTABLE_OFFSET_COMMIT"};
// clang-format on
static_assert(std::is_sorted(std::begin(kOfServer), std::end(kOfServer)));

}  // namespace

std::string code(std::string_view bytes) {
  if (bytes.empty()) return "";
  const std::uint32_t low = static_cast<unsigned char>(bytes.back());
  const std::size_t at = low == 0xff ? 0 : low + 1;
  if (at >= std::size(kCodes) || kCodes[at].empty()) return std::to_string(low);
  return std::string(kCodes[at]);
}

Fault fault(std::string_view error_code) {
  return std::binary_search(std::begin(kOfServer), std::end(kOfServer), error_code) ? Fault::server : Fault::client;
}

}  // namespace tailcap::formats::calls::kafka
