// The two that stand around a service: a leaf that answers after a moment, and clients that ask.
//
// leaf ADDRESS; load URL CLIENTS REQUESTS CONNECTIONS PREFIX [LOG]: each client asks URL/PREFIXclient-n one after the other.
// CONNECTIONS 0: each client has one of its own; otherwise all share that many, over HTTP/2. LOG has a line a request:
// {"id", "sent_ns", "done_ns" (CLOCK_MONOTONIC), "status", "response_bytes"}. Addresses and URLs that begin with h2c: are
// HTTP/2 without TLS.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func listen(address string) {
	if plain := strings.TrimPrefix(address, "h2c://"); plain != address {
		must(http.ListenAndServe(plain, h2c.NewHandler(http.DefaultServeMux, &http2.Server{MaxConcurrentStreams: 1000})))
	}
	if secure := strings.TrimPrefix(address, "https://"); secure != address {
		server := &http.Server{Addr: secure, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
		must(server.ListenAndServeTLS("", ""))
	}
	must(http.ListenAndServe(address, nil))
}

// Between 1 and 9 ms, by the path.
func leaf(w http.ResponseWriter, r *http.Request) {
	sum := fnv.New32()
	io.WriteString(sum, r.URL.Path)
	time.Sleep(time.Millisecond + time.Duration(sum.Sum32()%8000)*time.Microsecond)
	io.WriteString(w, "ok")
}

func monotonic() int64 {
	var now syscall.Timespec
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0); failed != 0 {
		must(failed)
	}
	return now.Nano()
}

// HTTP/2 without TLS, on one connection.
func plainHTTP2() http.RoundTripper {
	return &http2.Transport{AllowHTTP: true, DialTLS: func(network, address string, _ *tls.Config) (net.Conn, error) {
		return net.Dial(network, address)
	}}
}

func load(url string, clients, requests, connections int, prefix string, log_file string) {
	var all sync.WaitGroup
	client_transport := func() http.RoundTripper { return transport(1) }
	if plain := strings.TrimPrefix(url, "h2c:"); plain != url {
		url = "http:" + plain
		client_transport = plainHTTP2
	}
	shared := make([]http.RoundTripper, connections)
	for n := range shared {
		shared[n] = client_transport()
	}
	if log_file != "" {
		file, err := os.Create(log_file)
		must(err)
		log = json.NewEncoder(file)
	}
	for n := 0; n < clients; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			mine := client_transport()
			if connections > 0 {
				mine = shared[n%connections]
			}
			for i := 0; i < requests; i++ {
				id := fmt.Sprintf("%s%d-%d", prefix, n, i)
				sent := monotonic()
				response, err := (&http.Client{Transport: mine}).Get(url + id)
				must(err)
				body, err := io.ReadAll(response.Body)
				must(err)
				response.Body.Close()
				done := monotonic()
				if string(body) != "ok" {
					must(fmt.Errorf("answer %q", body))
				}
				if log != nil {
					logging.Lock()
					must(log.Encode(map[string]any{"id": id, "sent_ns": sent, "done_ns": done, "status": response.StatusCode, "response_bytes": len(body)}))
					logging.Unlock()
				}
			}
		}(n)
	}
	all.Wait()
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func main() {
	a := os.Args
	switch a[1] {
	case "leaf":
		http.HandleFunc("/", leaf)
		listen(a[2])
	case "load":
		log_file := ""
		if len(a) > 7 {
			log_file = a[7]
		}
		load(a[2], number(a[3]), number(a[4]), number(a[5]), a[6], log_file)
	case "service":
		other = a[4]
		serve(a[2], a[3], a[5])
	default:
		must(fmt.Errorf("leaf, load or service, not %q", a[1]))
	}
}
