#include "tests/unit/capture/tls_talk.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "bpf/event.h"

namespace {

std::vector<std::vector<std::byte>> derivations;
bool watched = false;

std::size_t take(const OSSL_PARAM& parameter, unsigned char* to, std::size_t most) {
  if (parameter.data_size == 0 || parameter.data_size > most) return 0;
  std::memcpy(to, parameter.data, parameter.data_size);
  return parameter.data_size;
}

// As the kernel program reads them.
void watch(const OSSL_PARAM* parameters) {
  tailcap::bpf::record_tls_secret r{};
  r.h.kind = tailcap::bpf::RECORD_TLS_SECRET;
  r.h.pid = r.h.tid = tailcap::capture::decrypt::Talk::kPid;
  int seeds = 0;
  for (; parameters->key; parameters++) {
    const std::string name = parameters->key;
    if (name == "key" || name == "secret")
      r.secret_length = static_cast<unsigned char>(take(*parameters, r.secret, sizeof r.secret));
    else if (name == "label" || (name == "seed" && seeds == 0))
      r.label_length = static_cast<unsigned char>(take(*parameters, r.label, sizeof r.label));
    else if (name == "data")
      r.data_length = static_cast<unsigned char>(take(*parameters, r.data, sizeof r.data));
    else if (name == "seed" && (seeds == 1 || seeds == 2))
      r.data_length = static_cast<unsigned char>(r.data_length + take(*parameters, r.data + 32 * (seeds - 1), 32));
    seeds += name == "seed";
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(&r);
  derivations.emplace_back(bytes, bytes + sizeof r);
}

}  // namespace

// Called instead of libcrypto's function, which it calls.
extern "C" int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key, std::size_t size,
                              const OSSL_PARAM* parameters) {
  using Derive = int (*)(EVP_KDF_CTX*, unsigned char*, std::size_t, const OSSL_PARAM*);
  static const auto real = reinterpret_cast<Derive>(dlsym(RTLD_NEXT, "EVP_KDF_derive"));
  if (watched && parameters) watch(parameters);
  return real(context, key, size, parameters);
}

namespace tailcap::capture::decrypt {

namespace {

void certify(SSL_CTX* context) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

}  // namespace

Contexts::Contexts(int version, const char* ciphers)
    : client(SSL_CTX_new(TLS_client_method())), server(SSL_CTX_new(TLS_server_method())) {
  for (SSL_CTX* context : {client.get(), server.get()}) {
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    if (ciphers && version == TLS1_3_VERSION) SSL_CTX_set_ciphersuites(context, ciphers);
    if (ciphers && version != TLS1_3_VERSION) SSL_CTX_set_cipher_list(context, ciphers);
    SSL_CTX_set_security_level(context, 0);
  }
  certify(server.get());
}

Talk::Talk(Contexts& contexts, SSL_SESSION* session, std::optional<Decryptor::Other> other)
    : client_(SSL_new(contexts.client.get())),
      server_(SSL_new(contexts.server.get())),
      decryptor_([this](formats::SocketId socket) { heads.push_back(socket); }, std::move(other)) {
  for (SSL* end : {client_.get(), server_.get()}) SSL_set_bio(end, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client_.get());
  SSL_set_accept_state(server_.get());
  if (session) SSL_set_session(client_.get(), session);
}

// What the ends derived since the last time.
void Talk::derive() {
  watched = false;
  for (Derivation& d : derivations)
    if (!derived || derived(d)) decryptor_.secret(d, formats::time_from(++time_));
  derivations.clear();
  hear();
}

void Talk::hear() {
  while (formats::Event* event = decryptor_.next()) {
    if (const auto* step = std::get_if<formats::TlsStep>(&event->body)) steps.push_back(*step);
    const auto* io = std::get_if<formats::TlsIo>(&event->body);
    if (!io) continue;
    Heard& heard = io->direction == formats::Direction::in ? in : out;
    if (io->length == 0) {
      heard.ended = true;
      continue;
    }
    if (io->position != heard.text.size()) heard.holes = true;
    if (io->head.size() + io->tail.size() > io->length) throw std::runtime_error("more bytes than there were");
    heard.text.resize(std::max<std::size_t>(heard.text.size(), io->position), '?');
    heard.text += std::string(io->head) + std::string(io->length - io->head.size() - io->tail.size(), '?') +
                  std::string(io->tail);
    heard.missed += io->missed;
  }
}

void Talk::move(SSL* from, SSL* to, formats::Direction direction) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(from), &data);
  if (size <= 0) return;
  const std::string bytes(data, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(from));
  std::vector<Part> parts{{bytes, static_cast<std::uint32_t>(bytes.size()), false}};
  if (keep) parts = keep(bytes);
  time_ += 10;
  std::uint32_t& position = position_[static_cast<std::size_t>(direction)];
  bool first = true;
  for (const Part& part : parts) {
    formats::Event event;
    event.time = formats::time_from(time_);
    event.thread = {kPid, kPid};
    auto& io = event.body.emplace<formats::Io>();
    io.socket = kSocket;
    io.direction = direction;
    io.payload = formats::Payload::captured;
    io.length = part.length;
    io.position = position;
    io.head = part.head;
    io.continued = !std::exchange(first, false);
    position += part.length;
    if (part.lost) {
      missed_++;
      continue;
    }
    io.missed = std::exchange(missed_, std::uint16_t{0});
    decryptor_.take(event);
  }
  hear();
  BIO_write(SSL_get_rbio(to), bytes.data(), static_cast<int>(bytes.size()));
}

void Talk::pump() {
  for (int i = 0; i < 20; i++) {
    move(client_.get(), server_.get(), formats::Direction::in);
    char buffer[20000];
    watched = true;
    if (!SSL_is_init_finished(server_.get())) SSL_do_handshake(server_.get());
    while (SSL_read(server_.get(), buffer, sizeof buffer) > 0) {
    }
    derive();
    move(server_.get(), client_.get(), formats::Direction::out);
    watched = true;
    if (!SSL_is_init_finished(client_.get())) SSL_do_handshake(client_.get());
    while (SSL_read(client_.get(), buffer, sizeof buffer) > 0) {
    }
    derive();
  }
}

bool Talk::shake() {
  watched = true;
  SSL_do_handshake(client_.get());
  derive();
  pump();
  return SSL_is_init_finished(client_.get()) && SSL_is_init_finished(server_.get());
}

void Talk::say(const std::string& text) {
  SSL_write(client_.get(), text.data(), static_cast<int>(text.size()));
  said += text;
  pump();
}

void Talk::answer(const std::string& text) {
  SSL_write(server_.get(), text.data(), static_cast<int>(text.size()));
  answered += text;
  pump();
}

void Talk::close() {
  SSL_shutdown(client_.get());
  pump();
  SSL_shutdown(server_.get());
  pump();
}

}  // namespace tailcap::capture::decrypt
